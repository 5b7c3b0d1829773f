/* mailbox/imap_news.c - new mail: found by UID, never by count; read a few at a time;
 * handed over one by one in the order of their UIDs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "config/mailbox_config.h"
#include "mailbox/imap_steps.h"
#include "text.h"

#define NEWEST_MAX 8 /* more new ones are searched for first */
#define REFUSALS_MAX 3
#define ENDS_MAX 10 /* of conversations at one mail, and refusals that may pass */
#define DAY_S (24 * 60 * 60)

void imap_news_clear(struct imap_news *n)
{
	for (size_t i = 0; i < n->nfresh; i++)
		imap_mail_clear(&n->fresh[i]);
	free(n->uids);
	*n = (struct imap_news){.uids = NULL};
}

static void drop_uids(struct imap_news *n, size_t count)
{
	n->nuids -= count;
	memmove(n->uids, n->uids + count, n->nuids * sizeof(*n->uids));
	if (n->nuids == 0)
		free(TAKE(n->uids));
}

/* --- UIDs --- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, without doubles, the lowest of them. */
static void settle_uids(struct imap_news *n)
{
	size_t kept = 0;

	if (n->nuids == 0)
		return;
	qsort(n->uids, n->nuids, sizeof(*n->uids), compare);
	for (size_t i = 0; i < n->nuids; i++)
		if (i == 0 || n->uids[i] != n->uids[kept - 1])
			n->uids[kept++] = n->uids[i];
	n->more |= kept > IMAP_PAGE;
	n->nuids = kept > IMAP_PAGE ? IMAP_PAGE : kept;
}

static void found(struct imap_news *n, uint32_t uid)
{
	if (!n->uids)
		n->uids = xcalloc((size_t)2 * IMAP_PAGE, sizeof(*n->uids));
	if (n->nuids == (size_t)2 * IMAP_PAGE)
		settle_uids(n);
	n->uids[n->nuids++] = uid;
}

static void hear_found(struct imap *m, const struct imap_reply *reply)
{
	uint32_t floor = imap_place_floor(m->options.place), uid;
	const char *at = reply->words;

	while (imap_next_uid(&at, &uid)) {
		if (m->step == STEP_HIGHEST)
			m->uidnext = uid >= m->uidnext ? uid + 1 : m->uidnext;
		else if (uid > floor) /* "n:*" always names the last */
			found(&m->news, uid);
	}
}

/* --- what is next --- */

/* The page at hand is done: all up to its end is. */
static void end_page(struct imap *m)
{
	struct imap_news *n = &m->news;

	if (n->page_end)
		imap_place_pass(m->options.place, n->page_end);
	n->page_end = 0;
	n->more = false;
}

bool imap_news_begin(struct imap *m)
{
	struct imap_news *n = &m->news;

	if (n->nfresh > 0 && n->fresh[0].want != IMAP_WANT_NOTHING) {
		imap_step_to(m, STEP_REST_OF_MAIL);
		return true;
	}
	if (n->nfresh > 0)
		return false;
	if (n->nuids > 0) {
		imap_step_to(m, n->undated ? STEP_DATES : STEP_FETCH);
		return true;
	}
	n->due |= n->more;
	end_page(m);
	if (!n->due && !m->options.place->until)
		return false;
	imap_step_to(m, STEP_SEARCH);
	return true;
}

/* What comes is counted against fresh: that stays as it is until all is here. */
static bool is_reading(const struct imap *m)
{
	return m->step == STEP_NEWEST || m->step == STEP_FETCH || m->step == STEP_REST_OF_MAIL;
}

bool imap_news_hand(struct imap *m, struct imap_mail *ret)
{
	struct imap_news *n = &m->news;

	if (n->nfresh == 0 || n->fresh[0].want != IMAP_WANT_NOTHING || m->options.place->out ||
	    is_reading(m))
		return false;
	*ret = n->fresh[0];
	n->nfresh--;
	memmove(n->fresh, n->fresh + 1, n->nfresh * sizeof(*n->fresh));
	/* the next ones are read while it is looked at */
	if (m->step == STEP_PAUSE && (n->nfresh > 0 || n->nuids > 0))
		imap_news_begin(m);
	return true;
}

