/* queue/store_read.h - the reading half of the store's contract (store.h):
 * pages, one message, chunks, counts. Reads see what was committed. Rows and
 * bytes live only during the callback. */
#ifndef NUNCIO_QUEUE_STORE_READ_H
#define NUNCIO_QUEUE_STORE_READ_H
#include "queue/store_data.h"
struct failure;
struct store;

struct list_row {
	const struct delivery_row *delivery;
	const struct message_row *message; /* without spec and content */
};
struct list_result {
	const struct list_row *rows;
	size_t n;
	int64_t last; /* go on after this delivery id */
	bool done;
	const struct failure *why;
};
typedef void list_done_fn(void *ctx, const struct list_result *result);
/* By delivery id, after the given one, at most max (<= STORE_PAGE_MAX). */
void store_list(struct store *s, const struct filter *filter, int64_t after, size_t max,
		list_done_fn *done, void *ctx);

struct show_result {
	const struct message_row *message; /* NULL: there is none; with spec, without content */
	const struct delivery_row *deliveries;
	size_t ndeliveries;
	const struct event_row *events; /* oldest first; the newest STORE_PAGE_MAX */
	size_t nevents;
	const struct failure *why;
};
typedef void show_done_fn(void *ctx, const struct show_result *result);
void store_show(struct store *s, int64_t message, show_done_fn *done, void *ctx);

struct log_filter {
	int64_t message;  /* 0: any */
	int64_t uid;      /* whose messages; -1: any */
	int64_t since_ms; /* 0: all that is kept */
};
struct log_result {
	const struct event_row *events; /* at most STORE_PAGE_MAX; maybe none */
	size_t n;
	int64_t last; /* go on after this event id */
	bool done;
	const struct failure *why;
};
/* The history, by event id, which is the order of messages, not of time. */
typedef void log_done_fn(void *ctx, const struct log_result *result);
void store_log(struct store *s, const struct log_filter *filter, int64_t after, log_done_fn *done,
	       void *ctx);

/* bytes NULL without why: no such chunk. */
typedef void chunk_done_fn(void *ctx, const void *bytes, size_t len, const struct failure *why);
struct chunk_read;
struct chunk_read *store_read_chunk(struct store *s, int64_t body, unsigned number,
				    chunk_done_fn *done, void *ctx);
void chunk_read_cancel(struct chunk_read *r); /* done will not be called; NULL is fine */

struct stats_result {
	uint64_t by_state[16]; /* deliveries, by enum delivery_state */
	struct {
		char route[40];
		uint64_t waiting;  /* queued, sending */
		int64_t oldest_ms; /* creation of the oldest of them; 0: none */
	} routes[32];
	size_t nroutes;
	uint64_t database_bytes; /* its files */
	uint64_t used_bytes;     /* without the room in them that is free again */
	const struct failure *why;
};
typedef void stats_done_fn(void *ctx, const struct stats_result *result);
void store_stats(struct store *s, stats_done_fn *done, void *ctx);

/* Who handed in what, the newest first: a page of those before a message (0: the
 * newest there is). */
struct recent_row {
	uint32_t uid;
	int64_t created_ms;
	uint64_t bytes;
};
struct recent_result {
	const struct recent_row *rows;
	size_t n;
	int64_t last; /* go on before this message */
	bool done;
	const struct failure *why;
};
typedef void recent_done_fn(void *ctx, const struct recent_result *result);
void store_recent(struct store *s, int64_t before, recent_done_fn *done, void *ctx);

/* Deliveries that are not over. Answers at once. */
uint64_t store_waiting(struct store *s);

struct check_result {
	const char *directory;
	uint64_t database_bytes, free_bytes; /* of the disk, for us */
	const char *damage;                  /* the first found, or NULL */
	const struct failure *why;           /* it could not be read at all */
};
typedef void check_done_fn(void *ctx, const struct check_result *result);
/* Reads the whole database; nothing else waits for it. */
void store_check(struct store *s, check_done_fn *done, void *ctx);

/* Transports paused by an operator, as known at store_open() and changed since. */
struct paused_result {
	const char *const *names, *const *reasons;
	size_t n;
};
void store_paused(const struct store *s, struct paused_result *ret); /* answers at once */
#endif
