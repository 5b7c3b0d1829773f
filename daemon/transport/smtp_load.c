/* transport/smtp_load.c - keeps which recipients wait for a transaction, are in one,
 * or are settled, so that each is settled once and the parcel finished after the last. */
#include "transport/smtp_load.h"

#include <stdlib.h>

#include "alloc.h"
#include "failure.h"
#include "transport/smtp_outcome.h"
#include "transport/transport.h"

struct smtp_load *smtp_load_new(const struct transport_env *env, struct parcel *parcel)
{
	struct smtp_load *l = xcalloc(1, sizeof(*l));

	l->env = env;
	l->parcel = parcel;
	l->places = xcalloc(parcel->nrecipients, sizeof(*l->places));
	l->unsettled = parcel->nrecipients;
	return l;
}

void smtp_load_free(struct smtp_load *l)
{
	if (!l)
		return;
	free(l->places);
	free(l);
}

bool smtp_load_waits(const struct smtp_load *l)
{
	for (size_t i = 0; i < l->parcel->nrecipients; i++)
		if (l->places[i] == SMTP_WAITING)
			return true;
	return false;
}

void smtp_load_settle(struct smtp_load *l, size_t recipient, const struct outcome *o)
{
	if (l->places[recipient] == SMTP_SETTLED)
		return;
	l->places[recipient] = SMTP_SETTLED;
	l->unsettled--;
	l->env->host->settle(l->env->host_ctx, l->parcel, recipient, o);
}

void smtp_load_settle_waiting(struct smtp_load *l, const struct outcome *o)
{
	for (size_t i = 0; i < l->parcel->nrecipients; i++)
		if (l->places[i] == SMTP_WAITING)
			smtp_load_settle(l, i, o);
}

void smtp_load_give_back(struct smtp_load *l, const struct failure *why, bool tried)
{
	struct outcome o;

	smtp_outcome_own(&o, OUTCOME_UNTOUCHED, 0, "", "%s", why->text);
	o.tried = tried;
	for (size_t i = 0; i < l->parcel->nrecipients; i++)
		smtp_load_settle(l, i, &o);
	smtp_load_finish(l);
}

void smtp_load_finish(struct smtp_load *l)
{
	if (l->unsettled > 0)
		return;
	l->env->host->finished(l->env->host_ctx, l->parcel);
	smtp_load_free(l);
}
