/* rules/ending.c - decides what is said of a run's end, and how much of what it printed. */
#include "rules/ending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "duration.h"
#include "run_wire.h"
#include "text.h"

#define SHORT_OUTPUT 300
#define SHORT_COMMAND 60
#define LONG_COMMAND 8000

/* ---- the output ---- */

static size_t character_len(const char *at, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (text_is_utf8(at, n))
			return n;
	return 0;
}

/* Any octets to lines of UTF-8. */
static void add_printable(struct buf *out, const char *bytes, size_t len)
{
	while (len) {
		size_t n = character_len(bytes, len);
		bool control = n == 1 && (unsigned char)*bytes < ' ' && !strchr("\n\t", *bytes);

		if (n && !control && *bytes != 0x7f)
			buf_add(out, bytes, n);
		else if (*bytes != '\r')
			buf_add(out, "?", 1);
		bytes += n ? n : 1;
		len -= n ? n : 1;
	}
}

/* Which of it is told, where that is not all: a head, and the end behind it. The runner
 * may have cut out a middle, at head_len. */
static void choose(const struct run_result *r, size_t *ret_head, size_t *ret_tail)
{
	bool was_cut = r->output_total > r->output_len && r->head_len < r->output_len;
	size_t head = was_cut ? r->head_len : r->output_len;
	size_t tail = was_cut ? r->output_len - r->head_len : 0;

	if (r->output_len > ENDING_ATTACHED) {
		if (!was_cut)
			tail = r->output_len / 2;
		head = head < ENDING_ATTACHED / 2 ? head : ENDING_ATTACHED / 2;
		tail = tail < ENDING_ATTACHED - head ? tail : ENDING_ATTACHED - head;
	}
	*ret_head = head;
	*ret_tail = tail;
}

static void take_output(struct ending *e, const struct run_result *r)
{
	size_t head, tail;
	struct buf out;

	e->printed = r->output_total > r->output_len ? r->output_total : r->output_len;
	choose(r, &head, &tail);
	e->kept = head + tail;
	buf_init(&out, ENDING_ATTACHED + 200);
	add_printable(&out, r->output ? r->output : "", head);
	if (e->printed > e->kept) {
		buf_printf(&out, "\n[... %llu octets were not kept ...]\n",
			   (unsigned long long)(e->printed - e->kept));
		add_printable(&out, r->output + r->output_len - tail, tail);
	}
	e->output = buf_take(&out, &e->len);
	buf_clear(&out);
}

/* ---- the sentence ---- */

static const char *took(char *out, size_t size, const struct run_result *r)
{
	int64_t ms = r->ended_ms > r->started_ms ? r->ended_ms - r->started_ms : 0;

	return duration_print(out, size, ms);
}

static enum run_state state_of(const struct run_result *r)
{
	switch (r->end) {
	case RUN_END_EXITED:
		return r->code == 0 ? RUN_DONE : RUN_FAILED;
	case RUN_END_REFUSED:
		return RUN_REFUSED;
	case RUN_END_LOST:
	case RUN_END_UNKNOWN:
	case RUN_END_RUNNING:
		return RUN_INTERRUPTED;
	case RUN_END_SIGNALED:
	case RUN_END_TIMED_OUT:
	case RUN_END_KILLED:
		break;
	}
	return RUN_FAILED;
}

static void say(struct ending *e, const struct run_result *r)
{
	char time[40];
	const char *after = took(time, sizeof(time), r);
	char *out = e->sentence;
	size_t size = sizeof(e->sentence);

	switch (r->end) {
	case RUN_END_EXITED:
		if (r->code == 0)
			snprintf(out, size, "It ended well after %s.", after);
		else
			snprintf(out, size, "It ended with status %d after %s.", r->code, after);
		return;
	case RUN_END_SIGNALED:
		snprintf(out, size, "It was ended by signal %d (%s) after %s.", r->code,
			 strsignal(r->code), after);
		return;
	case RUN_END_TIMED_OUT:
		snprintf(out, size, "It took longer than it may, and was ended after %s.", after);
		return;
	case RUN_END_KILLED:
		snprintf(out, size, "It was ended by hand after %s.", after);
		return;
	case RUN_END_REFUSED:
		snprintf(out, size, "It was not run: %s.", r->reason ? r->reason : "");
		return;
	case RUN_END_LOST:
		snprintf(out, size,
			 "It was interrupted: the runner ended while it ran. It is not "
			 "repeated.");
		return;
	case RUN_END_UNKNOWN:
	case RUN_END_RUNNING:
		snprintf(out, size,
			 "It was interrupted, maybe before it began. It is not "
			 "repeated.");
		return;
	}
}

void ending_of(struct ending *e, const struct run_result *result)
{
	*e = (struct ending){.state = state_of(result), .code = result->code};
	say(e, result);
	take_output(e, result);
}

void ending_clear(struct ending *e)
{
	free(e->output);
	*e = (struct ending){0};
}

/* ---- the report ---- */

bool ending_is_long(const struct ending *e)
{
	return e->len > ENDING_INLINE;
}

/* On a character, and if there is one near on a line. */
static size_t head_of(const char *text, size_t max)
{
	size_t n = max;

	while (n > max / 2 && text[n - 1] != '\n')
		n--;
	if (n > max / 2)
		return n;
	for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static size_t tail_of(const char *text, size_t len, size_t max)
{
	size_t from = len - max;

	for (size_t i = from; i < from + max / 2; i++)
		if (text[i - 1] == '\n')
			return i;
	while (from < len && ((unsigned char)text[from] & 0xc0) == 0x80)
		from++;
	return from;
}

static void add_long(struct buf *out, const struct ending *e)
{
	size_t head = head_of(e->output, ENDING_INLINE / 2);
	size_t tail = tail_of(e->output, e->len, ENDING_INLINE / 2);
	char size[40];

	buf_add(out, e->output, head);
	buf_printf(out, "\n[... %s left out here; all that was kept is attached ...]\n\n",
		   size_print(size, sizeof(size), tail - head));
	buf_add(out, e->output + tail, e->len - tail);
}

char *ending_text(const struct ending *e, const char *command)
{
	struct buf out;

	buf_init(&out, ENDING_INLINE + 16 * 1024);
	if (*command)
		buf_printf(&out, "%.*s\n\n",
			   (int)text_whole(command, strnlen(command, LONG_COMMAND)), command);
	buf_printf(&out, "%s\n", e->sentence);
	if (e->len)
		buf_add_text(&out, "\n");
	if (ending_is_long(e))
		add_long(&out, e);
	else
		buf_add(&out, e->output, e->len);
	if (e->len && buf_bytes(&out)[out.len - 1] != '\n')
		buf_add_text(&out, "\n");
	return buf_take(&out, NULL);
}

char *ending_short_text(const struct ending *e, const char *command)
{
	char what[SHORT_COMMAND], output[SHORT_OUTPUT];

	text_safe_line(what, sizeof(what), command, strlen(command));
	text_safe_line(output, sizeof(output), e->output, e->len);
	return xprintf("%s: %s%s%s", *what ? what : "run", e->sentence, e->len ? " " : "", output);
}
