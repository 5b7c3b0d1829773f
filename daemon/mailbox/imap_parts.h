/* mailbox/imap_parts.h - what the files of one IMAP conversation share. imap.c: its life
 * and its steps; imap_login.c: from the greeting to being logged in; imap_folder.c: the
 * folder, and resting in it; imap_news.c: new mail; imap_deed.c: what becomes of mails.
 * What they do for each other is in imap_steps.h. */
#ifndef NUNCIO_MAILBOX_IMAP_PARTS_H
#define NUNCIO_MAILBOX_IMAP_PARTS_H
#include "base/loop.h"
#include "failure.h"
#include "log.h"
#include "mailbox/imap.h"
#include "mailbox/imap_deeds.h"
#include "mailbox/imap_mail.h"
#include "mailbox/imap_place.h"
#include "mailbox/imap_say.h"
#include "mailbox/imap_wire.h"

#define IMAP_AUTH_SIZE 256
#define IMAP_PAGE 256    /* UIDs known at a time */
#define IMAP_FRESH_MAX 8 /* mails in memory */

enum imap_step {
	STEP_CONNECT,
	STEP_GREETING,
	STEP_CAPABILITY,
	STEP_STARTTLS,
	STEP_SECURE,
	STEP_LOGIN,
	STEP_INSIDE, /* CAPABILITY once more */
	STEP_ID,
	STEP_ENABLE,
	STEP_SELECT,
	STEP_HIGHEST,
	STEP_SEARCH,
	STEP_DATES,
	STEP_NEWEST,
	STEP_FETCH,
	STEP_REST_OF_MAIL,
	STEP_FIND,
	STEP_COPY,
	STEP_MOVE,
	STEP_MARK,
	STEP_EXPUNGE,
	STEP_READ,
	STEP_NOOP,
	STEP_PAUSE,
	STEP_IDLE_ASKED,
	STEP_IDLE,
	STEP_ENDED,
};

enum imap_cap { /* beyond config's enum imap_extension */
		CAP_STARTTLS = 1 << 16,
		CAP_LOGINDISABLED = 1 << 17,
		CAP_LITERAL_MINUS = 1 << 18,
		CAP_UTF8 = 1 << 19,
		CAP_LIST_EXTENDED = 1 << 20,
};

/* New mail: UIDs that a search found, then mails that were read, both ascending. */
struct imap_news {
	uint32_t *uids;      /* owned, of nuids; NULL when there is none */
	size_t nuids, asked; /* asked: so many of them were asked for */
	uint32_t page_end;   /* all up to here is in uids, fresh or handed over; 0: no page */
	bool undated;        /* uids must be told by date first */
	bool more;           /* the search found more than uids holds */
	bool due;            /* there may be new mail */
	bool single, blamed; /* one at a time: several were refused; place knows why it ends */
	uint32_t grew;       /* by so many, EXISTS said since */
	struct imap_mail fresh[IMAP_FRESH_MAX];
	size_t nfresh;
	enum imap_want want_before; /* of fresh[0], when its rest was asked for */
};

struct imap_login;
struct imap {
	struct imap_options options;
	const struct imap_config *config; /* from config */
	const struct imap_events *events;
	void *ctx;
	struct log log;
	struct line *line; /* owned; NULL once ended */
	struct imap_parser parser;
	enum imap_step step;
	unsigned caps; /* of enum imap_cap and imap_extension */
	bool caps_known;
	char auth[IMAP_AUTH_SIZE]; /* "PLAIN XOAUTH2" */
	struct imap_login *login;  /* owned, during it */
	struct imap_command out;
	size_t stop;            /* of out's stops, which is next */
	bool sent;              /* all of out was */
	unsigned tag, idle_tag; /* idle_tag: an IDLE whose end is not told yet; 0: none */
	bool utf8, read_only, selected;
	uint32_t validity, uidnext, exists;
	struct imap_news news;
	struct imap_deed *deed; /* owned; under way */
	char *folder;           /* owned: where it is moved to, on the wire; NULL: not known */
	bool no_idle;           /* refused, or it ends at once */
	unsigned short_idles;
	int64_t idle_since_ms; /* mono */
	int64_t heard_ms;
	struct task report;
	bool tell_up;
	struct failure why;
};

/* imap.c */
void imap_step_to(struct imap *m, enum imap_step next);
void imap_end(struct imap *m, enum failure_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* It ends by an answer that was not the one hoped for. */
void imap_end_reply(struct imap *m, enum failure_kind kind, const char *what,
		    const struct imap_reply *reply);
bool imap_is_passing(const struct imap_reply *reply); /* NO, for reasons that go away */
bool imap_can(const struct imap *m, unsigned cap);
/* Begins a command in m->out with a tag; what follows is added there. */
void imap_begin(struct imap *m, const char *text);
void imap_say(struct imap *m); /* ends and sends it */
void imap_say_simple(struct imap *m, const char *text);
void imap_go_on(struct imap *m); /* nothing is under way: what is next? */
#endif
