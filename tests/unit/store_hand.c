/* store_hand.c - asks, turns the loop until it is answered, and writes down what
 * was said. */
#include "store_hand.h"

#include <inttypes.h>
#include <unistd.h>

#include <sqlite3.h>

#include "alloc.h"
#include "expect.h"

#define TELL_MAX (1024 * 1024)

const struct filter hand_all = {.uid = -1};

struct hand *hand_new(void)
{
	struct hand *h = xcalloc(1, sizeof(*h));
	struct failure f;

	buf_init(&h->events, TELL_MAX);
	buf_init(&h->told, TELL_MAX);
	strcpy(h->directory, "/tmp/nuncio-store-XXXXXX");
	expect_some(mkdtemp(h->directory));
	snprintf(h->database, sizeof(h->database), "%s/queue.db", h->directory);
	h->loop = loop_new();
	expect_ok(hand_open(h, &f), &f);
	return h;
}

int hand_open(struct hand *h, struct failure *f)
{
	return store_open(h->loop,
			  &(struct store_options){.directory = h->directory, .lease_ms = HAND_HOUR},
			  &h->store, f);
}

void hand_close(struct hand *h)
{
	store_close(h->store);
	h->store = NULL;
}

void hand_reopen(struct hand *h)
{
	struct failure f;

	hand_close(h);
	expect_ok(hand_open(h, &f), &f);
}

void hand_free(struct hand *h)
{
	static const char *const files[] = {"queue.db", "queue.db-wal", "queue.db-shm", "lock",
					    "reserve"};
	char path[80];

	hand_close(h);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", h->directory, files[i]);
		unlink(path);
	}
	expect_int(rmdir(h->directory), 0);
	loop_free(h->loop);
	buf_clear(&h->events);
	buf_clear(&h->told);
	free(h);
}

static int first_number(void *ctx, int n, char **values, char **names)
{
	*(int64_t *)ctx = values[0] ? strtoll(values[0], NULL, 10) : 0;
	return 0;
}

int64_t hand_number(struct hand *h, const char *statement)
{
	int64_t number = -1;
	char *error = NULL;
	sqlite3 *db;

	expect_int(sqlite3_open(h->database, &db), SQLITE_OK);
	if (sqlite3_exec(db, statement, first_number, &number, &error) != SQLITE_OK)
		expect_stop(__FILE__, __LINE__, "%s: %s", statement, error);
	sqlite3_close(db);
	return number;
}

void hand_sql(struct hand *h, const char *statement)
{
	hand_number(h, statement);
}

static void ask(struct hand *h)
{
	buf_drain(&h->events, h->events.len);
	buf_drain(&h->told, h->told.len);
	h->why = (struct failure){0};
	h->waiting = true;
}

static void wait_for_answer(struct hand *h)
{
	while (h->waiting)
		loop_turn(h->loop, true);
}

static void hear(struct hand *h, const struct failure *why)
{
	expect_true(h->waiting);
	h->waiting = false;
	if (why)
		h->why = *why;
}

static void hear_events(struct hand *h, const struct event_row *events, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct event_row *e = &events[i];

		expect_true(e->id > 0 && e->at_ms > 0 && e->message > 0);
		buf_printf(&h->events, "%" PRId64 ":%s->%s #%u %s", e->delivery,
			   e->from ? state_name(e->from) : "", state_name(e->to), e->attempt_no,
			   e->recipient);
		if (e->code || e->text[0])
			buf_printf(&h->events, " %d %s", e->code, e->text);
		buf_add_text(&h->events, "\n");
	}
	h->changed = n;
}

struct message_row hand_message(void)
{
	return (struct message_row){.created_ms = HAND_NOW,
				    .uid = 1000,
				    .pid = 42,
				    .sender = "box@example.com",
				    .subject = "greeting",
				    .message_id = "<1@example.com>",
				    .priority = 2,
				    .spec = "{}",
				    .content_size = 5,
				    .content = "hello"};
}

struct delivery_row hand_delivery(const char *recipient)
{
	return (struct delivery_row){.recipient = recipient,
				     .route = "#mail",
				     .state = STATE_QUEUED,
				     .next_ms = HAND_NOW,
				     .expires_ms = HAND_NOW + 4 * HAND_HOUR};
}

struct committed {
	struct hand *h;
	struct batch_result result;
};

static void committed(void *ctx, const struct batch_result *result)
{
	struct committed *c = ctx;

	c->result = *result;
	hear(c->h, result->why);
}

struct batch_result hand_commit(struct hand *h, struct batch *b)
{
	struct committed c = {.h = h};

	ask(h);
	store_commit(h->store, b, committed, &c);
	expect_true(h->waiting);
	wait_for_answer(h);
	return c.result;
}

int64_t hand_put(struct hand *h, const char *recipients)
{
	struct message_row message = hand_message();
	struct delivery_row rows[16];
	char words[400], *rest = words, *word;
	struct batch *b = batch_new();
	size_t n = 0;

	snprintf(words, sizeof(words), "%s", recipients);
	while ((word = strsep(&rest, " ")))
		rows[n++] = hand_delivery(word);
	batch_put_message(b, &message, rows, n, 0);
	struct batch_result result = hand_commit(h, b);

	expect_int(result.status, BATCH_DONE);
	return result.message;
}

int64_t hand_put_row(struct hand *h, const struct message_row *m, const struct delivery_row *d)
{
	struct batch *b = batch_new();

	batch_put_message(b, m, d, 1, 0);
	struct batch_result result = hand_commit(h, b);

	expect_int(result.status, BATCH_DONE);
	return result.message;
}

