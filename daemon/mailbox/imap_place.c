/* mailbox/imap_place.c - decides what a new UIDVALIDITY means, or UIDs that begin anew:
 * every mail has a new name, and by its date alone it is told whether it was here before. */
#include "mailbox/imap_place.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/mailbox_config.h"

/* FNV-1a; each text with its NUL: "a" "bc" is not "ab" "c". */
static uint64_t add_text(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return sum;
}

uint64_t imap_home(const struct imap_config *config)
{
	char host[256], port[8];
	size_t len = 0;
	uint64_t sum;

	for (; config->host[len] && len < sizeof(host) - 1; len++)
		host[len] = (char)tolower((unsigned char)config->host[len]);
	host[len] = '\0';
	snprintf(port, sizeof(port), "%u", (unsigned)config->port);
	sum = add_text(0xcbf29ce484222325, host);
	sum = add_text(add_text(sum, port), config->user);
	sum = add_text(sum, config->folder);
	return sum ? sum : 1;
}

static uint64_t home_of(const char *cursor)
{
	const char *at = strchr(cursor, '@');
	uint64_t home = 0;

	if (at && sscanf(at, "@%16" SCNx64, &home) != 1)
		home = 0;
	return home;
}

void imap_place_parse(struct imap_place *p, const char *cursor, uint64_t home)
{
	uint64_t its_home = cursor ? home_of(cursor) : 0;
	uint32_t validity = 0, last = 0, until = 0;
	int64_t newest_s = 0, barrier_s = 0;
	int n = 0;

	*p = (struct imap_place){.home = home};
	if (cursor && (!its_home || its_home == home))
		n = sscanf(cursor, "%" SCNu32 " %" SCNu32 " %" SCNd64 " %" SCNu32 " %" SCNd64,
			   &validity, &last, &newest_s, &until, &barrier_s);
	if (n != 3 && n != 5)
		return;
	*p = (struct imap_place){.known = true,
				 .home = home,
				 .validity = validity,
				 .last = last,
				 .newest_s = newest_s,
				 .until = until > last ? until : 0,
				 .barrier_s = barrier_s,
				 .moved = home != its_home};
}

char *imap_place_print(char out[IMAP_CURSOR_SIZE], const struct imap_place *p)
{
	int n = snprintf(out, IMAP_CURSOR_SIZE, "%" PRIu32 " %" PRIu32 " %" PRId64, p->validity,
			 p->last, p->newest_s);

	if (p->until)
		n += snprintf(out + n, IMAP_CURSOR_SIZE - (size_t)n, " %" PRIu32 " %" PRId64,
			      p->until, p->barrier_s);
	if (p->home)
		snprintf(out + n, IMAP_CURSOR_SIZE - (size_t)n, " @%" PRIx64, p->home);
	return out;
}

bool imap_place_is_ahead(const struct imap_place *p, uint32_t next)
{
	return next && imap_place_floor(p) > next - 1;
}

void imap_place_select(struct imap_place *p, uint32_t validity, uint32_t next, int64_t now_s)
{
	if (p->known && p->validity == validity && !imap_place_is_ahead(p, next))
		return;
	if (!p->known) {
		p->last = next - 1;
		p->newest_s = now_s;
	} else {
		/* what is out was seen, too */
		if (p->out && p->out_date_s > p->newest_s)
			p->newest_s = p->out_date_s;
		/* changed once more before all was gone through: the first barrier holds */
		if (!p->until)
			p->barrier_s = p->newest_s;
		p->last = 0;
		p->until = next - 1;
		p->out_uid = 0;
	}
	p->known = p->moved = true;
	p->validity = validity;
	p->passed = p->refused_uid = p->wary = 0;
}

uint32_t imap_place_floor(const struct imap_place *p)
{
	uint32_t floor = p->last;

	if (p->out && p->out_uid > floor)
		floor = p->out_uid;
	return p->passed > floor ? p->passed : floor;
}

static void advance(struct imap_place *p, uint32_t uid)
{
	if (uid > p->last)
		p->last = uid;
	if (p->until && p->last >= p->until) {
		p->until = 0;
		p->barrier_s = 0;
	}
}

void imap_place_pass(struct imap_place *p, uint32_t uid)
{
	if (uid <= imap_place_floor(p))
		return;
	p->moved = true;
	if (p->out)
		p->passed = uid;
	else
		advance(p, uid);
}

enum imap_verdict imap_place_judge(const struct imap_place *p, uint32_t uid, int64_t date_s)
{
	if (uid > p->until || date_s > p->barrier_s)
		return IMAP_MAIL_NEW;
	/* in the same second, or without a date, it may be either */
	return date_s == 0 || date_s == p->barrier_s ? IMAP_MAIL_STALE : IMAP_MAIL_OLD;
}

void imap_place_hand(struct imap_place *p, uint32_t uid, int64_t date_s)
{
	p->out = true;
	p->out_uid = uid;
	p->out_date_s = date_s;
}

void imap_place_next(struct imap_place *p)
{
	uint32_t passed = p->passed;

	if (!p->out)
		return;
	p->out = false;
	p->passed = 0;
	if (p->out_uid == 0)
		return;
	if (p->out_date_s > p->newest_s)
		p->newest_s = p->out_date_s;
	advance(p, passed > p->out_uid ? passed : p->out_uid);
}

unsigned imap_place_refused(struct imap_place *p, uint32_t uid, uint32_t asked)
{
	p->refusals = p->refused_uid == uid ? p->refusals + 1 : 1;
	p->refused_uid = uid;
	if (asked > p->wary)
		p->wary = asked;
	return p->refusals;
}
