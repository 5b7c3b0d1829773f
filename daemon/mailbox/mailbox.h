/* mailbox/mailbox.h - a way in: hands over each new mail, one at a time, and does
 * with it what it is told. It neither reads mails (message/parse.h) nor knows what they
 * mean (rules/), and never sees the store: where it is, its cursor, is text to others. */
#ifndef NUNCIO_MAILBOX_MAILBOX_H
#define NUNCIO_MAILBOX_MAILBOX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct failure;
struct loop;
struct mailbox;
struct mailbox_config;
struct resolver;

/* What is of a text message; its mail's bytes are none. */
struct mail_text {
	const char *from, *body; /* as the provider has the number; UTF-8 */
	const struct mail_attachment {
		const char *name, *bytes;
		size_t len;
	} * attachments;
	size_t nattachments;
};
/* A mail, or a text message. Lives only during the call. */
struct mail {
	const char *ref;     /* what it is called in this mailbox from now on: one line */
	const char *cursor;  /* where the mailbox is once this mail needs nothing more */
	int64_t received_ms; /* when it came: INTERNALDATE, a file's mtime; wall */
	uint64_t size;
	const char *bytes; /* RFC 5322, as it came */
	size_t len;
	bool cut; /* larger than max_mail_bytes: bytes is its header alone, if so much; of a
		   * text: not all that came with it is here */
	const struct mail_text *text; /* NULL: a mail */
	bool stale; /* it may have been here before (UIDVALIDITY changed, RFC 3501 2.3.1.1): nothing in it
		     * may be run */
};

enum mailbox_state {
	MAILBOX_CONNECTING, /* the first time, or again */
	MAILBOX_WATCHING,   /* hears of new mail at once */
	MAILBOX_POLLING,    /* asks now and then: there is no IDLE */
	MAILBOX_DOWN,       /* rests until next_try_ms */
};
struct mailbox_status {
	const char *name, *type;
	enum mailbox_state state;
	const char *reason;  /* why it is down, or "" */
	int64_t since_ms;    /* of the state; wall */
	int64_t next_try_ms; /* wall; 0: none */
	int64_t heard_ms;    /* when its server last said anything; wall; 0: never */
	int64_t newest_ms;   /* when the last mail was handed over; wall; 0: never */
	unsigned failures;   /* in a row */
	uint64_t mails;      /* handed over since start */
	uint64_t reconnects; /* since start */
};
const char *
mailbox_state_name(enum mailbox_state state); /* "connecting" "watching" "polling" "down" */

/* All come straight from the loop, never from inside a mailbox_ call. mailbox_close()
 * is safe in them. */
struct mailbox_events {
	/* The next mail; no other comes before mailbox_next(). */
	void (*mail)(void *ctx, const struct mail *mail);
	/* Nothing waits, and the mailbox stands at cursor, which may be kept: the first time,
	 * after UIDVALIDITY changed, when mails went away unseen. */
	void (*cursor)(void *ctx, const char *cursor);
	/* Its state changed; why: with MAILBOX_DOWN. up again: disposals may be tried anew. */
	void (*state)(void *ctx, enum mailbox_state state, const struct failure *why);
};

/* What becomes of a mail. FLAG adds target ("seen", "flagged", "answered", or a keyword). */
enum deed_on_mail { MAIL_FLAG, MAIL_MOVE, MAIL_DELETE };
/* why NULL: done, or the mail is there no more. LATER: not now (try when it is up
 * again); REFUSED: the server says no (no such folder, no rights). Once, later. */
typedef void mailbox_done_fn(void *ctx, const struct failure *why);
/* mail NULL with why NULL: it is gone. */
typedef void mailbox_fetched_fn(void *ctx, const struct mail *mail, const struct failure *why);

struct mailbox_env {
	struct loop *loop;
	struct resolver *resolver;
	const struct mailbox_events *events;
	void *events_ctx;
	/* A secret that must first be fetched; see secret_ref.h. */
};

struct mailbox_kind {
	const char *name; /* config's `type` */
	/* Begins at once; comes back by events. cursor: what was kept of it, or NULL: never
	 * seen before, then it begins with what comes from now on. config outlives it. */
	int (*open)(const struct mailbox_env *env, const struct mailbox_config *config,
		    const char *cursor, struct mailbox **ret, struct failure *f);
	/* The mail handed over last needs no more attention: on to the next. */
	void (*next)(struct mailbox *m);
	void (*deed)(struct mailbox *m, enum deed_on_mail deed, const char *ref, const char *target,
		     mailbox_done_fn *done, void *ctx);
	void (*fetch)(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx);
	void (*status)(const struct mailbox *m, struct mailbox_status *ret);
	/* At once and for good: no event and no done comes any more. */
	void (*close)(struct mailbox *m);
};
/* mailbox/kinds.c. NULL: no such kind. */
const struct mailbox_kind *mailbox_kind_find(const char *name);

/* Thin names over the table; m's first member is its kind. */
int mailbox_open(const struct mailbox_env *env, const struct mailbox_config *config,
		 const char *cursor, struct mailbox **ret, struct failure *f);
void mailbox_next(struct mailbox *m);
void mailbox_deed(struct mailbox *m, enum deed_on_mail deed, const char *ref, const char *target,
		  mailbox_done_fn *done, void *ctx);
void mailbox_fetch(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx);
void mailbox_status(const struct mailbox *m, struct mailbox_status *ret);
void mailbox_close(struct mailbox *m); /* NULL is fine */
#endif
