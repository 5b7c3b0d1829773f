/* transport/smtp_wait.c - how long an answer is waited for: from when our own words have
 * left, for the server can't answer to what has not reached it. */
#include "config/config.h"
#include "net/line.h"
#include "transport/smtp_parts.h"

/* Fewer that leave in a whole wait are no progress. */
#define PROGRESS_BYTES 1024

void smtp_await(struct smtp_session *s, int64_t ms)
{
	/* The server may be delivering all this time: who goes too early brings it again. */
	int64_t ceiling = s->step == STEP_DOT ? 0 : s->config->answer_timeout_ms;

	s->wait_ms = ceiling > 0 && ceiling < ms ? ceiling : ms;
	s->untaken = line_untaken(s->line);
	line_wait(s->line, s->wait_ms);
}

bool smtp_await_more(struct smtp_session *s)
{
	size_t left = line_untaken(s->line);

	if (s->untaken < left + PROGRESS_BYTES)
		return false;
	s->untaken = left;
	line_wait(s->line, s->wait_ms);
	return true;
}
