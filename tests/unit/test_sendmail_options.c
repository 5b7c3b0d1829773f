/* The command lines by which programs call sendmail, and the arity of every option. */
#include "client/sendmail_options.h"

#include "alloc.h"
#include "auto.h"
#include "expect.h"
#include "failure.h"

enum { WORDS_MAX = 16 };

struct call {
	const char *words[WORDS_MAX]; /* NULL-ended */
	const char *to;               /* the words left, "|" between them */
	const char *sender, *name;
	enum sendmail_deed deed;
	bool from_header, dots_stay, verbose;
};

/* clang-format off */
static const struct call calls[] = {
	/* cron, of two kinds, and anacron */
	{ { "sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root" }, "", "root", "CronDaemon", .from_header = true, .dots_stay = true },
	{ { "sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "root" }, "root", NULL, "CronDaemon", .dots_stay = true },
	{ { "sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "alice" }, "alice", NULL, "CronDaemon", .dots_stay = true },
	{ { "sendmail", "-FAnacron", "-odi", "ops@example.org" }, "ops@example.org", NULL, "Anacron" },
	/* mail, of three kinds, and mutt */
	{ { "sendmail", "-oi", "-f", "root@host", "-t" }, "", "root@host", NULL, .from_header = true, .dots_stay = true },
	{ { "sendmail", "-i", "a@example.org", "b@example.org" }, "a@example.org|b@example.org", .dots_stay = true },
	{ { "sendmail", "-i", "-f", "robot@example.org", "--", "-a@example.org" }, "-a@example.org", "robot@example.org", .dots_stay = true },
	{ { "sendmail", "-oem", "-oi", "-B8BITMIME", "-f", "a@example.org", "-N", "failure,delay", "-R", "hdrs", "--", "o@example.org" }, "o@example.org", "a@example.org", .dots_stay = true },
	/* git send-email, mdadm, PHP, Perl */
	{ { "sendmail", "-f", "a@example.org", "-i", "l@example.org" }, "l@example.org", "a@example.org", .dots_stay = true },
	{ { "sendmail", "-t" }, "", .from_header = true },
	{ { "sendmail", "-t", "-i" }, "", .from_header = true, .dots_stay = true },
	{ { "sendmail", "-t", "-i", "-fwww@example.org" }, "", "www@example.org", .from_header = true, .dots_stay = true },
	{ { "sendmail", "-t", "-oi", "-oem", "-frobot@example.org" }, "", "robot@example.org", .from_header = true, .dots_stay = true },
	/* the sender */
	{ { "sendmail", "-f", "", "a" }, "a", "" },
	{ { "sendmail", "-f", "<>", "a" }, "a", "" },
	{ { "sendmail", "-f<>", "a" }, "a", "" },
	{ { "sendmail", "-f", "<r@example.org>", "a" }, "a", "r@example.org" },
	{ { "sendmail", "-r", "r@example.org", "a" }, "a", "r@example.org" },
	{ { "sendmail", "-rr@example.org", "a" }, "a", "r@example.org" },
	{ { "sendmail", "-f", "-t", "a" }, "a", "-t" },
	{ { "sendmail", "-f", "x", "-f", "y", "a" }, "a", "y" },
	{ { "sendmail", "-F", "", "a" }, "a", NULL, "" },
	{ { "sendmail", "-F", "Cron Daemon", "a" }, "a", NULL, "Cron Daemon" },
	/* several in one word, and behind the recipients */
	{ { "sendmail", "-ti" }, "", .from_header = true, .dots_stay = true },
	{ { "sendmail", "-itv", "a" }, "a", .from_header = true, .dots_stay = true, .verbose = true },
	{ { "sendmail", "-tfa@example.org" }, "", "a@example.org", .from_header = true },
	{ { "sendmail", "-itf", "a@example.org" }, "", "a@example.org", .from_header = true, .dots_stay = true },
	{ { "sendmail", "a", "-i", "b" }, "a|b", .dots_stay = true },
	{ { "sendmail", "a", "--", "-i" }, "a|-i" },
	{ { "sendmail", "-", "--", "--" }, "-|--" },
	/* -o and -O, of which one thing means something */
	{ { "sendmail", "-o", "i", "a" }, "a", .dots_stay = true },
	{ { "sendmail", "-oem", "-odb", "-oi", "-OErrorMode=m", "a" }, "a", .dots_stay = true },
	{ { "sendmail", "-O", "IgnoreDots=true", "a" }, "a", .dots_stay = true },
	{ { "sendmail", "-OIgnoreDots", "a" }, "a", .dots_stay = true },
	{ { "sendmail", "-oiX", "-oem", "a" }, "a" },
	/* what takes an argument takes it, in its word or the next */
	{ { "sendmail", "-A", "c", "-Am", "-B", "7BIT", "-C", "/f", "-L", "tag", "-O", "x=y", "a" }, "a" },
	{ { "sendmail", "-p", "smtp", "-X", "log", "-h", "3", "-e", "m", "-em", "-V", "id", "a" }, "a" },
	{ { "sendmail", "-B", "-t", "-h", "-i", "a" }, "a" },
	{ { "sendmail", "-N", "never", "-R", "FULL", "-Nsuccess,Failure", "a" }, "a" },
	/* what takes none takes none */
	{ { "sendmail", "-G", "-m", "-n", "-U", "-E", "-J", "-S", "-x", "a" }, "a" },
	{ { "sendmail", "-v", "-i", "-U", "-m", "-n", "-h", "3", "a" }, "a", .dots_stay = true, .verbose = true },
	{ { "sendmail", "-d", "a" }, "a" },
	{ { "sendmail", "-d0-99.1", "-Efoo", "-Jit", "a" }, "a" },
	/* deeds */
	{ { "sendmail", "-bm", "-i", "a" }, "a", .dots_stay = true },
	{ { "sendmail", "-b", "m", "a" }, "a" },
	{ { "sendmail", "-bp" }, "", .deed = SENDMAIL_LIST },
	{ { "sendmail", "-bp", "-q" }, "", .deed = SENDMAIL_LIST },
	{ { "sendmail", "-bs" }, "", .deed = SENDMAIL_TALK },
	{ { "sendmail", "-bi" }, "", .deed = SENDMAIL_ALIASES },
	{ { "sendmail", "-q" }, "", .deed = SENDMAIL_FLUSH },
	{ { "sendmail", "-q", "-v" }, "", .deed = SENDMAIL_FLUSH, .verbose = true },
	{ { "sendmail", "-q30m" }, "", .deed = SENDMAIL_FLUSH },
	{ { "sendmail", "-qRexample.org" }, "", .deed = SENDMAIL_FLUSH },
	{ { "mailq" }, "", .deed = SENDMAIL_LIST },
	{ { "mailq", "-Ac", "-v" }, "", .deed = SENDMAIL_LIST, .verbose = true },
	{ { "newaliases" }, "", .deed = SENDMAIL_ALIASES },
	{ { "newaliases", "-v" }, "", .deed = SENDMAIL_ALIASES, .verbose = true },
};
/* What can't be asked, and a part of what is said. */
static const struct { const char *words[WORDS_MAX]; const char *part; } refused[] = {
	{ { "sendmail", "-f" },              "-f wants an argument" },
	{ { "sendmail", "-itf" },            "-f wants an argument" },
	{ { "sendmail", "-i", "-h" },        "-h wants an argument" },
	{ { "sendmail", "-o" },              "-o wants an argument" },
	{ { "sendmail", "-Z", "a" },         "-Z is not an option" },
	{ { "sendmail", "-tZ", "a" },        "-tZ is not an option" },
	{ { "sendmail", "--help" },          "--help is not an option" },
	{ { "sendmail", "-bd", "-q30m" },    "nunciod" },
	{ { "sendmail", "-bD" },             "nunciod" },
	{ { "sendmail", "-bt" },             "rules" },
	{ { "sendmail", "-bv", "a" },        "tried" },
	{ { "sendmail", "-bZ" },             "-bZ is not known" },
	{ { "sendmail", "-b", "" },          "not known" },
	{ { "sendmail", "-N", "always" },    "-N takes" },
	{ { "sendmail", "-N", "never,delay" }, "-N takes" },
	{ { "sendmail", "-N", "failure," },  "-N takes" },
	{ { "sendmail", "-N", "" },          "-N takes" },
	{ { "sendmail", "-R", "some" },      "-R takes" },
};
/* clang-format on */

static int count(const char *const *words)
{
	int n = 0;

	while (words[n])
		n++;
	return n;
}

static char *joined(const struct sendmail_options *o)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < o->nto; i++) {
		char *more = xprintf("%s%s%s", all, i ? "|" : "", o->to[i]);

		free(all);
		all = more;
	}
	return all;
}

static int ask(const char *const *words, struct sendmail_options *o, struct failure *f)
{
	return sendmail_options_read(words[0], count(words), (char **)words, o, f);
}

TEST(programs_are_understood)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct call *c = &calls[i];
		struct sendmail_options o;
		struct failure f;

		expect_ok(ask(c->words, &o, &f), &f);
		AUTO(free) char *to = joined(&o);
		if (strcmp(to, c->to) != 0 || o.deed != c->deed)
			print_error("row %zu: %s %s ...\n", i, c->words[0],
				    c->words[1] ? c->words[1] : "");
		expect_text(to, c->to);
		expect_text(o.sender, c->sender);
		expect_text(o.name, c->name);
		expect_int(o.deed, c->deed);
		expect_int(o.from_header, c->from_header);
		expect_int(o.dots_stay, c->dots_stay);
		expect_int(o.verbose, c->verbose);
		sendmail_options_clear(&o);
	}
}

TEST(what_cant_be_asked_is_said)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct sendmail_options o;
		struct failure f = {0};

		expect_failure(ask(refused[i].words, &o, &f), &f, FAILURE_REFUSED);
		expect_contains(f.text, refused[i].part);
		sendmail_options_clear(&o);
	}
}

TEST(a_program_without_even_a_name)
{
	struct sendmail_options o;
	struct failure f;

	expect_ok(sendmail_options_read("", 0, NULL, &o, &f), &f);
	expect_int(o.nto, 0);
	sendmail_options_clear(&o);
}

RUN_TESTS()
