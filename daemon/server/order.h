/* server/order.h - a message being taken: what Send and Submit have in common,
 * from the parameters to the commit. send.c and submit.c fill it in; then its
 * content goes to the queue in pieces. */
#ifndef NUNCIO_SERVER_ORDER_H
#define NUNCIO_SERVER_ORDER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/loop.h"
#include "buf.h"
#include "queue/store.h"
#include "server/recipients.h"
struct call;
struct evp_md_ctx_st;
struct intake;
struct letter;
struct raw;

/* A stretch of content: bytes in memory, or a sealed descriptor. */
struct source {
	const char *bytes; /* NULL: fd */
	char *owned;       /* bytes, when they are ours */
	int fd;            /* owned; -1: bytes */
	uint64_t size;
};

struct order {
	struct call *call;
	struct letter *letter; /* owned */
	char *sender;          /* owned; envelope, ASCII */
	struct recipients recipients;
	unsigned priority;
	int64_t now_ms, at_ms, life_ms; /* life_ms 0: as long as the transport says */
	bool hold;
	bool tell_failure, tell_delay; /* to the sender, by mail */
	const char *key, *dedup;       /* of the request, or NULL */

	struct source *sources; /* owned, of nsources: the content */
	size_t nsources, at;    /* the one that is being read, and how far */
	uint64_t offset;
	struct raw *raw;            /* owned; a raw mail goes through it */
	struct buf mended;          /* what raw made of a piece */
	struct evp_md_ctx_st *hash; /* owned; NULL: without key nobody asks */
	struct intake *intake;      /* owned until it is finished */
	struct task more;
	int64_t counted_ms; /* mono: since then it counts as its user's; 0: it does not */
	uint64_t counted_bytes;

	struct message_row message; /* alive until the queue has answered */
	struct delivery_row *deliveries;
	char *spec, digest[65];
};

/* All of these return -1 once they have answered the call with what is wrong. */
/* Reads priority, at, expires, key, hold. */
int order_new(struct call *c, struct order **ret);
/* May the caller write under this address? */
int order_check_from(struct order *o, const struct address *from);
int order_address(struct order *o, const char *by, unsigned carries);
int order_add(struct order *o, const char *field, struct shown *shown); /* recipients_add() */
/* There is somebody, and a transport for each; call after the last order_add(). */
int order_check_ways(struct order *o);
/* Content given as base64 or descriptor in holder, which the request calls place. */
int order_take_content(struct order *o, json_t *holder, const char *place);
int order_add_text(struct order *o, const char *text, size_t len); /* alive as the request is */
int order_check_size(struct order *o);    /* and whether the queue and the user's share allow it */
void order_default_from(struct order *o); /* the letter's, as configured */
/* Who can't get all of it as a text gets it by mail, too, where the transport says so
 * (too_long = "attach to mail"). Call when recipients and content are known. */
void order_mail_texts(struct order *o);
/* Message-ID, date, boundary, marker: fixed from here on. letter->from is set. */
void order_fix(struct order *o);
void order_start(struct order *o); /* answers the call when it is on disk, or can't be */
#endif
