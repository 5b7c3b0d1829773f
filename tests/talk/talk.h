/* tests/talk/talk.h - a scripted peer: a server on the loopback (or one end of
 * a socket pair), run by the test's own loop. Its script is lines ended by
 * "\r\n" (or "\n"), gone through in order:
 *
 *   S: text       says the line. Adjacent ones leave in one write.
 *   S= text       the same without CRLF behind it
 *   C: text       must hear exactly this line next
 *   C: text *     a line that begins with "text "; "C: *": any one line
 *   C= text       must hear exactly these bytes next, whatever follows them
 *   C: ...        any number of lines, up to the one the next C: wants
 *   STARTTLS      TLS from here on, as its server
 *   CLOSE         ends the connection properly (close_notify, FIN)
 *   DROP          FIN without close_notify
 *   RESET         RST
 *   GONE          the client must end the connection
 *   ACCEPT        waits for the next connection (the first needs none)
 *
 * At the end of the script it stays connected and silent. The first line that
 * differs ends the script; talk_finished() reports it. */
#ifndef NUNCIO_TESTS_TALK_H
#define NUNCIO_TESTS_TALK_H
#include <stdbool.h>
#include <stdint.h>
struct loop;
struct talk;

/* Server certificates, of the test's own CA unless said otherwise, for the
 * names localhost and mail.example.com and the addresses 127.0.0.1 and ::1. */
enum talk_certificate {
	TALK_GOOD,
	TALK_EXPIRED,
	TALK_NOT_YET,    /* valid from tomorrow */
	TALK_OTHER_HOST, /* for other.example.net */
	TALK_OTHER_CA,
	TALK_SELF_SIGNED,
};

struct talk_options {
	bool tls_at_once;
	enum talk_certificate certificate; /* for STARTTLS too */
	bool drip;                         /* says one byte a turn of the loop */
	unsigned short max_tls;            /* e.g. TLS1_2_VERSION; 0: all */
};

struct talk *talk_new(struct loop *loop, const char *script);
struct talk *talk_with(struct loop *loop, const char *script, const struct talk_options *options);
/* Over a socket pair; *ret_fd is the client's end, the caller's from now on. */
struct talk *talk_pair(struct loop *loop, const char *script, const struct talk_options *options,
		       int *ret_fd);
uint16_t talk_port(const struct talk *t); /* on 127.0.0.1 */

bool talk_is_over(const struct talk *t);         /* all was spoken, or something differed */
bool talk_awaits_end(const struct talk *t);      /* it is at a GONE */
const char *talk_problem(const struct talk *t);  /* NULL: none so far */
unsigned talk_resumptions(const struct talk *t); /* TLS sessions that were taken up again */
/* Turns the loop until the script is over. */
void talk_run(struct talk *t);
/* talk_run(); then the test fails unless all was spoken, in order, and nothing
 * else was heard. Frees t. */
void talk_finished(struct talk *t);
void talk_free(struct talk *t); /* for tests that expect the peer to be left in the middle */

/* Turns the loop until *flag. Here and in talk_run() the test fails after ten
 * seconds of real time, whatever the test's clock says. */
void talk_until(struct loop *loop, const bool *flag);

/* A name for a PEM file with the test's CA; valid for the life of the process. */
const char *talk_ca_file(void);
/* SHA-256 of that certificate's public key, 64 hex digits. */
const char *talk_pin(enum talk_certificate certificate);
#endif
