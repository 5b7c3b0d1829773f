/* tests/talk/rules_stage.c - see rules_stage.h. */
#include "rules_stage.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "queue/store.h"
#include "queue/store_run.h"
#include "rules/engine.h"
#include "run_wire.h"
#include "tests/unit/expect.h"

/* ---- the runner ---- */

static void peer_end(struct stage_peer *p)
{
	if (p->fd < 0)
		return;
	watch_clear(&p->watch);
	close(p->fd);
	buf_clear(&p->in);
	p->fd = -1;
}

static void begin_run(struct rules_stage *s, const char *run)
{
	s->nbegun++;
	for (size_t i = 0; i < s->nruns; i++)
		if (strcmp(s->runs[i], run) == 0)
			return;
	expect_true(s->nruns < STAGE_RUNS);
	snprintf(s->runs[s->nruns++], sizeof(*s->runs), "%s", run);
}

/* parameters are taken. */
static void reply(struct stage_peer *p, json_t *parameters)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	expect_int(varlink_add_reply(&out, parameters, false, '\0'), 0);
	/* who asked may have gone */
	send(p->fd, buf_bytes(&out), out.len, MSG_NOSIGNAL);
	buf_clear(&out);
	json_decref(parameters);
}

static void reply_end(struct stage_peer *p)
{
	int64_t now_ms = clock_wall_ms();

	p->waits = false;
	reply(p, run_result_write(&(struct run_result){.end = RUN_END_EXITED,
						       .started_ms = now_ms,
						       .ended_ms = now_ms,
						       .output = "did it\n",
						       .output_len = 7,
						       .output_total = 7,
						       .head_len = 7}));
}

void rules_let_go(struct rules_stage *s)
{
	s->holds = false;
	for (size_t i = 0; i < STAGE_PEERS; i++)
		if (s->peers[i].fd >= 0 && s->peers[i].waits)
			reply_end(&s->peers[i]);
}

static void answer(struct stage_peer *p, const char *frame, size_t len)
{
	struct varlink_call call;
	struct failure f;

	expect_ok(varlink_call_parse(frame, len, &call, &f), &f);
	const char *word = strrchr(call.method, '.') + 1;

	if (strcmp(word, "Start") == 0)
		begin_run(p->stage, json_string_value(json_object_get(call.parameters, "run")));
	if (strcmp(word, "Collect") == 0) {
		if (p->stage->holds)
			p->waits = true;
		else
			reply_end(p);
	} else if (!call.oneway) {
		reply(p, json_pack("{s:s}", "state", "running"));
	}
	varlink_call_clear(&call);
}

static void peer_ready(void *ctx, unsigned what)
{
	struct stage_peer *p = ctx;
	size_t start, len, used;
	char bytes[65536], end;
	ssize_t n = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0) {
		peer_end(p);
		return;
	}
	expect_int(buf_add(&p->in, bytes, (size_t)n), 0);
	while (varlink_frame(&p->framer, buf_bytes(&p->in), p->in.len, &start, &len, &used, &end) ==
	       VARLINK_FRAME) {
		answer(p, buf_bytes(&p->in) + start, len);
		buf_drain(&p->in, used);
	}
}

