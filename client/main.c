/* client/main.c - nuncio: the table of commands and the options before them. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "failure.h"
#include "link.h"
#include "text.h"
#include "varlink.h"
#include "version.h"

/* clang-format off */
static const struct command commands[] = {
	{ "send",    send_run,   "[-s SUBJECT] [-a FILE]... [--wait[=sent]] TO[,TO...] [TEXT...]", "queue a message; its text from the arguments or standard input" },
	{ "text",    text_run,   "[--to WHO] [--media URL] [--wait[=sent]] [--dry-run [--exact] [--price P]] [TEXT...]", "text yourself; or see what it would take" },
	{ "run",     run_run,    "[--to WHO,...] [--by HOW] [--only-failure] [--] COMMAND...", "run a program, and tell how it ended" },
	{ "queue",   queue_run,  "[--all] [--state S,...] [--recipient PATTERN] [--route R] [ID]", "what waits, or --all that is known" },
	{ "show",    show_run,   "ID",                                    "a message, its recipients and what happened to it" },
	{ "why",     why_run,    "ID",                                    "in words: what became of it, and what comes next" },
	{ "cancel",  deed_run,   "ID... | --delivery N | --recipient PATTERN | --state S | --route R | --all", "give up what waits" },
	{ "retry",   deed_run,   "ID... | (as cancel)",                   "try again now, also what failed" },
	{ "hold",    deed_run,   "ID... | (as cancel)",                   "keep from being sent until released" },
	{ "release", deed_run,   "ID... | (as cancel)",                   "send what is held" },
	{ "pause",   pause_run,  "TRANSPORT [REASON]",                    "send nothing over a transport until resumed" },
	{ "resume",  resume_run, "TRANSPORT",                             "go on, and see whether it works" },
	{ "status",  status_run, "[--wait[=TIME]] [--prometheus[=FILE]]",                       "the daemon, its transports, its counts" },
	{ "log",     log_run,    "[--since TIME] [--follow] [ID]",        "what happened, by time; of one message, or of the last day" },
	{ "doctor",  doctor_run, "[--file FILE] [--restored]",            "is all well? and if not, what to do" },
	{ "contacts", contacts_run, "[--json]",                           "who is known, how they are reached, who wants no texts" },
	{ "rules",   rules_run,  "list | test | log | run | kill | totp ...",    "rules: what there are, what one would do, what they did" },
	{ "mail",    mail_run,   "parse [FILE]",                          "what the daemon reads in a mail" },
	{ "sendmail", sendmail_run, "[OPTION]... [TO...]",                "queue a mail from standard input, as sendmail(8) does" },
	{ "watch",   watch_run,  "[ID]",                                  "what happens, as it happens" },
};
/* Errors of the protocol and what a script sees of them. */
static const struct { const char *error; int status; } statuses[] = {
	{ "io.nuncio.BadRecipient",                EX_NOUSER },
	{ "io.nuncio.BadMessage",                  EX_DATAERR },
	{ "io.nuncio.NotPermitted",                EX_NOPERM },
	{ "io.nuncio.OverLimit",                   EX_UNAVAILABLE },
	{ "io.nuncio.NoSuchMessage",               EX_NOINPUT },
	{ "io.nuncio.NoSuchTransport",             EX_NOINPUT },
	{ "io.nuncio.KeyConflict",                 EX_DATAERR },
	{ "io.nuncio.NoTransport",                 EX_CONFIG },
	{ "io.nuncio.LoginRefused",                EX_CONFIG },
	{ "io.nuncio.TransportSetup",              EX_CONFIG },
	{ "io.nuncio.TransportAway",               EX_TEMPFAIL },
	{ "io.nuncio.NotStored",                   EX_TEMPFAIL },
	{ "io.nuncio.Overrun",                     EX_TEMPFAIL },
	{ "io.nuncio.NoSuchRule",                  EX_NOINPUT },
	{ "io.nuncio.NoSuchRun",                   EX_NOINPUT },
	{ "io.nuncio.NotRun",                      EX_DATAERR },
	{ "org.varlink.service.InvalidParameter",  EX_USAGE },
	{ "org.varlink.service.MethodNotFound",    EX_PROTOCOL },
};
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int usage_error(const char *name, const char *fmt, ...)
{
	const struct command *command = find_command(name);
	va_list arguments;

	fprintf(stderr, "nuncio %s: ", name);
	va_start(arguments, fmt);
	vfprintf(stderr, fmt, arguments);
	va_end(arguments);
	fprintf(stderr, "\nusage: nuncio %s %s\n", name, command ? command->usage : "");
	return EX_USAGE;
}

int say_failure(const struct failure *f)
{
	fprintf(stderr, "nuncio: %s\n", f->text);
	return f->kind == FAILURE_LATER   ? EX_UNAVAILABLE
	       : f->kind == FAILURE_SETUP ? EX_CONFIG
					  : EX_PROTOCOL;
}