/* --- searching --- */

void imap_say_highest(struct imap *m)
{
	imap_say_simple(m, "UID SEARCH UID *");
}

void imap_say_search(struct imap *m)
{
	const struct imap_place *place = m->options.place;
	uint32_t floor = imap_place_floor(place);
	char since[32];
	struct tm day;
	time_t then = (time_t)place->barrier_s - 2L * DAY_S;

	imap_begin(m, "UID SEARCH ");
	if (place->until) {
		/* days are the server's; what is found is told by date */
		strftime(since, sizeof(since), "%d-%b-%Y", gmtime_r(&then, &day));
		buf_printf(&m->out.bytes, "UID %u:%u SINCE %s", (unsigned)floor + 1,
			   (unsigned)place->until, since);
	} else {
		buf_printf(&m->out.bytes, "UID %u:*", (unsigned)floor + 1);
		m->news.due = false;
		m->news.grew = 0;
	}
	m->news.undated = place->until != 0;
	m->news.single = false;
	imap_say(m);
}

static void searched(struct imap *m)
{
	struct imap_news *n = &m->news;

	settle_uids(n);
	if (n->undated)
		n->page_end = n->more ? n->uids[n->nuids - 1] : m->options.place->until;
	imap_go_on(m);
}

void imap_hear_search(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK) {
		imap_end_reply(m, FAILURE_LATER, "UID SEARCH", reply);
	} else if (m->step == STEP_SEARCH) {
		searched(m);
	} else if (m->uidnext == 0) {
		imap_end(m, FAILURE_LATER, "the server does not say where its mails end");
	} else {
		imap_hear_select(m, &(struct imap_reply){.status = IMAP_OK,
							 .code = m->read_only ? "READ-ONLY" : ""});
	}
}

/* Those not given are gone. */
static bool is_answered(const struct imap_reply *reply)
{
	return reply->status == IMAP_OK || text_equal_nocase(reply->code, "EXPUNGEISSUED");
}

/* --- telling old ones by date --- */

void imap_say_dates(struct imap *m)
{
	imap_begin(m, "UID FETCH ");
	m->news.asked = imap_add_uids(&m->out, m->news.uids, m->news.nuids);
	buf_add_text(&m->out.bytes, " (UID INTERNALDATE)");
	imap_say(m);
}

static void hear_date(struct imap *m, const struct imap_reply *reply)
{
	const struct imap_place *place = m->options.place;
	struct imap_news *n = &m->news;

	if (imap_place_judge(place, reply->uid, reply->date_s) != IMAP_MAIL_OLD)
		return;
	for (size_t i = 0; i < n->asked; i++)
		if (n->uids[i] == reply->uid)
			n->uids[i] = 0;
}

void imap_hear_dates(struct imap *m, const struct imap_reply *reply)
{
	struct imap_news *n = &m->news;
	size_t kept = 0;

	if (!is_answered(reply)) {
		imap_end_reply(m, FAILURE_LATER, "UID FETCH", reply);
		return;
	}
	for (size_t i = 0; i < n->nuids; i++)
		if (n->uids[i])
			n->uids[kept++] = n->uids[i];
	n->nuids = kept;
	n->undated = false;
	drop_uids(n, 0);
	imap_go_on(m);
}

/* --- reading --- */

