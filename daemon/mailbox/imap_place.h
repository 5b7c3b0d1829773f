/* mailbox/imap_place.h - how far a folder was read, and what that makes of a mail; as a
 * cursor "UIDVALIDITY LAST NEWEST @HOME", and while a folder whose UIDVALIDITY changed is
 * gone through, "UIDVALIDITY LAST NEWEST UNTIL BARRIER @HOME". Those of old versions have
 * no home. Pure. */
#ifndef NUNCIO_MAILBOX_IMAP_PLACE_H
#define NUNCIO_MAILBOX_IMAP_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct imap_config;

#define IMAP_CURSOR_SIZE 96

struct imap_place {
	bool known;         /* false: the folder was never seen */
	uint64_t home;      /* which folder it is, of whom, and where; 0: not known */
	uint32_t validity;  /* UIDVALIDITY */
	uint32_t last;      /* UIDs up to it need no more attention */
	int64_t newest_s;   /* the latest INTERNALDATE of them */
	uint32_t until;     /* up to this UID a mail may be an old one under a new name; 0: none */
	int64_t barrier_s;  /* newest_s when UIDVALIDITY changed */
	bool moved;         /* since it was last told */
	bool out;           /* a mail was handed over and is being looked at */
	uint32_t out_uid;   /* 0: of a folder that is no more */
	int64_t out_date_s; /* its INTERNALDATE */
	uint32_t refused_uid; /* of a mail the server did not give, so often in a row: */
	unsigned refusals;
	uint32_t wary;   /* up to this UID, mails are asked for one by one */
	uint32_t passed; /* UIDs up to it need nothing, once what is out is done; 0: none */
};

/* Of server, user and folder, never 0: many a server gives all of its folders the same
 * UIDVALIDITY, so that this alone tells one from another. */
uint64_t imap_home(const struct imap_config *config);

/* NULL, nonsense, or of another home: never seen. */
void imap_place_parse(struct imap_place *p, const char *cursor, uint64_t home);
char *imap_place_print(char out[IMAP_CURSOR_SIZE], const struct imap_place *p);

/* The folder was selected, and next is its UIDNEXT; 0: not told. One that went back is a
 * folder restored from a backup: its UIDs are given anew. */
void imap_place_select(struct imap_place *p, uint32_t validity, uint32_t next, int64_t now_s);
bool imap_place_is_ahead(const struct imap_place *p, uint32_t next); /* of this UIDNEXT */
/* UIDs above it have not been looked at. */
uint32_t imap_place_floor(const struct imap_place *p);
/* All up to uid were looked at and are not handed over. */
void imap_place_pass(struct imap_place *p, uint32_t uid);

enum imap_verdict { IMAP_MAIL_NEW, IMAP_MAIL_STALE, IMAP_MAIL_OLD };
enum imap_verdict imap_place_judge(const struct imap_place *p, uint32_t uid, int64_t date_s);
void imap_place_hand(struct imap_place *p, uint32_t uid, int64_t date_s);
void imap_place_next(struct imap_place *p); /* what is out is done */
/* The server refused the mail, or the conversation ended at it, when all up to asked were
 * asked for. How often in a row, with this one. */
unsigned imap_place_refused(struct imap_place *p, uint32_t uid, uint32_t asked);
#endif
