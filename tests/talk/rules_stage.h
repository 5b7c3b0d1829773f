/* tests/talk/rules_stage.h - a daemon's rules, queue and store (house.h) with one mailbox
 * before a scripted IMAP server (talk.h) and a runner that runs nothing and says that
 * all ended well. Mails go into a Maildir in the state directory. */
#ifndef NUNCIO_TESTS_RULES_STAGE_H
#define NUNCIO_TESTS_RULES_STAGE_H
#include "base/loop.h"
#include "buf.h"
#include "house.h"
#include "talk.h"
#include "varlink.h"

#define STAGE_PEERS 64
#define STAGE_RUNS 64

struct rules_stage;
struct stage_peer {
	struct rules_stage *stage;
	int fd; /* -1: none */
	struct watch watch;
	struct buf in;
	struct varlink_framer framer;
	bool waits; /* for a run's end */
};
struct rules_stage {
	struct house house;
	struct talk *talk;
	char *rules, *more; /* owned; as given */
	int listening;
	struct watch knock;
	struct stage_peer peers[STAGE_PEERS];
	char runs[STAGE_RUNS][65]; /* ids that were begun, each once, of nruns */
	size_t nruns;
	bool holds;    /* no run ends */
	size_t nbegun; /* how often one was: more, when one was begun again */
};
/* script "": there is no such mailbox. rules: rows of `rules`. more: rows of `mailboxes` behind that of the script, "inbox"; @ in
 * it is the folder. */
void rules_open(struct rules_stage *s, const char *script, const char *rules, const char *more);
/* Another configuration: inbox false: without the script's mailbox. */
void rules_change(struct rules_stage *s, const char *rules, bool inbox);
void rules_until_watched(struct rules_stage *s); /* all mailboxes are up */
void rules_flush(struct rules_stage *s);         /* what the store was given is answered */
/* Until so many mails are in the outbox whose subject begins so. */
void rules_until_told(struct rules_stage *s, const char *subject, unsigned count);
unsigned rules_told(const struct rules_stage *s, const char *subject);
/* What stands behind "key: " in the mail that asks; the caller's. */
char *rules_code(const struct rules_stage *s);
void rules_let_go(struct rules_stage *s); /* holds no more */
void rules_drop(const struct rules_stage *s, const char *folder, const char *mail);
/* All was spoken; nothing is left to do with any mail. */
void rules_settled(struct rules_stage *s);
void rules_end(struct rules_stage *s);

#define STAGE_SIZE "61"
/* As a server gives it: its number, its UID, LETTER of its command. */
#define STAGE_MAIL(seq, uid, letter)                                                               \
	"S: * " #seq " FETCH (UID " #uid " RFC822.SIZE " STAGE_SIZE " INTERNALDATE \"@DATE@\" "    \
	"BODY[]<0> {" STAGE_SIZE "}\r\nS: From: me@example.org\r\nS: Message-ID: <" letter         \
	"@x>\r\nS: Subject: count " letter "\r\nS: \r\nS: )\r\n"
#endif
