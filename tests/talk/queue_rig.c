/* tests/talk/queue_rig.c - the rig of queue_rig.h. An alarm ends a test that
 * would wait for ever. */
#include "queue_rig.h"

#include <ftw.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "tests/unit/expect.h"

#define ROUNDS 12

const char rig_one[] =
	"{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; log = \"@/mail.log\"; }";

/* ---- life ---- */

static void hear(void *ctx, const struct event_row *e)
{
	struct rig *r = ctx;

	if (e->message == 0)
		r->circuits++;
	else
		buf_printf(&r->story, "%lld:%s>%s ", (long long)e->delivery,
			   e->from ? state_name(e->from) : "", state_name(e->to));
}

static void open_all(struct rig *r)
{
	struct store_options options = {.directory = r->dir, .lease_ms = 10 * 60 * 1000};
	struct failure f;

	r->loop = loop_new();
	expect_ok(store_open(r->loop, &options, &r->store, &f), &f);
	r->queue = queue_new(r->loop, r->store, NULL);
	r->watcher = queue_watch(r->queue, hear, r);
}

static void close_all(struct rig *r)
{
	watcher_free(r->watcher);
	queue_free(r->queue);
	store_close(r->store);
	loop_free(r->loop);
}

struct rig *rig_new(void)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	alarm(120);
	snprintf(r->dir, sizeof(r->dir), "/tmp/nuncio-queue-XXXXXX");
	expect_some(mkdtemp(r->dir));
	buf_init(&r->story, 16 * 1024 * 1024);
	open_all(r);
	rig_answers(r, "mail", "");
	return r;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	return remove(path);
}

void rig_free(struct rig *r)
{
	close_all(r);
	nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	buf_clear(&r->story);
	free(r);
	alarm(0);
}

void rig_reopen(struct rig *r)
{
	close_all(r);
	open_all(r);
}

/* ---- files ---- */

char *rig_path(struct rig *r, const char *name)
{
	return xprintf("%s/%s", r->dir, name);
}

static void write_file(const char *path, const char *text)
{
	AUTO(free) char *fresh = xprintf("%s.fresh", path);
	FILE *file = fopen(fresh, "w");

	expect_some(file);
	expect_true(fputs(text, file) >= 0);
	expect_int(fclose(file), 0);
	expect_int(rename(fresh, path), 0);
}

void rig_answers(struct rig *r, const char *name, const char *text)
{
	AUTO(free) char *path = rig_path(r, name);

	write_file(path, text);
}

void rig_configure(struct rig *r, const char *transports)
{
	AUTO(free) char *path = rig_path(r, "nuncio.conf");
	const struct config *config;
	struct buf text;
	struct failure f;

	buf_init(&text, 65536);
	buf_printf(&text,
		   "from = \"box@example.com\"; socket = \"%s/socket\"; state = \"%s\";\n"
		   "transports = (",
		   r->dir, r->dir);
	for (const char *c = transports; *c; c++)
		buf_add(&text, *c == '@' ? r->dir : c, *c == '@' ? strlen(r->dir) : 1);
	buf_printf(&text, ");\n%s\n", r->settings ? r->settings : "");
	write_file(path, buf_bytes(&text));
	buf_clear(&text);
	expect_ok(config_load(path, &config, NULL, NULL, &f), &f);
	expect_ok(queue_configure(r->queue, config, &f), &f);
	config_unref(config);
}

char *rig_log_text(struct rig *r, const char *name, size_t nth)
{
	AUTO(free) char *path = xprintf("%s/%s.log", r->dir, name);
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	expect_some(file);
	for (size_t i = 0; i <= nth; i++)
		expect_true(getline(&line, &size, file) > 0);
	fclose(file);
	return line;
}

size_t rig_logged(struct rig *r, const char *name)
{
	AUTO(free) char *path = xprintf("%s/%s.log", r->dir, name);
	FILE *file = fopen(path, "r");
	size_t lines = 0;

	for (int c = 0; file && c != EOF; lines += c == '\n')
		c = fgetc(file);
	if (file)
		fclose(file);
	return lines;
}

/* ---- putting ---- */

static char *make_spec(const struct rig_put *put, size_t len, char **ret_message_id)
{
	AUTO(letter_free) struct letter *l = letter_new();
	struct failure f;

	expect_ok(address_parse("box@example.com", 15, &l->from, &f), &f);
	l->subject = xstrdup("a test");
	l->has_text = true;
	l->text_size = len;
	l->message_id = letter_make_message_id(&l->from, clock_wall_ms());
	l->boundary = letter_make_boundary();
	l->date_ms = clock_wall_ms();
	l->marker = xstrdup("0123456789abcdef");
	*ret_message_id = xstrdup(l->message_id);
	return letter_to_spec(l);
}

void rig_rows(const struct rig_put *put, size_t len, struct message_row *ret_message,
	      struct delivery_row *ret_deliveries, size_t *ret_n)
{
	int64_t now_ms = clock_wall_ms();
	char *message_id;
	size_t n = 0;

	*ret_message = (struct message_row){
		.created_ms = now_ms,
		.uid = 1000,
		.pid = 1,
		.key = put->key,
		.digest = put->text ? put->text : "hello",
		.dedup = put->dedup,
		.sender = "box@example.com",
		.priority = put->priority,
		.spec = make_spec(put, len, &message_id),
	};
	ret_message->message_id = message_id;
	for (; put->to[n]; n++)
		ret_deliveries[n] = (struct delivery_row){
			.recipient = put->to[n],
			.route = put->route ? put->route : "#mail",
			.state = put->state ? put->state : STATE_QUEUED,
			.next_ms = now_ms + put->in_ms,
			.expires_ms = now_ms + (put->expires_in_ms ? put->expires_in_ms
								   : (int64_t)4 * 86400 * 1000),
			.enhanced = "",
			.text = "",
			.transport = "",
			.remote_id = "",
		};
	*ret_n = n;
}

