/* mailbox/imap_folder.c - the folder is selected, and rested in: by IDLE (RFC 2177), or
 * where there is none by asking now and then. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config/mailbox_config.h"
#include "mailbox/imap_steps.h"
#include "net/line.h"
#include "text.h"

#define PAUSE_MS 1000 /* a mail is being looked at: something will be asked for soon */
/* However much the server says: it may log out who idles for 30 min (RFC 2177 3) */
#define IDLE_MOST_MS (28 * 60 * 1000)
#define IDLE_LEAST_MS 1000 /* a server that ends IDLE so soon, again and again, has none */
#define SHORT_IDLES_MAX 3

void imap_folder_begin(struct imap *m)
{
	if (imap_can(m, IMAP_EXT_ID))
		imap_step_to(m, STEP_ID);
	else
		imap_hear_id(m, NULL);
}

void imap_say_id(struct imap *m)
{
	imap_say_simple(m, "ID (\"name\" \"nuncio\")");
}

/* Whatever it says to that. */
void imap_hear_id(struct imap *m, const struct imap_reply *reply)
{
	if (imap_can(m, IMAP_EXT_ENABLE) && imap_can(m, CAP_UTF8))
		imap_step_to(m, STEP_ENABLE);
	else
		imap_step_to(m, STEP_SELECT);
}

/* Mails with UTF-8 in their header (RFC 6855) come as they are. */
void imap_say_enable(struct imap *m)
{
	imap_say_simple(m, "ENABLE UTF8=ACCEPT");
}

void imap_hear_enable(struct imap *m, const struct imap_reply *reply)
{
	imap_step_to(m, STEP_SELECT);
}

void imap_say_select(struct imap *m)
{
	m->validity = m->uidnext = m->exists = 0;
	m->read_only = false;
	imap_begin(m, "SELECT ");
	if (imap_add_folder(&m->out, m->config->folder, m->utf8) < 0)
		imap_end(m, FAILURE_SETUP, "the folder's name can't be said");
	else
		imap_say(m);
}

void imap_folder_data(struct imap *m, const struct imap_reply *reply)
{
	const char *at = reply->code_text;
	uint32_t n;

	if (reply->kind == IMAP_ENABLED) {
		m->utf8 |= strcasestr(reply->words, "UTF8=ACCEPT") != NULL;
		return;
	}
	if (reply->kind != IMAP_STATUS || reply->status != IMAP_OK || !imap_next_uid(&at, &n))
		return;
	if (text_equal_nocase(reply->code, "UIDNEXT"))
		m->uidnext = n;
	if (!text_equal_nocase(reply->code, "UIDVALIDITY"))
		return;
	if (m->selected && m->validity != n)
		imap_end(m, FAILURE_LATER, "the folder's UIDVALIDITY changed");
	m->validity = n;
}

/* The folder is there, and so is where its next mail would be. */
static void selected(struct imap *m)
{
	imap_place_select(m->options.place, m->validity, m->uidnext, clock_wall_ms() / 1000);
	m->selected = m->tell_up = true;
	m->news.due = true;
	imap_go_on(m);
}

static bool was_seen(const struct imap *m)
{
	return m->options.place->known && m->options.place->validity == m->validity;
}

/* A UIDNEXT that went back is not believed alone. */
static bool needs_highest(const struct imap *m)
{
	if (m->step == STEP_HIGHEST || m->exists == 0)
		return false;
	return was_seen(m) ? imap_place_is_ahead(m->options.place, m->uidnext) : m->uidnext == 0;
}

void imap_hear_select(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK) {
		imap_end_reply(m, reply->status == IMAP_NO ? FAILURE_SETUP : FAILURE_LATER,
			       m->config->folder, reply);
	} else if (m->validity == 0) {
		imap_end(m, FAILURE_SETUP, "%s has no UIDVALIDITY: mails can't be told apart",
			 m->config->folder);
	} else {
		m->read_only = text_equal_nocase(reply->code, "READ-ONLY");
		if (m->uidnext == 0 && m->exists == 0 && !was_seen(m))
			m->uidnext = 1;
		if (needs_highest(m))
			imap_step_to(m, STEP_HIGHEST);
		else
			selected(m);
	}
}

