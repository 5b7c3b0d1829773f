/* mailbox/mailbox.c - thin names over the table of mailbox.h. */
#include "mailbox/mailbox.h"

#include "config/mailbox_config.h"
#include "failure.h"

/* What each kind's own struct begins with. */
struct head {
	const struct mailbox_kind *kind;
};

static const struct mailbox_kind *kind_of(const struct mailbox *m)
{
	return ((const struct head *)m)->kind;
}

const char *mailbox_state_name(enum mailbox_state state)
{
	static const char *const names[] = {
		[MAILBOX_CONNECTING] = "connecting",
		[MAILBOX_WATCHING] = "watching",
		[MAILBOX_POLLING] = "polling",
		[MAILBOX_DOWN] = "down",
	};

	return names[state];
}

int mailbox_open(const struct mailbox_env *env, const struct mailbox_config *config,
		 const char *cursor, struct mailbox **ret, struct failure *f)
{
	const struct mailbox_kind *kind = mailbox_kind_find(config->type);

	if (!kind)
		return failure_set(f, FAILURE_SETUP, "no mailbox is of the type '%s'",
				   config->type);
	return kind->open(env, config, cursor, ret, f);
}

void mailbox_next(struct mailbox *m)
{
	kind_of(m)->next(m);
}

void mailbox_deed(struct mailbox *m, enum deed_on_mail deed, const char *ref, const char *target,
		  mailbox_done_fn *done, void *ctx)
{
	kind_of(m)->deed(m, deed, ref, target, done, ctx);
}

void mailbox_fetch(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx)
{
	kind_of(m)->fetch(m, ref, done, ctx);
}

void mailbox_status(const struct mailbox *m, struct mailbox_status *ret)
{
	kind_of(m)->status(m, ret);
}

void mailbox_close(struct mailbox *m)
{
	if (m)
		kind_of(m)->close(m);
}
