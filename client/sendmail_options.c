/* client/sendmail_options.c - which options there are, which of them take an argument,
 * and what they mean; most mean nothing any more. getopt(3) is of no use here: some
 * take an argument only when it is in the same word. */
#include "sendmail_options.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "failure.h"
#include "text.h"

#define ENVID_MAX 100 /* RFC 3461 */

struct reading {
	struct sendmail_options *o;
	struct failure *f;
	bool has_mode, flush;
};

static int take_error_notices(struct reading *r, const char *argument)
{
	r->o->notify = argument;
	if (text_equal_nocase(argument, "never"))
		return 0;
	for (const char *word = argument;;) {
		size_t len = strcspn(word, ",");

		if (!(len == 7 && text_starts_nocase(word, "success")) &&
		    !(len == 7 && text_starts_nocase(word, "failure")) &&
		    !(len == 5 && text_starts_nocase(word, "delay")))
			return failure_set(r->f, FAILURE_REFUSED,
					   "-N takes never, or some of success,failure,delay");
		if (!word[len])
			return 0;
		word += len + 1;
	}
}

static int take_return(struct reading *r, const char *argument)
{
	if (!text_equal_nocase(argument, "full") && !text_equal_nocase(argument, "hdrs"))
		return failure_set(r->f, FAILURE_REFUSED, "-R takes full or hdrs");
	r->o->ret = argument;
	return 0;
}

/* One that can't stand in a notice is no reason not to send. */
static int take_envelope_id(struct reading *r, const char *argument)
{
	size_t len = strlen(argument);
	bool fits = len && len <= ENVID_MAX && text_is_ascii(argument, len) &&
		    text_is_one_line(argument, len) && !strpbrk(argument, " <>");

	r->o->envid = fits ? argument : NULL;
	return 0;
}

static int take_sender(struct reading *r, const char *argument)
{
	size_t len = strlen(argument);

	if (len >= 2 && argument[0] == '<' && argument[len - 1] == '>') {
		argument++;
		len -= 2;
	}
	free(r->o->sender);
	r->o->sender = xstrndup(argument, len);
	return 0;
}

static int take_name(struct reading *r, const char *argument)
{
	r->o->name = argument;
	return 0;
}

static int take_dots(struct reading *r, const char *argument)
{
	r->o->dots_stay = true;
	return 0;
}

static int take_header(struct reading *r, const char *argument)
{
	r->o->from_header = true;
	return 0;
}

static int take_verbose(struct reading *r, const char *argument)
{
	r->o->verbose = true;
	return 0;
}

static int take_flush(struct reading *r, const char *argument)
{
	r->flush = true;
	return 0;
}

static int take_short_setting(struct reading *r, const char *argument)
{
	return strcmp(argument, "i") == 0 ? take_dots(r, NULL) : 0;
}

static int take_long_setting(struct reading *r, const char *argument)
{
	if (text_equal_nocase(argument, "IgnoreDots") ||
	    text_equal_nocase(argument, "IgnoreDots=true"))
		take_dots(r, NULL);
	return 0;
}

/* clang-format off */
static const struct mode {
	char letter;
	enum sendmail_deed deed;
	const char *refusal; /* NULL: it can be done */
} modes[] = {
	{ 'm', SENDMAIL_SEND,    NULL },
	{ 'p', SENDMAIL_LIST,    NULL },
	{ 'i', SENDMAIL_ALIASES, NULL },
	{ 's', SENDMAIL_TALK,    NULL },
	{ 'd', SENDMAIL_SEND,    "the daemon is nunciod(8), a service of its own" },
	{ 'D', SENDMAIL_SEND,    "the daemon is nunciod(8), a service of its own" },
	{ 't', SENDMAIL_SEND,    "there are no rules for rewriting addresses to be tested" },
	{ 'v', SENDMAIL_SEND,    "an address is tried by sending to it" },
	{ 'a', SENDMAIL_SEND,    "nobody speaks the ARPANET's protocol any more" },
	{ 'h', SENDMAIL_SEND,    "what is known of hosts is in 'nuncio status'" },
	{ 'H', SENDMAIL_SEND,    "what is known of hosts is in 'nuncio status'" },
};
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int take_mode(struct reading *r, const char *argument)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (modes[i].letter != argument[0])
			continue;
		if (modes[i].refusal)
			return failure_set(r->f, FAILURE_REFUSED, "-b%c: %s", modes[i].letter,
					   modes[i].refusal);
		r->has_mode = true;
		r->o->deed = modes[i].deed;
		return 0;
	}
	return failure_set(r->f, FAILURE_REFUSED, "-b%s is not known", argument);
}