struct delivery_change hand_change(int64_t message, int64_t delivery, enum delivery_state from,
				   enum delivery_state to, unsigned attempt_no)
{
	return (struct delivery_change){.message = message,
					.delivery = delivery,
					.from = from,
					.to = to,
					.attempt_no = attempt_no,
					.new_attempt = attempt_no,
					.at_ms = HAND_NOW + 1000,
					.next_ms = HAND_NOW + 60000};
}

enum batch_status hand_move(struct hand *h, const struct delivery_change *change)
{
	struct batch *b = batch_new();

	batch_change(b, change);
	return hand_commit(h, b).status;
}

static void tell_claim(struct hand *h, const struct claimed_message *m)
{
	buf_printf(&h->told, "m%" PRId64, m->id);
	for (size_t i = 0; i < m->n; i++)
		buf_printf(&h->told, " %s(%" PRId64 ")#%u", m->deliveries[i].recipient,
			   m->deliveries[i].id, m->deliveries[i].attempt_no);
	buf_add_text(&h->told, "\n");
}

static void claimed(void *ctx, struct claim_result *result)
{
	struct hand *h = ctx;

	for (size_t i = 0; i < result->n; i++) {
		tell_claim(h, result->messages[i]);
		claimed_message_free(result->messages[i]);
	}
	hear_events(h, result->events, result->nevents);
	h->next_ms = result->next_ms;
	hear(h, result->why);
}

void hand_claim(struct hand *h, const char *routes, size_t max, size_t recipients, int64_t now_ms)
{
	const char *list[4];
	char words[100], *rest = words;
	size_t n = 0;

	snprintf(words, sizeof(words), "%s", routes);
	while ((list[n] = strsep(&rest, " ")))
		n++;
	ask(h);
	store_claim(h->store,
		    &(struct claim_request){.routes = list,
					    .nroutes = n,
					    .max_messages = max,
					    .max_recipients = recipients,
					    .transport = "mail",
					    .now_ms = now_ms,
					    .texts = h->texts},
		    claimed, h);
	wait_for_answer(h);
}

static void deed_done(void *ctx, const struct deed_result *result)
{
	struct hand *h = ctx;

	hear_events(h, result->events, result->nevents);
	h->passed_over = result->passed_over;
	h->last = result->last;
	h->done = result->done;
	hear(h, result->why);
}

void hand_do(struct hand *h, enum deed deed, const struct filter *filter, int64_t after)
{
	ask(h);
	store_do(h->store, deed, filter, after, HAND_NOW + 5000, deed_done, h);
	wait_for_answer(h);
}

static void swept(void *ctx, const struct sweep_result *result)
{
	struct hand *h = ctx;

	hear_events(h, result->events, result->nevents);
	h->forgotten = result->forgotten;
	h->more = result->more;
	hear(h, result->why);
}

void hand_sweep(struct hand *h, int64_t now_ms, int64_t forget_before_ms)
{
	struct sweep_plan plan = {now_ms, forget_before_ms,
				  json_pack("{s:b, s:b}", "mail", 1, "sms", 1)};

	ask(h);
	store_sweep(h->store, &plan, swept, h);
	wait_for_answer(h);
}

static void tell_delivery(struct hand *h, const struct delivery_row *d)
{
	buf_printf(&h->told, "%" PRId64 " m%" PRId64 " %s %s", d->id, d->message,
		   state_name(d->state), d->recipient);
	if (d->code || d->text[0])
		buf_printf(&h->told, " %d %s %s", d->code, d->enhanced, d->text);
	buf_add_text(&h->told, "\n");
}

static void listed(void *ctx, const struct list_result *result)
{
	struct hand *h = ctx;

	for (size_t i = 0; i < result->n; i++) {
		expect_int(result->rows[i].message->id, result->rows[i].delivery->message);
		tell_delivery(h, result->rows[i].delivery);
	}
	h->last = result->last;
	h->done = result->done;
	hear(h, result->why);
}

void hand_list(struct hand *h, const struct filter *filter, int64_t after, size_t max)
{
	ask(h);
	store_list(h->store, filter, after, max, listed, h);
	expect_true(h->waiting);
	wait_for_answer(h);
}

static void shown(void *ctx, const struct show_result *result)
{
	struct hand *h = ctx;

	if (!result->message)
		buf_add_text(&h->told, "none\n");
	for (size_t i = 0; i < result->ndeliveries; i++)
		tell_delivery(h, &result->deliveries[i]);
	hear_events(h, result->events, result->nevents);
	hear(h, result->why);
}

void hand_show(struct hand *h, int64_t message)
{
	ask(h);
	store_show(h->store, message, shown, h);
	wait_for_answer(h);
}

struct counted {
	struct hand *h;
	struct stats_result result;
};

static void counted(void *ctx, const struct stats_result *result)
{
	struct counted *c = ctx;

	c->result = *result;
	hear(c->h, result->why);
}

struct stats_result hand_stats(struct hand *h)
{
	struct counted c = {.h = h};

	ask(h);
	store_stats(h->store, counted, &c);
	wait_for_answer(h);
	return c.result;
}

static void chunk_came(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	struct hand *h = ctx;

	h->done = bytes != NULL;
	if (bytes)
		buf_add(&h->told, bytes, len);
	hear(h, why);
}

bool hand_chunk(struct hand *h, int64_t body, unsigned number)
{
	ask(h);
	store_read_chunk(h->store, body, number, chunk_came, h);
	wait_for_answer(h);
	return h->done;
}

const char *hand_events(struct hand *h)
{
	return buf_bytes(&h->events);
}

const char *hand_told(struct hand *h)
{
	return buf_bytes(&h->told);
}
