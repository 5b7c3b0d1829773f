/* store_hand.h - a store in a directory of its own, asked one thing at a time,
 * each answer waited for and told as text, for tests. */
#ifndef NUNCIO_TESTS_STORE_HAND_H
#define NUNCIO_TESTS_STORE_HAND_H
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "queue/store.h"
#include "queue/store_read.h"
#include "queue/store_work.h"

#define HAND_NOW INT64_C(1800000000000)
#define HAND_HOUR INT64_C(3600000)

struct hand {
	struct loop *loop;
	struct store *store;
	char directory[40], database[60];
	bool waiting;
	struct failure why; /* of the last answer; kind FAILURE_NONE: none */
	/* What the last answer said, as text: events "1:queued->sending #1 a@x 250 ok\n",
	 * claims "m1 a@x(1)#1 b@x(2)#1\n", lists "1 m1 queued a@x\n". */
	struct buf events, told;
	int64_t next_ms, last; /* of the last claim; of the last page */
	size_t changed, passed_over, forgotten;
	bool done, more;
	const struct text_rules *texts; /* for claims; NULL: none */
};

struct hand *hand_new(void); /* in a new directory */
void hand_free(struct hand *h);
int hand_open(struct hand *h, struct failure *f);
void hand_close(struct hand *h); /* the files stay */
void hand_reopen(struct hand *h);
void hand_sql(struct hand *h, const char *statement); /* over a connection of its own */
int64_t hand_number(struct hand *h, const char *statement);

/* A message with the content "hello" and deliveries of these to "#mail". */
struct message_row hand_message(void);
struct delivery_row hand_delivery(const char *recipient);
struct batch_result hand_commit(struct hand *h, struct batch *b);
/* Puts a message to recipients, separated by blanks; returns its number. */
int64_t hand_put(struct hand *h, const char *recipients);
int64_t hand_put_row(struct hand *h, const struct message_row *m, const struct delivery_row *d);
/* A change of delivery's state in an attempt. */
struct delivery_change hand_change(int64_t message, int64_t delivery, enum delivery_state from,
				   enum delivery_state to, unsigned attempt_no);
enum batch_status hand_move(struct hand *h, const struct delivery_change *change);

void hand_claim(struct hand *h, const char *routes, size_t max, size_t recipients, int64_t now_ms);
void hand_do(struct hand *h, enum deed deed, const struct filter *filter, int64_t after);
void hand_sweep(struct hand *h, int64_t now_ms, int64_t forget_before_ms);
void hand_list(struct hand *h, const struct filter *filter, int64_t after, size_t max);
void hand_show(struct hand *h, int64_t message); /* told: its deliveries */
struct stats_result hand_stats(struct hand *h);
/* told: its bytes; false: there is none. */
bool hand_chunk(struct hand *h, int64_t body, unsigned number);
const char *hand_events(struct hand *h);
const char *hand_told(struct hand *h);
extern const struct filter hand_all;
#endif
