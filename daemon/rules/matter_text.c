/* rules/matter_text.c - decides what is special about a text that came: the list it is from
 * repeats itself, so it is looked at once; and some words are said to the provider, who
 * answers them: no rule hears them. */
#include <string.h>

#include "failure.h"
#include "log.h"
#include "queue/store_inbound.h"
#include "rules/matter_room.h"
#include "text.h"

enum word { WORD_NONE, WORD_STOP, WORD_START, WORD_HELP };

static const struct {
	const char *text;
	enum word is;
} words[] = {
	/* clang-format off */
	{ "STOP", WORD_STOP },        { "STOPALL", WORD_STOP }, { "UNSUBSCRIBE", WORD_STOP },
	{ "CANCEL", WORD_STOP },      { "END", WORD_STOP },     { "QUIT", WORD_STOP },
	{ "REVOKE", WORD_STOP },      { "OPTOUT", WORD_STOP },
	{ "START", WORD_START },      { "YES", WORD_START },    { "UNSTOP", WORD_START },
	{ "HELP", WORD_HELP },        { "INFO", WORD_HELP },
	/* clang-format on */
};

/* It is all that the text says, in whatever case. */
static enum word word_of(const char *command)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (text_equal_nocase(command, words[i].text))
			return words[i].is;
	return WORD_NONE;
}

void matter_add_place(struct matter *m, struct batch *batch)
{
	batch_cursor(batch, m->own.origin, m->cursor);
	if (m->own.in.is_text)
		batch_took_text(batch, m->own.origin, m->own.ref, m->own.in.received_ms);
}

/* ---- nothing more comes of it ---- */

static void kept(void *ctx, const struct batch_result *result)
{
	struct matter *m = ctx;

	if (m->engine->stopped)
		return;
	if (result->status == BATCH_FAILED) {
		matter_again(m, matter_end, result->why);
		return;
	}
	m->cursor_kept = true;
	matter_end(m);
}

static void commit(struct matter *m, struct batch *batch)
{
	matter_add_place(m, batch);
	store_commit(m->engine->store, batch, kept, m);
}

bool matter_is_to_be_kept(struct matter *m)
{
	if (!m->own.in.is_text || m->cursor_kept || m->engine->stopped)
		return false;
	commit(m, batch_new());
	return true;
}

/* ---- the words ---- */

static void obey_word(struct matter *m)
{
	enum word word = word_of(m->own.command.text);
	const char *number = m->own.in.from;
	struct batch *batch = batch_new();
	char safe[40];

	text_safe_line(safe, sizeof(safe), number, strlen(number));
	if (word == WORD_STOP) {
		batch_stop_texts(batch, number, m->own.in.received_ms,
				 "a text from there said STOP");
		log_info(&m->engine->log, "%s wants no more texts, says a text to %s", safe,
			 m->own.origin);
	} else if (word == WORD_START) {
		batch_start_texts(batch, number, m->own.in.received_ms);
		log_info(&m->engine->log, "%s wants texts again, says a text to %s", safe,
			 m->own.origin);
	}
	commit(m, batch);
}

/* ---- the beginning ---- */

static void known(void *ctx, bool is_known, const struct failure *why)
{
	struct matter *m = ctx;

	if (m->engine->stopped)
		return;
	if (why) {
		matter_again(m, matter_begin_text, why);
	} else if (is_known) {
		m->cursor_kept = true;
		matter_end(m);
	} else if (word_of(m->own.command.text) != WORD_NONE) {
		obey_word(m);
	} else if (!matter_answers(m)) {
		matter_walk(m);
	}
}

void matter_begin_text(struct matter *m)
{
	store_knows_text(m->engine->store, m->own.origin, m->own.ref, known, m);
}