static void add_fresh(struct imap *m, const struct imap_reply *reply)
{
	struct imap_news *n = &m->news;
	struct imap_mail mail = {.uid = 0};
	size_t at = n->nfresh;

	for (size_t i = 0; i < n->nfresh; i++)
		if (n->fresh[i].uid == reply->uid)
			return;
	if (!imap_mail_hear(&mail, reply, &m->parser, m->options.max_mail_bytes))
		return;
	while (at > 0 && n->fresh[at - 1].uid > mail.uid)
		at--;
	memmove(n->fresh + at + 1, n->fresh + at, (n->nfresh - at) * sizeof(*n->fresh));
	n->fresh[at] = mail;
	n->nfresh++;
}

static bool was_asked(const struct imap_news *n, uint32_t uid)
{
	for (size_t i = 0; i < n->asked; i++)
		if (n->uids[i] == uid)
			return true;
	return false;
}

/* More than there is room for are searched for: those kept are the lowest. */
static void add_newest(struct imap *m, const struct imap_reply *reply)
{
	struct imap_news *n = &m->news;

	if (n->nfresh == IMAP_FRESH_MAX) {
		n->due = true;
		if (reply->uid > n->fresh[IMAP_FRESH_MAX - 1].uid)
			return;
		imap_mail_clear(&n->fresh[--n->nfresh]);
	}
	add_fresh(m, reply);
}

static void hear_mail(struct imap *m, const struct imap_reply *reply)
{
	struct imap_news *n = &m->news;

	if (m->step == STEP_REST_OF_MAIL && reply->uid == n->fresh[0].uid)
		imap_mail_hear(&n->fresh[0], reply, &m->parser, m->options.max_mail_bytes);
	else if (m->step == STEP_FETCH && was_asked(n, reply->uid))
		add_fresh(m, reply);
	else if (m->step != STEP_NEWEST || reply->uid <= imap_place_floor(m->options.place))
		return;
	else
		add_newest(m, reply);
}

void imap_news_data(struct imap *m, const struct imap_reply *reply)
{
	if (reply->kind == IMAP_SEARCH && (m->step == STEP_SEARCH || m->step == STEP_HIGHEST))
		hear_found(m, reply);
	else if (reply->kind == IMAP_FETCH && m->step == STEP_DATES)
		hear_date(m, reply);
	else if (reply->kind == IMAP_FETCH)
		hear_mail(m, reply);
}

static void say_items(struct imap *m, enum imap_want want)
{
	buf_add_text(&m->out.bytes, " ");
	imap_parser_allow(&m->parser,
			  imap_mail_ask(&m->out.bytes, want, m->options.max_mail_bytes));
	imap_say(m);
}

/* Just after EXISTS: what is new, without a search. */
bool imap_news_newest(struct imap *m)
{
	const struct imap_news *n = &m->news;

	if (!n->due || n->grew == 0 || n->grew > NEWEST_MAX || n->nuids || n->nfresh || n->more ||
	    m->options.place->until)
		return false;
	imap_step_to(m, STEP_NEWEST);
	return true;
}

void imap_say_newest(struct imap *m)
{
	m->news.due = false;
	m->news.grew = 0;
	imap_begin(m, "UID FETCH ");
	buf_printf(&m->out.bytes, "%u:*", (unsigned)imap_place_floor(m->options.place) + 1);
	say_items(m, IMAP_WANT_PIECE);
}

void imap_hear_newest(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status == IMAP_BAD) {
		imap_end_reply(m, FAILURE_LATER, "UID FETCH", reply);
		return;
	}
	if (reply->status == IMAP_NO) {
		for (size_t i = 0; i < m->news.nfresh; i++)
			imap_mail_clear(&m->news.fresh[i]);
		m->news.nfresh = 0;
		m->news.due = true;
		m->news.grew = 0;
	}
	imap_go_on(m);
}

void imap_say_fetch(struct imap *m)
{
	struct imap_news *n = &m->news;

	n->asked = n->nuids < IMAP_FRESH_MAX ? n->nuids : IMAP_FRESH_MAX;
	if (n->single || n->uids[0] <= m->options.place->wary)
		n->asked = 1;
	imap_begin(m, "UID FETCH ");
	imap_add_uids(&m->out, n->uids, n->asked);
	say_items(m, IMAP_WANT_PIECE);
}