enum takes {
	TAKES_NOTHING,
	TAKES_ARGUMENT, /* the rest of its word, or the next one */
	TAKES_REST,     /* the rest of its word, which may be nothing */
};

/* clang-format off */
static const struct option_row {
	char letter;
	enum takes takes;
	int (*take)(struct reading *r, const char *argument); /* NULL: means nothing here */
} rows[] = {
	{ 't', TAKES_NOTHING,  take_header },
	{ 'f', TAKES_ARGUMENT, take_sender },
	{ 'r', TAKES_ARGUMENT, take_sender },
	{ 'F', TAKES_ARGUMENT, take_name },
	{ 'i', TAKES_NOTHING,  take_dots },
	{ 'b', TAKES_ARGUMENT, take_mode },
	{ 'q', TAKES_REST,     take_flush },
	{ 'v', TAKES_NOTHING,  take_verbose },
	{ 'N', TAKES_ARGUMENT, take_error_notices },
	{ 'R', TAKES_ARGUMENT, take_return },
	{ 'V', TAKES_ARGUMENT, take_envelope_id },
	{ 'o', TAKES_ARGUMENT, take_short_setting },
	{ 'O', TAKES_ARGUMENT, take_long_setting },
	{ 'A', TAKES_ARGUMENT, NULL },
	{ 'B', TAKES_ARGUMENT, NULL },
	{ 'C', TAKES_ARGUMENT, NULL },
	{ 'd', TAKES_REST,     NULL },
	{ 'e', TAKES_ARGUMENT, NULL },
	{ 'E', TAKES_REST,     NULL },
	{ 'G', TAKES_NOTHING,  NULL },
	{ 'h', TAKES_ARGUMENT, NULL },
	{ 'J', TAKES_REST,     NULL },
	{ 'L', TAKES_ARGUMENT, NULL },
	{ 'm', TAKES_NOTHING,  NULL },
	{ 'n', TAKES_NOTHING,  NULL },
	{ 'p', TAKES_ARGUMENT, NULL },
	{ 'S', TAKES_NOTHING,  NULL },
	{ 'U', TAKES_NOTHING,  NULL },
	{ 'x', TAKES_NOTHING,  NULL },
	{ 'X', TAKES_ARGUMENT, NULL },
};
/* clang-format on */

static const struct option_row *find_row(char letter)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

/* One word of options, "-it" or "-f" with its argument in next. */
static int take_word(struct reading *r, const char *word, const char *next, bool *ret_used_next)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct option_row *row = find_row(*letter);
		const char *argument = letter + 1;

		if (!row)
			return failure_set(r->f, FAILURE_REFUSED, "%s is not an option of sendmail",
					   word);
		if (row->takes == TAKES_ARGUMENT && !*argument) {
			if (!next)
				return failure_set(r->f, FAILURE_REFUSED, "-%c wants an argument",
						   *letter);
			*ret_used_next = true;
			argument = next;
		}
		if (row->take && row->take(r, argument) < 0)
			return -1;
		if (row->takes != TAKES_NOTHING)
			return 0;
	}
	return 0;
}

static void take_recipient(struct sendmail_options *o, const char *word)
{
	o->to[o->nto++] = word;
}

static int take_words(struct reading *r, int argc, char **argv)
{
	bool options_end = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		bool used_next = false;

		if (options_end || word[0] != '-' || !word[1]) {
			take_recipient(r->o, word);
		} else if (strcmp(word, "--") == 0) {
			options_end = true;
		} else {
			if (take_word(r, word, i + 1 < argc ? argv[i + 1] : NULL, &used_next) < 0)
				return -1;
			i += used_next;
		}
	}
	return 0;
}

int sendmail_options_read(const char *program, int argc, char **argv, struct sendmail_options *ret,
			  struct failure *f)
{
	struct reading r = {.o = ret, .f = f};

	*ret = (struct sendmail_options){.to = xcalloc((size_t)argc + 1, sizeof(*ret->to))};
	if (take_words(&r, argc, argv) < 0)
		return -1;
	if (!r.has_mode && r.flush)
		ret->deed = SENDMAIL_FLUSH;
	if (strcmp(program, "mailq") == 0)
		ret->deed = SENDMAIL_LIST;
	else if (strcmp(program, "newaliases") == 0)
		ret->deed = SENDMAIL_ALIASES;
	return 0;
}

void sendmail_options_clear(struct sendmail_options *o)
{
	free(o->sender);
	free(o->to);
	*o = (struct sendmail_options){0};
}
