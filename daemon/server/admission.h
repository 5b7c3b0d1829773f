/* server/admission.h - is there room for one more: in the queue, in what a user may
 * hand in, in how many connections it may have. What was handed in within the last
 * hour is read from the store once, so that a restart resets nothing. */
#ifndef NUNCIO_SERVER_ADMISSION_H
#define NUNCIO_SERVER_ADMISSION_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
struct admission;
struct caller;
struct call;
struct order;
struct server;

struct admission *admission_new(struct server *s);
void admission_free(struct admission *a); /* NULL is fine */
/* The server has a (new) configuration. */
void admission_configure(struct admission *a);
/* Is it known what was handed in? If not: peers are poked when it is. */
bool admission_is_ready(const struct admission *a);

/* Counts the order's message, of so many bytes; -1: the call is answered with why not.
 * An order that is not taken in the end is given back. */
int admission_take(struct order *o, uint64_t bytes);
void admission_give_back(struct order *o);
/* May one more of the caller's connections ask something? *ret_limit: at most so many. */
bool admission_connects(const struct server *s, const struct caller *caller, unsigned *ret_limit);

/* Members `limits` and `usage` of Status, for who asks. */
json_t *admission_limits(const struct call *c);
json_t *admission_usage(const struct call *c);
#endif
