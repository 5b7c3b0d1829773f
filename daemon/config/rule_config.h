/* config/rule_config.h - what a row of `rules` says; part of config.h. Read by
 * nunciod and by nuncio-runner, which trusts nothing else. */
#ifndef NUNCIO_CONFIG_RULE_CONFIG_H
#define NUNCIO_CONFIG_RULE_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct pattern; /* pattern.h */

enum proof_kind {
	PROOF_UNSAID, /* an error in rules that run something */
	PROOF_NONE,
	PROOF_SECRET,
	PROOF_TOTP,
	PROOF_HMAC,
	PROOF_CONFIRM,
};

/* A row of `when.headers`. */
struct header_condition {
	char *name;
	char *matches;           /* as written */
	struct pattern *pattern; /* owned, of matches; so are the ones below */
};

enum wanted { WANTED_ANY, WANTED_YES, WANTED_NO };

/* All that is said must hold. Patterns are PCRE2, found anywhere unless anchored. */
struct when_config {
	char **from; /* contacts, groups, address patterns (text_matches); NULL: anyone */
	char **to;   /* the same, of To and Cc */
	char *subject, *body, *command;                                   /* as written, or NULL */
	struct pattern *subject_pattern, *body_pattern, *command_pattern; /* owned */
	struct header_condition *headers;                                 /* owned, of nheaders */
	size_t nheaders;
	enum wanted has_attachment;
	uint64_t larger, smaller; /* bytes of the mail; 0: not asked */
	enum proof_kind proof;
	int64_t max_age_ms; /* of a command; default 1h */
};

enum action_kind {
	ACTION_RUN,
	ACTION_SEND,
	ACTION_FORWARD,
	ACTION_MOVE,
	ACTION_FLAG,
	ACTION_DELETE,
};

/* An element of `do`, which is a group or a list of groups; it says exactly one of
 * run, send, forward, move, flag, delete. At most one of them is a run. */
struct action_config {
	enum action_kind kind;
	/* run = ["/usr/bin/x", "{link}"]; argv with {captures}; [0] is an absolute path */
	char **run;
	char *user;          /* NULL: the runner's own */
	char *directory;     /* to run in; NULL: the run's private one */
	int64_t timeout_ms;  /* default 1m */
	uint64_t max_output; /* bytes kept of its output; default 1M */
	uint64_t memory;     /* RLIMIT_AS; 0: no limit of ours */
	bool leading_dash;   /* a capture may begin with '-' */
	char **environment;  /* names passed on from the runner's own environment; NULL */
	/* send = { to; by; subject; text; } */
	char **send_to;                           /* contacts, addresses, numbers, or "sender" */
	char *send_by, *send_subject, *send_text; /* texts with {captures} */
	/* forward = { to; by; }: mail as an attached message, as a text its head */
	char **forward_to;
	char *forward_by;
	char *move; /* folder */
	char *flag; /* "seen" "flagged" "answered", or a keyword */
};

enum disposition { DISPOSE_KEEP, DISPOSE_SEEN, DISPOSE_MOVE, DISPOSE_DELETE };

struct rule_config {
	char *name; /* [A-Za-z0-9_-]{1,32} */
	unsigned line;
	char **on_mail; /* names of mailboxes, NULL-ended; NULL: none */
	char **on_sms;  /* names of transports that are a way in; NULL: none */
	struct when_config when;
	struct action_config *actions; /* owned, of nactions */
	size_t nactions;
	enum disposition dispose; /* `then.mail`: "keep" "seen" "delete", "move FOLDER"; default:
				   * delete for rules that run something, else keep */
	bool dispose_said;        /* what is not said is of mails alone: texts stay */
	char *dispose_folder;
	char **report_to; /* then.report.to: "sender" or contacts; NULL: "sender" where the rule
			   * runs something, else nobody; { "nobody" } is written for none */
	char *report_by;  /* "mail" "sms" "both"; NULL: as the command came */
	bool more;        /* then.continue: later rules are tried too */
	bool disabled;    /* enabled = false */
};

const struct action_config *rule_run(const struct rule_config *rule); /* NULL: it runs nothing */

/* What the runner is told; `runner` in the file. */
struct runner_config {
	char *socket;      /* default /run/nuncio/runner.sock; for a user as `socket` */
	char *state;       /* directory; default: "runner" beside `state`'s */
	char *user;        /* who may speak to it: name or number; default: the user nunciod runs as
		       * ("nuncio" for root's, else its own) */
	unsigned max_runs; /* at a time; default 16 */
	int64_t secret_timeout_ms;
};
#endif
