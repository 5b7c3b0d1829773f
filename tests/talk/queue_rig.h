/* tests/talk/queue_rig.h - a queue over a real store in a temporary directory, with
 * fake transports whose answers and log are files there; what it is asked and
 * what comes of it. Time is turned, never waited for. */
#ifndef NUNCIO_TESTS_QUEUE_RIG_H
#define NUNCIO_TESTS_QUEUE_RIG_H
#include "base/loop.h"
#include "buf.h"
#include "queue/queue.h"

struct rig {
	char dir[64];
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct watcher *watcher;
	struct buf story;     /* "2:queued>sending 2:sending>sent " as watchers hear it */
	const char *settings; /* further lines of the configuration, or NULL */
	unsigned circuits;    /* events of a transport going down or coming back */
};
struct rig *rig_new(void);
void rig_free(struct rig *r);
void rig_reopen(struct rig *r); /* all but the files goes and comes; not configured */

/* transports is what stands between the parentheses of the configuration's
 * `transports`; "@" in it is the directory. */
void rig_configure(struct rig *r, const char *transports);
void rig_answers(struct rig *r, const char *name, const char *text); /* file of that name */
/* The usual: one fake transport "mail", answers and log as files of the same name. */
extern const char rig_one[];

/* What is put: recipients up to a NULL. */
struct rig_put {
	const char *to[8];
	const char *route; /* NULL: "#mail" */
	const char *text;  /* NULL: "hello" */
	const char *key, *dedup;
	unsigned priority;
	int64_t in_ms, expires_in_ms; /* 0: now; 0: in 4 days */
	enum delivery_state state;    /* 0: queued */
};
struct intake_result rig_put(struct rig *r, const struct rig_put *put);
int64_t rig_put_to(struct rig *r, const char *recipient); /* id of the message */
/* The rows of content of len bytes, for tests of intake itself. spec: free() it. */
void rig_rows(const struct rig_put *put, size_t len, struct message_row *ret_message,
	      struct delivery_row *ret_deliveries, size_t *ret_n);
void rig_rows_clear(struct message_row *message);

void rig_settle(struct rig *r);                 /* until nothing more happens by itself */
void rig_turn_clock(struct rig *r, int64_t ms); /* and settle */
void rig_barrier(struct rig *r);                /* what was given to the store is on disk */
/* Of the message's nth delivery. */
void rig_delivery(struct rig *r, int64_t message, size_t nth, struct delivery_row *ret);
void rig_until_sent(struct rig *r, int64_t message); /* its first delivery, however long */
void rig_expect(struct rig *r, int64_t message, size_t nth, const char *state, unsigned attempts);
unsigned rig_count(struct rig *r, enum delivery_state state); /* deliveries in it */
size_t rig_operate(struct rig *r, enum deed deed, int64_t message);
struct transport_status rig_status(struct rig *r, const char *name);

/* The fake's log: how many parcels, and a member of the nth one's line as text. */
size_t rig_logged(struct rig *r, const char *name);
char *rig_log_text(struct rig *r, const char *name, size_t nth); /* the line; free() it */
char *rig_path(struct rig *r, const char *name);                 /* free() it */
#endif