static void knocked(void *ctx, unsigned what)
{
	struct rules_stage *s = ctx;
	struct stage_peer *p = s->peers;
	int fd = accept4(s->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	while (p->fd >= 0)
		expect_true(++p < s->peers + STAGE_PEERS);
	*p = (struct stage_peer){.stage = s, .fd = fd};
	buf_init(&p->in, 8 << 20);
	watch_init(&p->watch, s->house.loop, fd, peer_ready, p);
	watch_want(&p->watch, WATCH_READ);
}

static void open_runner(struct rules_stage *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	for (size_t i = 0; i < STAGE_PEERS; i++)
		s->peers[i].fd = -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/runner", s->house.folder);
	s->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	expect_int(bind(s->listening, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_int(listen(s->listening, STAGE_PEERS), 0);
	watch_init(&s->knock, s->house.loop, s->listening, knocked, s);
	watch_want(&s->knock, WATCH_READ);
}

/* ---- the house ---- */

static char *replaced(const char *text, const char *what, const char *with)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	for (const char *found; (found = strstr(text, what)); text = found + strlen(what)) {
		buf_add(&out, text, (size_t)(found - text));
		buf_add_text(&out, with);
	}
	buf_add_text(&out, text);
	return buf_take(&out, NULL);
}

static char *settings_of(const struct rules_stage *s, bool inbox)
{
	AUTO(free)
	char *first =
		xprintf("{ name = \"inbox\"; type = \"imap\"; url = \"imaps://127.0.0.1:%u\"; "
			"user = \"box\"; password = \"x\"; ca_file = \"%s\"; authserv = "
			"\"none\"; }",
			talk_port(s->talk), talk_ca_file());
	AUTO(free) char *more = replaced(s->more, "@", s->house.folder);

	return xprintf("mailboxes = ( %s%s%s );\nrunner = { socket = \"%s/runner\"; };\n"
		       "operator = [\"me\"];\nrules = ( %s );\n",
		       inbox ? first : "", inbox && *more ? ", " : "", more, s->house.folder,
		       s->rules);
}

void rules_open(struct rules_stage *s, const char *script, const char *rules, const char *more)
{
	struct talk_options options = {.tls_at_once = true};
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm day;
	char date[64];

	memset(s, 0, sizeof(*s));
	house_begin(&s->house);
	strftime(date, sizeof(date), "%d-%b-%Y %H:%M:%S +0000", gmtime_r(&now, &day));
	AUTO(free) char *dated = replaced(script, "@DATE@", date);

	s->talk = talk_with(s->house.loop, dated, &options);
	s->rules = xstrdup(rules);
	s->more = xstrdup(more);
	open_runner(s);
	AUTO(free) char *settings = settings_of(s, *script);

	house_furnish(&s->house, "", settings);
}

void rules_change(struct rules_stage *s, const char *rules, bool inbox)
{
	free(s->rules);
	s->rules = xstrdup(rules);
	AUTO(free) char *settings = settings_of(s, inbox);

	house_change(&s->house, "", settings);
}

/* ---- what comes of it ---- */

/* A mail of the outbox; the caller's. */
static char *read_mail(const char *folder, const char *name)
{
	AUTO(free) char *path = xprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	char bytes[16384];
	size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file)
		fclose(file);
	return xstrndup(bytes, n);
}

/* Each mail whose subject begins so: their count, and the last one's text. */
static unsigned look(const struct rules_stage *s, const char *subject, char **ret_last)
{
	AUTO(free) char *folder = xprintf("%s/state/outbox/new", s->house.folder);
	AUTO(free) char *field = xprintf("\nSubject: %s", subject);
	DIR *dir = opendir(folder);
	unsigned count = 0;

	for (struct dirent *one; dir && (one = readdir(dir));) {
		AUTO(free) char *mail = *one->d_name == '.' ? NULL : read_mail(folder, one->d_name);

		if (!mail || !strstr(mail, field))
			continue;
		count++;
		if (ret_last) {
			free(*ret_last);
			*ret_last = xstrdup(mail);
		}
	}
	if (dir)
		closedir(dir);
	return count;
}

unsigned rules_told(const struct rules_stage *s, const char *subject)
{
	return look(s, subject, NULL);
}

static void is_down(void *ctx, const struct mailbox_status *status)
{
	*(bool *)ctx |= status->state == MAILBOX_DOWN;
}

/* A turn; who would rest before connecting again need not. */
static void turn_once(struct rules_stage *s, bool wait)
{
	bool rests = false;

	engine_each_mailbox(s->house.engine, is_down, &rests);
	if (rests)
		loop_turn_clock(s->house.loop, 1000);
	loop_turn(s->house.loop, wait && !rests);
	if (talk_problem(s->talk))
		expect_stop(__FILE__, __LINE__, "%s", talk_problem(s->talk));
}

static void turn(struct rules_stage *s)
{
	turn_once(s, true);
}

struct up {
	size_t boxes, up;
};

static void is_up(void *ctx, const struct mailbox_status *status)
{
	struct up *count = ctx;

	count->boxes++;
	count->up += status->state == MAILBOX_WATCHING;
}

void rules_until_watched(struct rules_stage *s)
{
	struct up count;

	do {
		turn(s);
		count = (struct up){0};
		engine_each_mailbox(s->house.engine, is_up, &count);
	} while (!count.boxes || count.up < count.boxes);
}

static void flushed(void *ctx, const struct batch_result *result)
{
	*(bool *)ctx = true;
}

void rules_flush(struct rules_stage *s)
{
	bool done = false;

	store_commit(s->house.store, batch_new(), flushed, &done);
	talk_until(s->house.loop, &done);
}

void rules_until_told(struct rules_stage *s, const char *subject, unsigned count)
{
	while (look(s, subject, NULL) < count)
		turn(s);
}

char *rules_code(const struct rules_stage *s)
{
	AUTO(free) char *mail = NULL;

	expect_int(look(s, "Is this command yours?", &mail), 1);
	const char *line = strstr(mail, "\nkey: ");

	expect_some(line);
	return xstrndup(line + 6, strcspn(line + 6, "\r\n"));
}

void rules_drop(const struct rules_stage *s, const char *folder, const char *mail)
{
	static unsigned number;
	AUTO(free) char *made = xprintf("%s/%s/tmp/%u", s->house.folder, folder, ++number);
	AUTO(free) char *path = xprintf("%s/%s/new/%u", s->house.folder, folder, number);
	FILE *file = fopen(made, "w");

	expect_some(file);
	expect_int(fputs(mail, file) >= 0, 1);
	expect_int(fclose(file), 0);
	expect_int(rename(made, path), 0);
}

struct left {
	bool known;
	size_t disposals, runs;
};

static void heard_desk(void *ctx, const struct desk_result *result)
{
	struct left *left = ctx;

	left->disposals = result->ndisposals;
	left->known = true;
}

static void heard_runs(void *ctx, const struct runs_result *result)
{
	struct left *left = ctx;

	left->runs = result->n;
	left->known = true;
}

static bool is_settled(struct rules_stage *s)
{
	struct run_filter filter = {.states = 1U << RUN_STARTED};
	struct left left = {0};

	store_desk(s->house.store, heard_desk, &left);
	talk_until(s->house.loop, &left.known);
	left.known = false;
	store_runs(s->house.store, &filter, 0, 10, heard_runs, &left);
	talk_until(s->house.loop, &left.known);
	return !left.disposals && !left.runs;
}

void rules_settled(struct rules_stage *s)
{
	/* what is waited for may happen while it is asked about */
	while (!talk_is_over(s->talk) || !is_settled(s))
		turn_once(s, !talk_is_over(s->talk));
}

void rules_end(struct rules_stage *s)
{
	talk_finished(s->talk);
	watch_clear(&s->knock);
	for (size_t i = 0; i < STAGE_PEERS; i++)
		peer_end(&s->peers[i]);
	close(s->listening);
	free(s->rules);
	free(s->more);
	house_close(&s->house);
}
