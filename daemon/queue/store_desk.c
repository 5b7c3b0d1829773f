/* queue/store_desk.c - decides what becomes of a run that is known, a proof that was
 * used, and how long either is remembered. */
#include "queue/store_desk.h"

#include <sqlite3.h>

#include "clock.h"
#include "queue/store_inbound.h"

#define DAY_MS INT64_C(86400000)
/* A command may come again as long as a mail may travel or lie about. */
#define IDENTITY_MS (30 * DAY_MS)
#define FORGET_ROWS 500

/* Why it was not put: 1, and the older run with the same identity, if it is that. */
static int find_same(struct writer *w, const struct run_row *run, struct batch_result *ret)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_FIND_RUN, "t", run->identity);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got < 0)
		return -1;
	if (got == 0)
		return 1;
	*ret = (struct batch_result){.status = BATCH_RUN_SAME, .run = sqlite3_column_int64(row, 0)};
	sql_done(row);
	return 1;
}

static int64_t came_to_state_ms(const struct run_row *run)
{
	if (run->ended_ms)
		return run->ended_ms;
	return run->started_ms ? run->started_ms : clock_wall_ms();
}

static int put_run(struct writer *w, const struct run_row *run, struct batch_result *ret)
{
	if (sql_run(w->sql, SQL_PUT_RUN, "ttttttttiiiiiit", run->token, run->rule, run->origin,
		    run->ref, run->contact, run->identity, run->command, run->plan,
		    (int64_t)run->state, run->started_ms, run->ended_ms, run->expires_ms,
		    came_to_state_ms(run), (int64_t)run->code, run->text) < 0)
		return -1;
	if (sql_changes(w->sql) == 0)
		return find_same(w, run, ret);
	ret->run = sql_last_id(w->sql);
	return 0;
}

static int change_run(struct writer *w, const struct run_change *c)
{
	if (sql_run(w->sql, SQL_CHANGE_RUN, "iiiiitt", c->id, (int64_t)c->from, (int64_t)c->to,
		    c->at_ms, (int64_t)c->code, c->text, c->plan) < 0)
		return -1;
	return sql_changes(w->sql) == 0;
}

static int use_proof(struct writer *w, const struct op *op, struct batch_result *ret)
{
	if (sql_run(w->sql, SQL_USE_PROOF, "ttti", op->proof.contact, op->proof.kind,
		    op->proof.value, op->proof.forget_ms) < 0)
		return -1;
	if (sql_changes(w->sql))
		return 0;
	*ret = (struct batch_result){.status = BATCH_PROOF_USED};
	return 1;
}

static int took_text(struct writer *w, const struct op *op)
{
	if (sql_run(w->sql, SQL_TOOK_TEXT, "tti", op->text.origin, op->text.ref, op->text.at_ms) <
	    0)
		return -1;
	return sql_changes(w->sql) == 0;
}

static int clear(struct writer *w, int64_t at_ms)
{
	static const char text[] = "under way when the queue was saved";

	if (sql_run(w->sql, SQL_CLEAR_CURSORS, "") < 0 ||
	    sql_run(w->sql, SQL_CLEAR_DISPOSALS, "") < 0 ||
	    sql_run(w->sql, SQL_CLEAR_STARTED, "it", at_ms, text) < 0)
		return -1;
	return sql_run(w->sql, SQL_CLEAR_ASKED, "i", at_ms);
}

int desk_write(struct writer *w, const struct op *op, struct batch_result *ret)
{
	const struct disposal_row *d = &op->disposal;

	if (op->kind == OP_PUT_RUN)
		return put_run(w, &op->run, ret);
	if (op->kind == OP_CHANGE_RUN)
		return change_run(w, &op->run_change);
	if (op->kind == OP_USE_PROOF)
		return use_proof(w, op, ret);
	if (op->kind == OP_CURSOR)
		return sql_run(w->sql, SQL_PUT_CURSOR, "tt", op->cursor.mailbox, op->cursor.cursor);
	if (op->kind == OP_DISPOSE)
		return sql_run(w->sql, SQL_DISPOSE, "ttit", d->mailbox, d->ref, (int64_t)d->deed,
			       d->target);
	if (op->kind == OP_DISPOSED)
		return sql_run(w->sql, SQL_DISPOSED, "i", d->id);
	if (op->kind == OP_STRIKE)
		return sql_run(w->sql, SQL_STRIKE, "tti", op->strike.contact, op->strike.channel,
			       op->strike.at_ms);
	if (op->kind == OP_TOOK_TEXT)
		return took_text(w, op);
	if (op->kind == OP_STOP_TEXTS)
		return sql_run(w->sql, SQL_STOP_TEXTS, "tit", op->text.origin, op->text.at_ms,
			       op->text.why);
	if (op->kind == OP_START_TEXTS)
		return sql_run(w->sql, SQL_START_TEXTS, "ti", op->text.origin, op->text.at_ms);
	return clear(w, op->cleared_ms);
}

static int forget(struct writer *w, enum statement which, int64_t before_ms, bool *more)
{
	if (sql_run(w->sql, which, "ii", before_ms, (int64_t)FORGET_ROWS) < 0)
		return -1;
	*more |= sql_changes(w->sql) == FORGET_ROWS;
	return 0;
}

int desk_sweep(struct writer *w, int64_t now_ms, int64_t forget_before_ms, bool *more)
{
	int64_t known_ms = now_ms - IDENTITY_MS;

	if (known_ms > forget_before_ms)
		known_ms = forget_before_ms;
	if (sql_run(w->sql, SQL_EXPIRE_RUNS, "i", now_ms) < 0 ||
	    forget(w, SQL_FORGET_RUNS, forget_before_ms, more) < 0 ||
	    forget(w, SQL_FORGET_KNOWN_RUNS, known_ms, more) < 0 ||
	    forget(w, SQL_FORGET_PROOFS, now_ms, more) < 0 ||
	    forget(w, SQL_FORGET_TEXTS, now_ms - STORE_TEXT_KNOWN_MS, more) < 0 ||
	    forget(w, SQL_FORGET_LIFTED, now_ms - STORE_TEXT_KNOWN_MS, more) < 0)
		return -1;
	return forget(w, SQL_FORGET_STRIKES, now_ms - DAY_MS, more);
}
