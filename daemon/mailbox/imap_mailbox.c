/* mailbox/imap_mailbox.c - a folder on an IMAP server as a mailbox: what outlives its
 * connections (how far it was read, what is to be done) and how they follow each other. */
#include "mailbox/imap_mailbox.h"

#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "config/mailbox_config.h"
#include "mailbox/imap.h"
#include "mailbox/imap_deeds.h"
#include "mailbox/imap_mail.h"
#include "mailbox/imap_place.h"
#include "mailbox/imap_tls.h"
#include "mailbox/watcher.h"
#include "net/tls.h"

struct mailbox {
	const struct mailbox_kind *kind;
	struct mailbox_env env;
	const struct mailbox_config *config; /* from config */
	struct log log;
	struct imap_tls *tls; /* held; NULL: none is wanted */
	struct imap_place place;
	struct imap_deeds deeds;
	struct watcher watcher;
	struct imap *imap; /* owned; NULL while it rests */
	int64_t heard_ms, newest_ms;
	uint64_t mails;
};

/* The last thing its caller does. */
static void tell_state(struct mailbox *m, const struct failure *why)
{
	m->env.events->state(m->env.events_ctx, m->watcher.state, why);
}

static void imap_up(void *ctx, bool idles)
{
	struct mailbox *m = ctx;

	watcher_up(&m->watcher, idles);
	tell_state(m, NULL);
}

static void imap_mail_came(void *ctx, const struct imap_mail *mail, bool stale)
{
	struct mailbox *m = ctx;
	struct imap_place after = m->place;
	char ref[IMAP_REF_SIZE], cursor[IMAP_CURSOR_SIZE];

	imap_place_next(&after);
	m->mails++;
	m->newest_ms = clock_wall_ms();
	m->env.events->mail(
		m->env.events_ctx,
		&(struct mail){
			.ref = imap_ref_print(ref, m->place.home, m->place.validity, mail->uid),
			.cursor = imap_place_print(cursor, &after),
			.received_ms = mail->date_s * 1000,
			.size = mail->size,
			.bytes = mail->bytes,
			.len = mail->len,
			.cut = mail->cut,
			.stale = stale,
		});
}

static void imap_stands(void *ctx)
{
	struct mailbox *m = ctx;
	char cursor[IMAP_CURSOR_SIZE];

	m->env.events->cursor(m->env.events_ctx, imap_place_print(cursor, &m->place));
}

static void drop(struct mailbox *m)
{
	if (m->imap && imap_heard_ms(m->imap))
		m->heard_ms = imap_heard_ms(m->imap);
	imap_free(TAKE(m->imap));
}

static void imap_ended(void *ctx, const struct failure *why)
{
	struct mailbox *m = ctx;
	struct failure copy = *why, left = *why;

	drop(m);
	/* whatever it was, nobody said no to the deeds */
	left.kind = FAILURE_LATER;
	imap_deeds_fail(&m->deeds, &left);
	watcher_down(&m->watcher, &copy);
	tell_state(m, &copy);
}

static const struct imap_events events = {
	.up = imap_up,
	.mail = imap_mail_came,
	.stands = imap_stands,
	.ended = imap_ended,
};

static void begin(void *ctx)
{
	struct mailbox *m = ctx;
	const struct imap_options options = {
		.loop = m->env.loop,
		.resolver = m->env.resolver,
		.config = &m->config->imap,
		.name = m->config->name,
		.tls = imap_tls(m->tls),
		.max_mail_bytes = m->config->max_mail_bytes,
		.place = &m->place,
		.deeds = &m->deeds,
	};

	drop(m);
	m->imap = imap_new(&options, &events, m);
	watcher_connecting(&m->watcher);
	tell_state(m, NULL);
}

static void imap_close(struct mailbox *m)
{
	watcher_clear(&m->watcher);
	drop(m);
	imap_deeds_clear(&m->deeds);
	imap_tls_put(m->tls);
	free(m);
}

static int imap_open(const struct mailbox_env *env, const struct mailbox_config *config,
		     const char *cursor, struct mailbox **ret, struct failure *f)
{
	const struct tls_options tls = {.ca_file = config->imap.ca_file, .pin = config->imap.pin};
	struct imap_tls *shared = NULL;
	struct mailbox *m;

	if (config->imap.tls != TLS_NONE && imap_tls_get(&tls, &shared, f) < 0)
		return failure_wrap(f, "mailbox %s", config->name);
	m = xcalloc(1, sizeof(*m));
	m->kind = &mailbox_imap;
	m->env = *env;
	m->config = config;
	m->tls = shared;
	log_init(&m->log, "mailbox %s", config->name);
	imap_place_parse(&m->place, cursor, imap_home(&config->imap));
	if (cursor && !m->place.known)
		log_info(&m->log, "it lies elsewhere now: it begins with what comes from now on");
	imap_deeds_init(&m->deeds, env->loop);
	watcher_init(&m->watcher, env->loop, &m->log, begin, m);
	*ret = m;
	return 0;
}

static void imap_next(struct mailbox *m)
{
	imap_place_next(&m->place);
	if (m->imap)
		imap_poke(m->imap);
}

/* There is a new deed. While it rests there is nobody to do it. */
static void deed_is_there(struct mailbox *m)
{
	struct failure why = {FAILURE_LATER, "the mailbox is down"};

	if (m->watcher.state == MAILBOX_DOWN)
		imap_deeds_fail(&m->deeds, &why);
	else if (m->imap)
		imap_poke(m->imap);
}

static void imap_do(struct mailbox *m, enum deed_on_mail what, const char *ref, const char *target,
		    mailbox_done_fn *done, void *ctx)
{
	struct imap_deed *deed = imap_deeds_add(&m->deeds, ref, target, ctx);

	deed->deed = what;
	deed->done = done;
	deed_is_there(m);
}

static void imap_fetch(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx)
{
	struct imap_deed *deed = imap_deeds_add(&m->deeds, ref, NULL, ctx);

	deed->fetch = true;
	deed->fetched = done;
	deed_is_there(m);
}

static void imap_status(const struct mailbox *m, struct mailbox_status *ret)
{
	int64_t heard_ms = m->imap ? imap_heard_ms(m->imap) : 0;

	*ret = (struct mailbox_status){
		.name = m->config->name,
		.type = mailbox_imap.name,
		.state = m->watcher.state,
		.reason = m->watcher.why.text,
		.since_ms = m->watcher.since_ms,
		.next_try_ms = m->watcher.next_try_ms,
		.heard_ms = heard_ms ? heard_ms : m->heard_ms,
		.newest_ms = m->newest_ms,
		.failures = m->watcher.failures,
		.mails = m->mails,
		.reconnects = m->watcher.reconnects,
	};
}

const struct mailbox_kind mailbox_imap = {
	.name = "imap",
	.open = imap_open,
	.next = imap_next,
	.deed = imap_do,
	.fetch = imap_fetch,
	.status = imap_status,
	.close = imap_close,
};