void imap_say_rest_of_mail(struct imap *m)
{
	const struct imap_mail *mail = &m->news.fresh[0];

	m->news.want_before = mail->want;
	imap_begin(m, "UID FETCH ");
	buf_printf(&m->out.bytes, "%u", (unsigned)mail->uid);
	say_items(m, mail->want);
}

/* The server has a mail and can't give it. Later it may; in the end the others go on. */
static bool gives_up(struct imap *m, uint32_t uid, uint32_t asked, unsigned most)
{
	if (imap_place_refused(m->options.place, uid, asked) < most)
		return false;
	log_warn(&m->log, "the server can't read the mail with UID %u: it is passed over",
		 (unsigned)uid);
	imap_place_pass(m->options.place, uid);
	return true;
}

static void hear_refusal(struct imap *m, uint32_t uid, const struct imap_reply *reply)
{
	bool passes = reply->status == IMAP_BAD || imap_is_passing(reply);

	m->news.blamed = true;
	if (!gives_up(m, uid, uid, passes ? ENDS_MAX : REFUSALS_MAX)) {
		imap_end_reply(m, FAILURE_LATER, "a mail can't be read", reply);
		return;
	}
	m->news.blamed = false;
	if (m->step == STEP_FETCH) {
		drop_uids(&m->news, 1);
	} else {
		imap_mail_clear(&m->news.fresh[0]);
		m->news.nfresh--;
		memmove(m->news.fresh, m->news.fresh + 1, m->news.nfresh * sizeof(*m->news.fresh));
	}
	imap_go_on(m);
}

static size_t count_given(const struct imap_news *n)
{
	size_t given = 0;

	while (given < n->nfresh && n->fresh[given].uid == n->uids[given])
		given++;
	return given;
}

/* A mail that the server stumbles over ends each conversation anew. */
void imap_news_ended(struct imap *m)
{
	struct imap_news *n = &m->news;
	size_t given;

	if (n->blamed)
		return;
	if (m->step == STEP_REST_OF_MAIL) {
		gives_up(m, n->fresh[0].uid, n->fresh[0].uid, ENDS_MAX);
	} else if (m->step == STEP_FETCH) {
		given = count_given(n);
		gives_up(m, n->uids[given < n->asked ? given : n->asked - 1], n->uids[n->asked - 1],
			 ENDS_MAX);
	}
}

/* Some were given, the first that was not is asked for alone. */
static void keep_prefix(struct imap_news *n)
{
	size_t given = count_given(n);

	for (size_t i = given; i < n->nfresh; i++)
		imap_mail_clear(&n->fresh[i]);
	n->nfresh = given;
	n->single = true;
	drop_uids(n, given);
}

static void hear_rest(struct imap *m, const struct imap_reply *reply, enum imap_want before)
{
	struct imap_news *n = &m->news;

	if (!is_answered(reply)) {
		hear_refusal(m, n->fresh[0].uid, reply);
		return;
	}
	if (n->fresh[0].want == before) { /* it went away meanwhile */
		imap_mail_clear(&n->fresh[0]);
		n->nfresh--;
		memmove(n->fresh, n->fresh + 1, n->nfresh * sizeof(*n->fresh));
	}
	imap_go_on(m);
}

void imap_hear_fetch(struct imap *m, const struct imap_reply *reply)
{
	struct imap_news *n = &m->news;

	if (m->step == STEP_REST_OF_MAIL) {
		hear_rest(m, reply, n->want_before);
		return;
	}
	if (is_answered(reply)) {
		drop_uids(n, n->asked);
		imap_go_on(m);
	} else if (n->asked == 1 && n->nfresh == 0) {
		hear_refusal(m, n->uids[0], reply);
	} else {
		keep_prefix(n);
		imap_go_on(m);
	}
}