static int status_of(const char *error)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		if (strcmp(statuses[i].error, error) == 0)
			return statuses[i].status;
	}
	return EX_SOFTWARE;
}

int say_error(const struct varlink_reply *reply)
{
	const char *name = strrchr(reply->error, '.') + 1;
	AUTO(free) char *rest = json_dumps(reply->parameters, JSON_COMPACT | JSON_SORT_KEYS);
	const char *reason = text_of(reply->parameters, "reason");
	const char *field = text_of(reply->parameters, "field");
	const char *recipient = text_of(reply->parameters, "recipient");
	char safe[600], whom[100] = "";

	if (strcmp(name, "NoSuchMessage") == 0) {
		fprintf(stderr, "nuncio: %lld is no message\n",
			(long long)number_of(reply->parameters, "id"));
		return status_of(reply->error);
	}
	text_safe_line(safe, sizeof(safe), *reason ? reason : rest,
		       strlen(*reason ? reason : rest));
	if (*recipient)
		text_safe_line(whom, sizeof(whom), recipient, strlen(recipient));
	fprintf(stderr, "nuncio: %s: %s%s%s%s%s%s\n", name, field, *whom ? " '" : "", whom,
		*whom ? "'" : "", *field ? ": " : "", safe);
	return status_of(reply->error);
}

bool only_operands(struct context *context, int *argc, char ***argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	int c;

	while ((c = getopt_long(*argc, *argv, "", options, NULL)) == 'j')
		context->json = true;
	*argc -= optind;
	*argv += optind;
	return c == -1;
}

struct link *context_link(const struct context *context, int *ret_status)
{
	struct failure f;
	struct link *link = NULL;

	if (link_open(context->socket, &link, &f) < 0)
		*ret_status = say_failure(&f);
	return link;
}

int context_call(struct link *link, const char *method, json_t *parameters,
		 struct varlink_reply *reply)
{
	struct failure f;

	if (link_call(link, method, parameters, reply, &f) < 0)
		return say_failure(&f);
	if (!reply->error)
		return 0;
	int status = say_error(reply);
	varlink_reply_clear(reply);
	return status;
}

int context_check_message(struct link *link, json_int_t id)
{
	struct varlink_reply reply;
	int status = context_call(link, "Show", json_pack("{s:I}", "id", id), &reply);

	if (!status)
		varlink_reply_clear(&reply);
	return status;
}

void print_json(const json_t *value)
{
	AUTO(free) char *text = json_dumps(value, JSON_COMPACT);

	puts(text);
	fflush(stdout);
}

bool parse_id(const char *text, json_int_t *ret)
{
	char *end;
	long long number = strtoll(text, &end, 10);

	*ret = number;
	return *text && !*end && number > 0;
}

const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool route_has_transport(const json_t *status, const char *route)
{
	json_t *transport;
	size_t i;

	json_array_foreach(json_object_get(status, "transports"), i, transport)
	{
		if (strcmp(route, text_of(transport, "name")) == 0)
			return true;
	}
	return *route == '#';
}

static void print_help(FILE *to)
{
	fputs("usage: nuncio [--socket PATH] [--json] COMMAND ...\n\n", to);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(to, "  %-8s %s\n           %s\n", commands[i].name, commands[i].usage,
			commands[i].help);
	fputs("\nExit status as in sysexits.h. See nuncio(1).\n", to);
}

/* Is standard output a pipe or socket that nobody reads any more? */
static bool reader_is_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLHUP);
}

/* What could not be printed was not told, whatever became of it. A reader that went away
 * had enough. */
static int finish(int status)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_is_gone())
		return status;
	fprintf(stderr, "nuncio: standard output: %s\n",
		errno ? strerror(errno) : "not all of it could be written");
	return status ? status : EX_IOERR;
}

static int run_command(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"socket", required_argument, NULL, 'S'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{0}};
	int c;

	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		if (c == 'S') {
			context->socket = optarg;
		} else if (c == 'j') {
			context->json = true;
		} else if (c == 'V') {
			puts("nuncio " NUNCIO_VERSION);
			return 0;
		} else {
			print_help(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : EX_USAGE;
		}
	}
	if (optind >= argc) {
		print_help(stderr);
		return EX_USAGE;
	}
	const struct command *command = find_command(argv[optind]);
	if (!command) {
		fprintf(stderr, "nuncio: there is no command '%s'; see nuncio --help\n",
			argv[optind]);
		return EX_USAGE;
	}
	argc -= optind;
	argv += optind;
	optind = 0;
	return command->run(context, argc, argv);
}

int main(int argc, char **argv)
{
	struct context context = {0};

	setlocale(LC_CTYPE, "");
	if (argc && sendmail_is_called(argv[0]))
		return finish(sendmail_run(&context, argc, argv));
	return finish(run_command(&context, argc, argv));
}
