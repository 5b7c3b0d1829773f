/* tests/talk/imap_stage.h - a mailbox of the kind `imap` before a scripted server
 * (talk.h). What it says is written down, a line each:
 *
 *   connecting / watching / polling / down: REASON
 *   mail REF at SECONDS: SUBJECT [of SIZE] [cut] [stale], after CURSOR
 *   cursor CURSOR
 *   done: ok, or KIND: TEXT
 *   fetched REF: SUBJECT, or nothing
 *
 * where REF and CURSOR are without the mailbox's home. */
#ifndef NUNCIO_TESTS_IMAP_STAGE_H
#define NUNCIO_TESTS_IMAP_STAGE_H
#include "buf.h"
#include "config/mailbox_config.h"
#include "mailbox/mailbox.h"
#include "talk.h"

/* Logged in before a word was said; nothing is new; what the server can do. */
#define IMAP_INSIDE(caps)                                                                          \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 " caps "] hello\r\n" IMAP_CAPS(1, caps)
#define IMAP_CAPS(n, caps)                                                                         \
	"C: A" #n " CAPABILITY\r\nS: * CAPABILITY IMAP4rev1 " caps "\r\nS: A" #n " OK done\r\n"
#define IMAP_SELECTED(n, exists, validity, next)                                                   \
	"C: A" #n " SELECT \"INBOX\"\r\nS: * " #exists " EXISTS\r\n"                               \
	"S: * OK [UIDVALIDITY " #validity "] valid\r\nS: * OK [UIDNEXT " #next "] next\r\n"        \
	"S: A" #n " OK [READ-WRITE] selected\r\n"
#define IMAP_SEARCHED(n, from, uids)                                                               \
	"C: A" #n " UID SEARCH UID " #from ":*\r\nS: * SEARCH" uids "\r\nS: A" #n " OK done\r\n"
#define IMAP_IDLES(n) "C: A" #n " IDLE\r\nS: + idling\r\n"
#define IMAP_ITEMS "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.65536>)"
/* A mail of 14 bytes with a subject of one letter; day: of January 2026. */
#define IMAP_MAIL(seq, uid, day, letter)                                                           \
	"S: * " #seq " FETCH (UID " #uid " RFC822.SIZE 14 INTERNALDATE \"" day                     \
	"-Jan-2026 00:00:00 +0000\" BODY[]<0> {14}\r\nS: Subject: " letter "\r\nS: \r\nS: )\r\n"

struct imap_stage {
	struct loop *loop;
	struct resolver *resolver;
	struct talk *talk;
	struct mailbox_config config;
	struct mailbox *mailbox; /* owned */
	struct buf said;
	const char *wanted;
	bool seen;
	bool holds;   /* does not say mailbox_next() by itself */
	bool closes;  /* closes the mailbox in its first mail */
	char ref[64]; /* of the last mail, whole */
};
void stage_begin(struct imap_stage *s, const char *script, const struct talk_options *options);
void stage_login(struct imap_stage *s, enum tls_mode tls);    /* "box" "s3cret" */
void stage_open(struct imap_stage *s, const char *cursor);    /* one of this mailbox */
void stage_open_at(struct imap_stage *s, const char *cursor); /* as it is */
void stage_until(struct imap_stage *s, const char *part);     /* of what it says */
void stage_settle(struct imap_stage *s);                      /* what can happen now has happened */
void stage_deed(struct imap_stage *s, enum deed_on_mail deed, const char *ref, const char *target);
void stage_fetch(struct imap_stage *s, const char *ref);
/* All was spoken, and this was said, after what was forgotten. */
void stage_said(struct imap_stage *s, const char *want);
void stage_end(struct imap_stage *s);
#endif
