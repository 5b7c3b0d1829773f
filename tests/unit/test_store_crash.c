/* What was answered is there, however the process ended: a child puts, claims
 * and settles and tells each answer; it is killed; the store is opened again. */
#include "queue/store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "store_hand.h"

#define ROUNDS 120
#define PRODUCERS 8
#define ANSWERS_MAX 150
#define MESSAGES_MAX (ROUNDS * (ANSWERS_MAX + PRODUCERS) * 8)

struct answer {
	int64_t message;
	enum delivery_state state;
};

struct child {
	struct hand *h;
	int out;
};

static void tell(struct child *c, int64_t message, enum delivery_state state)
{
	struct answer answer = {.message = message, .state = state};

	if (write(c->out, &answer, sizeof(answer)) != sizeof(answer))
		_exit(1);
}

static void put(struct child *c);

static void was_put(void *ctx, const struct batch_result *result)
{
	struct child *c = ctx;

	if (result->status != BATCH_DONE)
		_exit(1);
	tell(c, result->message, STATE_QUEUED);
	put(c);
}

static void put(struct child *c)
{
	struct message_row m = hand_message();
	struct delivery_row two[] = {hand_delivery("a@x"), hand_delivery("b@x")};
	struct batch *b = batch_new();

	batch_put_message(b, &m, two, 2, 0);
	store_commit(c->h->store, b, was_put, c);
}

static void claim(struct child *c);

struct settling {
	struct child *c;
	int64_t message;
};

static void was_settled(void *ctx, const struct batch_result *result)
{
	struct settling *s = ctx;

	if (result->status != BATCH_DONE)
		_exit(1);
	tell(s->c, s->message, STATE_SENT);
	claim(s->c);
	free(s);
}

static void was_claimed(void *ctx, struct claim_result *result)
{
	struct child *c = ctx;

	if (result->n == 0) {
		claim(c);
		return;
	}
	struct claimed_message *m = result->messages[0];
	struct settling *s = malloc(sizeof(*s));
	struct batch *b = batch_new();

	*s = (struct settling){.c = c, .message = m->id};
	for (size_t i = 0; i < m->n; i++) {
		struct delivery_change change =
			hand_change(m->id, m->deliveries[i].id, STATE_SENDING, STATE_SENT,
				    m->deliveries[i].attempt_no);

		batch_change(b, &change);
	}
	store_commit(c->h->store, b, was_settled, s);
	claimed_message_free(m);
}

static void claim(struct child *c)
{
	static const char *const route = "#mail";

	store_claim(c->h->store,
		    &(struct claim_request){.routes = &route,
					    .nroutes = 1,
					    .max_messages = 1,
					    .max_recipients = 10,
					    .transport = "mail",
					    .now_ms = HAND_NOW},
		    was_claimed, c);
}

static _Noreturn void be_child(struct hand *h, int out)
{
	struct child c = {.h = h, .out = out};
	struct failure f;

	h->loop = loop_new();
	if (hand_open(h, &f) < 0)
		_exit(1);
	for (int i = 0; i < PRODUCERS; i++)
		put(&c);
	claim(&c);
	loop_run(h->loop);
	_exit(1);
}

/* Notes what the child says, until it said so much; kills it and hears the rest. */
static void hear_and_kill(pid_t child, int in, int answers, unsigned char *heard)
{
	struct answer answer;
	ssize_t len;
	int status;

	for (int n = 0; (len = read(in, &answer, sizeof(answer))) > 0; n++) {
		expect_int(len, sizeof(answer));
		expect_true(answer.message > 0 && answer.message < MESSAGES_MAX);
		heard[answer.message] = (unsigned char)answer.state;
		if (n == answers)
			kill(child, SIGKILL);
	}
	expect_int(waitpid(child, &status, 0), child);
	expect_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void run_child(struct hand *h, int answers, unsigned char *heard)
{
	int ends[2];
	pid_t child;

	expect_int(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		be_child(h, ends[1]);
	}
	close(ends[1]);
	hear_and_kill(child, ends[0], answers, heard);
	close(ends[0]);
}

struct check {
	const unsigned char *heard;
	unsigned char *there;
};

static void note_row(void *ctx, const struct list_result *result)
{
	struct check *check = ctx;

	for (size_t i = 0; i < result->n; i++)
		check->there[result->rows[i].delivery->message] |=
			(unsigned char)(result->rows[i].delivery->state == STATE_SENT ? 2 : 1);
}

static void expect_heard(struct hand *h, const unsigned char *heard)
{
	struct check check = {.heard = heard, .there = calloc(1, MESSAGES_MAX)};

	for (h->last = 0, h->done = false; !h->done;) {
		store_list(h->store, &hand_all, h->last, STORE_PAGE_MAX, note_row, &check);
		hand_list(h, &hand_all, h->last, STORE_PAGE_MAX);
	}
	for (int64_t i = 0; i < MESSAGES_MAX; i++) {
		/* never one of two settled */
		expect_true(check.there[i] != 3);
		if (heard[i] == STATE_SENT)
			expect_int(check.there[i], 2);
		else if (heard[i])
			expect_true(check.there[i] != 0);
	}
	free(check.there);
	expect_int(hand_number(h, "SELECT count(*) FROM messages m WHERE live <> (SELECT count(*)"
				  " FROM deliveries d WHERE d.state = 2 AND d.id"
				  " BETWEEN first_delivery AND first_delivery + 1)"),
		   0);
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE state NOT IN (2, 5)"), 0);
}

TEST(whatever_was_answered_is_there_after_a_kill)
{
	unsigned char *heard = calloc(1, MESSAGES_MAX);
	struct hand *h = hand_new();
	struct failure f;

	srandom(7);
	for (int round = 0; round < ROUNDS; round++) {
		hand_close(h);
		loop_free(h->loop);
		run_child(h, (int)(random() % ANSWERS_MAX), heard);
		h->loop = loop_new();
		expect_ok(hand_open(h, &f), &f);
		if (round % 10 == 9 || round == ROUNDS - 1)
			expect_heard(h, heard);
	}
	free(heard);
	hand_free(h);
}

RUN_TESTS()
