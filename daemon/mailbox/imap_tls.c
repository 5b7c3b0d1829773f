/* mailbox/imap_tls.c - keeps settings as long as somebody has them. */
#include "mailbox/imap_tls.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "net/tls.h"

struct imap_tls {
	char *ca_file, *pin; /* owned, or NULL */
	struct tls *tls;     /* owned */
	unsigned holders;
	struct imap_tls *next, **link;
};
static struct imap_tls *all; /* by .next */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int imap_tls_get(const struct tls_options *options, struct imap_tls **ret, struct failure *f)
{
	struct imap_tls *s;
	struct tls *tls;

	for (s = all; s; s = s->next)
		if (same(s->ca_file, options->ca_file) && same(s->pin, options->pin)) {
			s->holders++;
			*ret = s;
			return 0;
		}
	if (tls_new(options, &tls, f) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->ca_file = options->ca_file ? xstrdup(options->ca_file) : NULL;
	s->pin = options->pin ? xstrdup(options->pin) : NULL;
	s->tls = tls;
	s->holders = 1;
	s->next = all;
	s->link = &all;
	if (all)
		all->link = &s->next;
	all = *ret = s;
	return 0;
}

struct tls *imap_tls(struct imap_tls *shared)
{
	return shared ? shared->tls : NULL;
}

void imap_tls_put(struct imap_tls *shared)
{
	if (!shared || --shared->holders > 0)
		return;
	*shared->link = shared->next;
	if (shared->next)
		shared->next->link = shared->link;
	tls_free(shared->tls);
	free(shared->ca_file);
	free(shared->pin);
	free(shared);
}
