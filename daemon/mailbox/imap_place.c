/* mailbox/imap_place.c - decides what a new UIDVALIDITY means: every mail has a new name,
 * and by its date alone it is told whether it was here before. */
#include "mailbox/imap_place.h"

#include <inttypes.h>
#include <stdio.h>

void imap_place_parse(struct imap_place *p, const char *cursor)
{
	uint32_t validity = 0, last = 0, until = 0;
	int64_t newest_s = 0, barrier_s = 0;
	int n = 0;

	*p = (struct imap_place){.known = false};
	if (cursor)
		n = sscanf(cursor, "%" SCNu32 " %" SCNu32 " %" SCNd64 " %" SCNu32 " %" SCNd64,
			   &validity, &last, &newest_s, &until, &barrier_s);
	if (n != 3 && n != 5)
		return;
	*p = (struct imap_place){.known = true,
				 .validity = validity,
				 .last = last,
				 .newest_s = newest_s,
				 .until = until > last ? until : 0,
				 .barrier_s = barrier_s};
}

char *imap_place_print(char out[IMAP_CURSOR_SIZE], const struct imap_place *p)
{
	int n = snprintf(out, IMAP_CURSOR_SIZE, "%" PRIu32 " %" PRIu32 " %" PRId64, p->validity,
			 p->last, p->newest_s);

	if (p->until)
		snprintf(out + n, IMAP_CURSOR_SIZE - (size_t)n, " %" PRIu32 " %" PRId64, p->until,
			 p->barrier_s);
	return out;
}

void imap_place_select(struct imap_place *p, uint32_t validity, uint32_t next, int64_t now_s)
{
	if (p->known && p->validity == validity)
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
	p->passed = 0;
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
