/* rules/match.h - is this mail or text message what a rule waits for? Pure. */
#ifndef NUNCIO_RULES_MATCH_H
#define NUNCIO_RULES_MATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pattern.h"
struct config;
struct contact_config;
struct parsed;
struct rule_config;

/* What came, by whichever way. */
struct incoming {
	bool is_text;              /* a text message, not a mail */
	const char *origin;        /* mailbox or transport */
	const struct parsed *mail; /* NULL for a text message */
	uint64_t size;
	const char *from;    /* E.164 number of a text message */
	const char *body;    /* of a text message, UTF-8, proof still in it */
	bool has_attachment; /* of a text message */
	int64_t received_ms; /* wall */
	bool cut, stale;     /* mailbox.h */
};
/* The command line and the proof beside it, found once for all rules (DESIGN 8). */
struct command_line {
	char *text;     /* owned; one line of UTF-8, proof removed, blanks around it too */
	char *proof;    /* owned; the VALUE; NULL: none, two, or a quoted one. Wiped when cleared */
	bool ambiguous; /* more than one `key:` line: no proof */
};
void command_line_find(const struct incoming *in, struct command_line *ret);
void command_line_clear(struct command_line *c);
/* Takes out of text each occurrence of the proof, also where it is split over lines or
 * quoted, so that text can be shown or sent. In place. */
void command_line_redact(const struct command_line *c, char *text);

/* The contact whose stored address From (or number) is; NULL: a stranger. */
const struct contact_config *match_sender(const struct config *config, const struct incoming *in);

#define MATCH_STEPS_MAX 24
enum match_verdict { MATCH_YES, MATCH_NO, MATCH_TOO_COSTLY };
struct match_step {            /* one condition, for `rules test` */
	const char *condition; /* "from" "command" ... static */
	enum match_verdict verdict;
	char text[200]; /* what was compared, safe to print */
};
struct match {
	bool matches;
	struct match_step steps[MATCH_STEPS_MAX];
	size_t nsteps;
	struct captures captures; /* of all patterns that matched; clear with match_clear() */
};
/* Judges every condition but proof; stops at the first that does not hold unless all is set. */
void match_rule(const struct config *config, const struct rule_config *rule,
		const struct incoming *in, const struct command_line *command, bool all,
		struct match *ret);
void match_clear(struct match *m);
/* {name} in text replaced by captures, {{ and }} by braces; owned. NULL: a name that is
 * not there, then *ret_missing points at it. */
char *match_fill(const char *text, const struct captures *captures, const char **ret_missing);
#endif
