/* mailbox/imap.h - one IMAP conversation: secures, logs in, selects a folder, hands over
 * each new mail of it and does what is asked of mails. Does not reconnect (watcher.h)
 * and does not know what mails mean (rules/). */
#ifndef NUNCIO_MAILBOX_IMAP_H
#define NUNCIO_MAILBOX_IMAP_H
#include <stdbool.h>
#include <stdint.h>
struct failure;
struct imap;
struct imap_config;
struct imap_deeds;
struct imap_mail;
struct imap_place;
struct loop;
struct resolver;
struct tls;

/* All come from a fresh turn of the loop; imap_free() is safe in them. */
struct imap_events {
	/* The folder is watched; idles: the server tells of mail by itself. Again when it
	 * turns out that it does not. */
	void (*up)(void *ctx, bool idles);
	/* The next mail, which place knows to be out. Lives only during the call. */
	void (*mail)(void *ctx, const struct imap_mail *mail, bool stale);
	/* Nothing waits, and place has moved. */
	void (*stands)(void *ctx);
	/* The conversation is over. Once, last. */
	void (*ended)(void *ctx, const struct failure *why);
};
struct imap_options {
	struct loop *loop;
	struct resolver *resolver;
	const struct imap_config *config; /* from config */
	const char *name;                 /* for logs */
	struct tls *tls;                  /* NULL: the configuration wants none */
	uint64_t max_mail_bytes;
	struct imap_place *place; /* the mailbox's, and moved on by this */
	struct imap_deeds *deeds; /* the mailbox's, and done by this */
};
/* All in options but name must outlive it. Never NULL: trouble comes through ended(). */
struct imap *imap_new(const struct imap_options *options, const struct imap_events *events,
		      void *ctx);
void imap_free(struct imap *m); /* at once, nothing is told; NULL is fine */
/* There are deeds, or the mail that was out is done. */
void imap_poke(struct imap *m);
int64_t
imap_heard_ms(const struct imap *m); /* when the server last said anything; wall; 0: never */
#endif
