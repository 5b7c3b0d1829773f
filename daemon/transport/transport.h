/* transport/transport.h - a way out. The queue claims what is due and lays it
 * ready as parcels; a transport takes them when it can carry one, and says for each
 * recipient what became of it. It never sees the store. */
#ifndef NUNCIO_TRANSPORT_TRANSPORT_H
#define NUNCIO_TRANSPORT_TRANSPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "transport/inquiry.h"
struct config;
struct failure;
struct letter;
struct loop;
struct resolver;
struct transport;
struct transport_config;

enum outcome_kind {
	OUTCOME_SENT,      /* the other side has taken it */
	OUTCOME_LATER,     /* this recipient, not now: retry with back-off */
	OUTCOME_REFUSED,   /* this recipient, never */
	OUTCOME_UNTOUCHED, /* it was not tried, or the transport broke before it could
			    * count: due again at once, no attempt is counted */
	OUTCOME_UNCERTAIN, /* it may have been taken; only kinds that can't bear a twin say it */
	OUTCOME_ACCEPTED, /* texts: the provider has it, as remote_id; what became of it is asked */
	OUTCOME_SUPPRESSED, /* texts: the recipient wants none */
};
struct outcome {
	enum outcome_kind kind;
	int code;           /* SMTP reply code, 0: none */
	char enhanced[12];  /* "5.1.1", or "" (RFC 3463) */
	char text[240];     /* one safe line */
	char remote_id[80]; /* the other side's id of it, or "" */
	bool tried;         /* UNTOUCHED: it was under way when the transport broke, so others
			     * go before it next time */
};

/* One message for some recipients, in one transaction where the transport can.
 * The queue's; alive until finished(). */
struct parcel_recipient {
	const char *address; /* ASCII form for mail (UTF-8 local part possible), E.164 for texts */
	bool needs_smtputf8;
	int64_t delivery;        /* id, for file names and logs */
	unsigned attempt_no;     /* 1: first */
	int64_t expires_boot_ms; /* of clock_boot_ms(); 0: never */
};
struct parcel {
	int64_t message;    /* id */
	const char *sender; /* envelope sender, ASCII; "": the null sender */
	const struct letter *letter;
	const char *instance; /* name of this installation, hex */
	struct parcel_recipient *recipients;
	size_t nrecipients;
};

/* Content comes in order, from the start after each parcel_rewind. done is called
 * once, possibly before this returns (small content is in memory), with at most 64 KiB
 * (len 0: the end), or with why. Bytes live only during the call. */
typedef void content_done_fn(void *ctx, const void *bytes, size_t len, const struct failure *why);

/* What a transport may ask of, and must tell, the queue. None of these frees the
 * transport; all may be called from its event handlers at any time. */
struct transport_host {
	/* The next parcel to carry, or NULL: none is ready now; wake() follows when one is. */
	struct parcel *(*next)(void *ctx);
	void (*content)(void *ctx, struct parcel *p, content_done_fn *done, void *done_ctx);
	void (*rewind)(void *ctx, struct parcel *p); /* content from the start again */
	/* Once for each recipient, in any order. */
	void (*settle)(void *ctx, struct parcel *p, size_t recipient, const struct outcome *o);
	/* After every recipient of p was settled: p is gone. A content() call under way is
	 * cancelled by it. */
	void (*finished)(void *ctx, struct parcel *p);
	/* It can carry: a session is there (or it needs none). Claim work now. */
	void (*up)(void *ctx);
	/* It can't. FAILURE_REFUSED: the login was refused; SETUP: certificate, settings;
	 * LATER: not reachable, going down, too busy. Its parcels were settled (UNTOUCHED) and
	 * finished before. The queue waits and calls wake() for the next try. */
	void (*down)(void *ctx, const struct failure *why);
};

struct transport_env {
	struct loop *loop;
	struct resolver *resolver;
	const struct transport_host *host;
	void *host_ctx;
};

enum carries { CARRIES_MAIL = 1, CARRIES_TEXTS = 2 };

struct transport_kind {
	const char *name;        /* config's `type` */
	unsigned carries;        /* of enum carries */
	unsigned max_recipients; /* of one parcel; 0: many */
	bool bears_twins; /* may an interrupted delivery be sent again (mail: yes, same Message-ID)? */
	/* Connects to nothing yet. config outlives the transport. */
	int (*open)(const struct transport_env *env, const struct transport_config *config,
		    struct transport **ret, struct failure *f);
	/* There is work: at most wanted parcels could be carried at once. Get sessions up
	 * (within concurrency; wanted 0: one, to see whether it works), call up(), then
	 * next(). Called again when more parcels are ready. */
	void (*wake)(struct transport *t, size_t wanted);
	/* Take no more parcels, finish those under way; idle() once none is left. */
	void (*retire)(struct transport *t, void (*idle)(void *ctx), void *ctx);
	/* Kinds that carry texts: must all of this letter go to its reader by mail, too (its
	 * too_long is "attach to mail", and the text is)? Asked before it is taken. content: as
	 * text_message.h wants it. NULL: never. */
	bool (*wants_mail)(const struct transport_config *config, const char *number,
			   const struct letter *letter, const char *content, size_t len);
	/* Kinds whose deliveries are accepted first: what became of these? All that are given live
	 * until reported, which comes once, later. NULL: there is nothing to ask. */
	void (*ask)(struct transport *t, const struct inquiry *inquiries, size_t n,
		    reported_fn *reported, void *ctx);
	/* At once: nothing is called any more, parcels it has are the queue's again. */
	void (*close)(struct transport *t);
};

/* transport/kinds.c. NULL: no such kind. */
const struct transport_kind *transport_kind_find(const char *name);
const struct transport_kind *const *transport_kinds(void); /* NULL-ended */
#endif
