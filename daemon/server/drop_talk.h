/* server/drop_talk.h - the importer as a client of the server it is part of: one
 * request on a connection of its own, in the name of whoever left the mail, so that it
 * meets the same rights and ceilings as on the socket. */
#ifndef NUNCIO_SERVER_DROP_TALK_H
#define NUNCIO_SERVER_DROP_TALK_H
#include <jansson.h>
struct caller;
struct drop_talk;
struct server;

/* error NULL: it was done; else the error's name and its parameters. With both NULL
 * there was no answer. Comes once, later; freeing the talk in there is fine. */
typedef void drop_answer_fn(void *ctx, const char *error, json_t *parameters);
/* parameters is taken over; descriptor is passed with it, and stays the callee's. NULL:
 * the process has no room for a connection. */
struct drop_talk *drop_talk_new(struct server *s, const struct caller *caller, const char *method,
				json_t *parameters, int descriptor, drop_answer_fn *answer,
				void *ctx);
void drop_talk_free(struct drop_talk *t); /* NULL is fine */
#endif
