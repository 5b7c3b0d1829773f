/* client/sendmail_options.h - the command line of sendmail(8), mailq and newaliases
 * as programs write it. Pure: words in, struct out. */
#ifndef NUNCIO_CLIENT_SENDMAIL_OPTIONS_H
#define NUNCIO_CLIENT_SENDMAIL_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
struct failure;

enum sendmail_deed {
	SENDMAIL_SEND,
	SENDMAIL_LIST,    /* mailq, -bp */
	SENDMAIL_FLUSH,   /* -q */
	SENDMAIL_ALIASES, /* newaliases, -bi: there is nothing to do */
	SENDMAIL_TALK,    /* -bs */
};

struct sendmail_options {
	enum sendmail_deed deed;
	bool from_header; /* -t: to whom the header says, too */
	bool dots_stay;   /* -i: a line with a dot alone ends nothing */
	bool verbose;     /* -v */
	char *sender;     /* owned; -f without its brackets, "" the null sender; NULL: none */
	const char *name; /* -F, of argv, or NULL */
	const char *notify, *ret, *envid; /* -N, -R, -V, of argv, or NULL */
	const char **to; /* owned, its words of argv, of nto: a list of addresses each */
	size_t nto;
};
/* program is what argv[0] ends in. -1 and FAILURE_REFUSED with a sentence: this can't be
 * asked. Clear it either way. */
int sendmail_options_read(const char *program, int argc, char **argv, struct sendmail_options *ret,
			  struct failure *f);
void sendmail_options_clear(struct sendmail_options *o);
#endif