/* --- resting --- */

bool imap_idles(const struct imap *m)
{
	return imap_can(m, IMAP_EXT_IDLE) && !m->no_idle;
}

void imap_rest(struct imap *m)
{
	if (imap_idles(m) && !m->options.place->out && !m->news.nfresh)
		imap_step_to(m, STEP_IDLE_ASKED);
	else
		imap_step_to(m, STEP_PAUSE);
}

void imap_say_pause(struct imap *m)
{
	line_wait(m->line, imap_idles(m) ? PAUSE_MS : m->config->poll_ms);
}

/* Is there something now? Else a mail is looked at for long, or it is time to ask. */
void imap_pause_late(struct imap *m)
{
	if (imap_deed_begin(m) || imap_news_begin(m))
		return;
	imap_step_to(m, imap_idles(m) ? STEP_IDLE_ASKED : STEP_NOOP);
}

/* Something may have changed. */
void imap_pause_poke(struct imap *m)
{
	if (imap_deed_begin(m) || imap_news_begin(m))
		return;
	if (imap_idles(m) && !m->options.place->out && !m->news.nfresh)
		imap_step_to(m, STEP_IDLE_ASKED);
}

void imap_say_noop(struct imap *m)
{
	m->news.due = true;
	imap_say_simple(m, "NOOP");
}

void imap_hear_noop(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		imap_end_reply(m, FAILURE_LATER, "NOOP", reply);
	else
		imap_go_on(m);
}

void imap_say_idle(struct imap *m)
{
	imap_say_simple(m, "IDLE");
}

void imap_hear_idle_asked(struct imap *m, const struct imap_reply *reply)
{
	if (reply->kind == IMAP_GO_ON) {
		m->idle_since_ms = clock_mono_ms();
		imap_step_to(m, STEP_IDLE);
		/* what came to be said while it was asked for */
		if (m->options.deeds->waiting)
			imap_idle_leave(m);
		return;
	}
	/* OK would be an IDLE that ended at once */
	m->no_idle = true;
	m->tell_up = true;
	m->news.due = true;
	log_info(&m->log, "IDLE is refused: asks every %lld s instead",
		 (long long)m->config->poll_ms / 1000);
	imap_go_on(m);
}

/* From the last bytes on, but not for ever. */
void imap_idle_wait(struct imap *m)
{
	int64_t left_ms = m->idle_since_ms + IDLE_MOST_MS - clock_mono_ms();

	if (left_ms > m->config->idle_ms)
		left_ms = m->config->idle_ms;
	line_wait(m->line, left_ms > 0 ? left_ms : 1);
}

/* The server ended it. */
void imap_hear_idle(struct imap *m, const struct imap_reply *reply)
{
	if (clock_mono_ms() - m->idle_since_ms > IDLE_LEAST_MS)
		m->short_idles = 0;
	else if (++m->short_idles >= SHORT_IDLES_MAX)
		m->no_idle = m->tell_up = true;
	m->news.due = true;
	imap_go_on(m);
}

/* DONE and what follows leave in one flight: a mail is here one round trip after it was
 * announced. When there is nothing else, it is looked for mail: not all servers tell. */
void imap_idle_leave(struct imap *m)
{
	line_write(m->line, "DONE\r\n", 6);
	m->idle_tag = m->tag;
	m->short_idles = 0;
	if (imap_news_newest(m) || imap_deed_begin(m))
		return;
	if (!m->news.nuids && !m->news.nfresh)
		m->news.due = true;
	if (!imap_news_begin(m))
		imap_step_to(m, STEP_NOOP);
}
