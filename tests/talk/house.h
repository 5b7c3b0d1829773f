/* tests/talk/house.h - a server with a real queue over a fake transport, in a
 * temporary folder, and clients that are one end of a socket pair. */
#ifndef NUNCIO_TESTS_HOUSE_H
#define NUNCIO_TESTS_HOUSE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/loop.h"
#include "buf.h"

struct house {
	char folder[64];
	struct loop *loop;
	const struct config *config;
	struct store *store;
	struct resolver *resolver;
	struct queue *queue;
	struct engine *engine;
	struct server *server;
};
/* settings: further lines of the configuration, which has a transport "fake". */
void house_open(struct house *h, const char *settings);
/* transports: that line of it, or "": then it has one Maildir, "outbox". */
void house_open_with(struct house *h, const char *transports, const char *settings);
/* The same in two steps: its folder and its loop, then the rest. */
void house_begin(struct house *h);
void house_furnish(struct house *h, const char *transports, const char *settings);
/* Another configuration, as by SIGHUP. */
void house_change(struct house *h, const char *transports, const char *settings);
void house_close(struct house *h);

struct client {
	struct house *house;
	int fd;
	struct watch watch;
	struct buf in;
	bool ended; /* the server closed it */
};
void client_open(struct client *c, struct house *h);
void client_close(struct client *c);
void client_say(struct client *c, const void *bytes, size_t len); /* all of it */
void client_text(struct client *c, const char *text);
void client_pass(struct client *c, const char *text, const int *fds, size_t n);
void client_half_close(struct client *c);
/* The next reply, which is the caller's; the loop turns until it is there. NULL:
 * the connection ended first. */
json_t *client_hear(struct client *c);
void client_hear_end(struct client *c);                    /* it must come, and nothing before it */
json_t *client_ask(struct client *c, const char *request); /* say and hear */
/* The reply's error ("BadMessage": without its interface), or "ok". It is freed. */
char *client_verdict(json_t *reply);
#endif