void rig_rows_clear(struct message_row *message)
{
	free((char *)message->spec);
	free((char *)message->message_id);
}

struct answer {
	bool came;
	struct intake_result result;
};

static void taken(void *ctx, const struct intake_result *result)
{
	struct answer *answer = ctx;

	expect_true(!answer->came);
	answer->came = true;
	answer->result = *result;
	answer->result.why = NULL;
}

struct intake_result rig_put(struct rig *r, const struct rig_put *put)
{
	const char *text = put->text ? put->text : "hello";
	struct intake *in = intake_new(r->queue);
	struct delivery_row deliveries[8];
	struct message_row message;
	struct answer answer = {.came = false};
	size_t n;

	rig_rows(put, strlen(text), &message, deliveries, &n);
	expect_true(intake_write(in, text, strlen(text), NULL, NULL));
	intake_finish(in, &message, deliveries, n, clock_wall_ms() - 3600 * 1000, taken, &answer);
	rig_rows_clear(&message);
	expect_true(!answer.came);
	while (!answer.came)
		loop_turn(r->loop, true);
	return answer.result;
}

int64_t rig_put_to(struct rig *r, const char *recipient)
{
	struct intake_result result = rig_put(r, &(struct rig_put){.to = {recipient}});

	expect_int(result.status, INTAKE_TAKEN);
	return result.message;
}

/* ---- time ---- */

static void committed(void *ctx, const struct batch_result *result)
{
	*(bool *)ctx = true;
}

void rig_barrier(struct rig *r)
{
	bool done = false;

	store_commit(r->store, batch_new(), committed, &done);
	while (!done)
		loop_turn(r->loop, true);
}

static void counted(void *ctx, const struct stats_result *result)
{
	*(bool *)ctx = true;
}

void rig_settle(struct rig *r)
{
	size_t heard = r->story.len + 1;

	/* claims, chunks read, outcomes: each a round through the store's threads */
	for (int quiet = 0; quiet < ROUNDS; quiet = heard == r->story.len ? quiet + 1 : 0) {
		bool done = false;

		heard = r->story.len;
		rig_barrier(r);
		store_stats(r->store, counted, &done);
		while (!done)
			loop_turn(r->loop, true);
		for (int i = 0; i < 4; i++)
			loop_turn(r->loop, false);
	}
}

void rig_turn_clock(struct rig *r, int64_t ms)
{
	loop_turn_clock(r->loop, ms);
	rig_settle(r);
}

/* ---- looking ---- */

struct look {
	bool came;
	size_t nth;
	struct delivery_row row;
};

static void shown(void *ctx, const struct show_result *result)
{
	struct look *look = ctx;

	look->came = true;
	expect_null(result->why);
	expect_true(look->nth < result->ndeliveries);
	look->row = result->deliveries[look->nth];
	look->row.recipient = look->row.route = look->row.enhanced = NULL;
	look->row.text = look->row.transport = look->row.remote_id = NULL;
}

void rig_delivery(struct rig *r, int64_t message, size_t nth, struct delivery_row *ret)
{
	struct look look = {.nth = nth};

	store_show(r->store, message, shown, &look);
	while (!look.came)
		loop_turn(r->loop, true);
	*ret = look.row;
}

void rig_until_sent(struct rig *r, int64_t message)
{
	struct delivery_row row;

	do
		rig_delivery(r, message, 0, &row);
	while (row.state != STATE_SENT);
}

void rig_expect(struct rig *r, int64_t message, size_t nth, const char *state, unsigned attempts)
{
	struct delivery_row row;

	rig_settle(r);
	rig_delivery(r, message, nth, &row);
	expect_text(state_name(row.state), state);
	expect_int(row.attempt_no, attempts);
}

struct count {
	bool came;
	enum delivery_state state;
	uint64_t n;
};

static void stats_came(void *ctx, const struct stats_result *result)
{
	struct count *count = ctx;

	count->came = true;
	count->n = result->by_state[count->state];
}

unsigned rig_count(struct rig *r, enum delivery_state state)
{
	struct count count = {.state = state};

	store_stats(r->store, stats_came, &count);
	while (!count.came)
		loop_turn(r->loop, true);
	return (unsigned)count.n;
}

struct deed_answer {
	bool came;
	size_t changed;
};

static void operated(void *ctx, const struct operate_result *result)
{
	struct deed_answer *answer = ctx;

	expect_null(result->why);
	answer->came = true;
	answer->changed = result->changed;
}

size_t rig_operate(struct rig *r, enum deed deed, int64_t message)
{
	struct filter filter = {.message = message, .uid = -1};
	struct deed_answer answer = {.came = false};

	queue_operate(r->queue, deed, &filter, operated, &answer);
	while (!answer.came)
		loop_turn(r->loop, true);
	return answer.changed;
}

struct status_wanted {
	const char *name;
	struct transport_status status;
};

static void one_status(void *ctx, const struct transport_status *s)
{
	struct status_wanted *wanted = ctx;

	if (strcmp(s->name, wanted->name) == 0)
		wanted->status = *s;
}

struct transport_status rig_status(struct rig *r, const char *name)
{
	struct status_wanted wanted = {.name = name};

	queue_each_transport(r->queue, one_status, &wanted);
	expect_some(wanted.status.name);
	return wanted.status;
}
