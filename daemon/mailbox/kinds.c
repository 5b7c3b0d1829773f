/* mailbox/kinds.c - the kinds of mailbox there are, and thin names over their table. */
#include <string.h>

#include "mailbox/imap_mailbox.h"
#include "mailbox/mailbox.h"
#include "mailbox/maildir.h"
#include "mailbox/twilio_mailbox.h"

static const struct mailbox_kind *const kinds[] = {
	&mailbox_imap,
	&mailbox_maildir,
	&mailbox_twilio,
	NULL,
};

const struct mailbox_kind *mailbox_kind_find(const char *name)
{
	for (const struct mailbox_kind *const *kind = kinds; *kind; kind++)
		if (strcmp((*kind)->name, name) == 0)
			return *kind;
	return NULL;
}
