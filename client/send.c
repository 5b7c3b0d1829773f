/* client/send.c - nuncio send: one message from a command line. */
#include "send.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auto.h"
#include "buf.h"
#include "command.h"
#include "content.h"
#include "duration.h"
#include "failure.h"
#include "link.h"
#include "varlink.h"
#include "watch.h"
#include "whom.h"

#define FILES_MAX 64

struct request {
	json_t *parameters; /* owned until sent */
	json_t *to;         /* in parameters */
	int files[FILES_MAX];
	size_t nfiles;
	bool wait, only_sent;
	int64_t timeout_ms;
};

static json_t *list_of(json_t *parameters, const char *name)
{
	json_t *list = json_object_get(parameters, name);

	if (!list) {
		list = json_array();
		json_object_set_new(parameters, name, list);
	}
	return list;
}

static int attach(struct request *r, const char *path)
{
	struct failure f;
	const char *slash = strrchr(path, '/');
	AUTO(free) char *name = content_utf8(slash ? slash + 1 : path);

	if (r->nfiles == FILES_MAX)
		return usage_error("send", "at most %d files", FILES_MAX);
	int fd = content_memfd(path, &f);
	if (fd < 0) {
		say_failure(&f);
		return EX_NOINPUT;
	}
	r->files[r->nfiles] = fd;
	json_array_append_new(list_of(r->parameters, "attachments"),
			      json_pack("{s:s, s:i}", "name", name, "descriptor", (int)r->nfiles));
	r->nfiles++;
	return 0;
}

static int add_media(struct request *r, const char *url)
{
	json_t *value = json_string(url);

	if (!value)
		return usage_error("send", "--media is not UTF-8");
	json_array_append_new(list_of(r->parameters, "media"), value);
	return 0;
}

static int set_text(struct request *r, const char *name, const char *path)
{
	struct failure f;
	AUTO(free) char *text = NULL;

	if (content_text(path, &text, &f) < 0) {
		say_failure(&f);
		return EX_NOINPUT;
	}
	json_object_set_new(r->parameters, name, json_string(text));
	return 0;
}

static int set_wait(struct request *r, const char *argument)
{
	r->wait = true;
	r->only_sent = argument && strcmp(argument, "sent") == 0;
	if (argument && !r->only_sent)
		return usage_error("send", "--wait, or --wait=sent");
	return 0;
}

/* clang-format off */
enum { OPT_HTML = 256, OPT_BY, OPT_FROM, OPT_AT, OPT_EXPIRES, OPT_PRIORITY, OPT_KEY, OPT_DEDUP, OPT_FALLBACK, OPT_MEDIA, OPT_HOLD, OPT_WAIT, OPT_TIMEOUT, OPT_JSON };
static const struct option options[] = {
	{ "subject",  required_argument, NULL, 's' },
	{ "attach",   required_argument, NULL, 'a' },
	{ "to",       required_argument, NULL, 't' },
	{ "cc",       required_argument, NULL, 'c' },
	{ "bcc",      required_argument, NULL, 'b' },
	{ "html",     required_argument, NULL, OPT_HTML },
	{ "by",       required_argument, NULL, OPT_BY },
	{ "from",     required_argument, NULL, OPT_FROM },
	{ "at",       required_argument, NULL, OPT_AT },
	{ "expires",  required_argument, NULL, OPT_EXPIRES },
	{ "priority", required_argument, NULL, OPT_PRIORITY },
	{ "key",      required_argument, NULL, OPT_KEY },
	{ "dedup",    required_argument, NULL, OPT_DEDUP },
	{ "fallback", required_argument, NULL, OPT_FALLBACK },
	{ "media",    required_argument, NULL, OPT_MEDIA },
	{ "hold",     no_argument,       NULL, OPT_HOLD },
	{ "wait",     optional_argument, NULL, OPT_WAIT },
	{ "timeout",  required_argument, NULL, OPT_TIMEOUT },
	{ "json",     no_argument,       NULL, OPT_JSON },
	{ 0 },
};
/* Options that are a parameter of Send by the same name. */
static const char *const plain[] = {
	['s'] = "subject", [OPT_BY] = "by", [OPT_FROM] = "from", [OPT_AT] = "at", [OPT_EXPIRES] = "expires",
	[OPT_PRIORITY] = "priority", [OPT_KEY] = "key", [OPT_DEDUP] = "dedup",
	[OPT_FALLBACK] = "fallback",
};
/* clang-format on */

static int take_option(struct context *context, struct request *r, int c)
{
	struct failure f;

	if (c < (int)(sizeof(plain) / sizeof(*plain)) && plain[c]) {
		json_t *value = json_string(optarg);

		if (!value)
			return usage_error("send", "--%s is not UTF-8", plain[c]);
		json_object_set_new(r->parameters, plain[c], value);
		return 0;
	}
	switch (c) {
	case 'a':
		return attach(r, optarg);
	case 't':
		return whom_add("send", r->to, optarg);
	case 'c':
	case 'b':
		return whom_add("send", list_of(r->parameters, c == 'c' ? "cc" : "bcc"), optarg);
	case OPT_MEDIA:
		return add_media(r, optarg);
	case OPT_HTML:
		return set_text(r, "html", optarg);
	case OPT_HOLD:
		json_object_set_new(r->parameters, "hold", json_true());
		return 0;
	case OPT_WAIT:
		return set_wait(r, optarg);
	case OPT_TIMEOUT:
		return duration_parse(optarg, &r->timeout_ms, &f) < 0
			       ? usage_error("send", "%s", f.text)
			       : 0;
	case OPT_JSON:
		context->json = true;
		return 0;
	default:
		return usage_error("send", "that is not an option of it");
	}
}

static int set_words(struct request *r, const char *text)
{
	json_t *value = json_string(text);

	if (!value)
		return usage_error("send", "the text is not UTF-8");
	json_object_set_new(r->parameters, "text", value);
	return 0;
}

/* The text: the arguments left, joined; without any, or for "-", standard input,
 * unless there is something else to send and nobody pipes anything in. */
static int take_text(struct request *r, char **words)
{
	struct buf text;
	bool has_more = json_object_get(r->parameters, "html") ||
			json_object_get(r->parameters, "media") || r->nfiles;

	if (!*words && has_more && isatty(STDIN_FILENO))
		return 0;
	if (!*words || (strcmp(*words, "-") == 0 && !words[1]))
		return set_text(r, "text", "-");
	buf_init(&text, 64 * 1024 * 1024);
	for (char **word = words; *word; word++) {
		if (buf_printf(&text, "%s%s", word == words ? "" : " ", *word) < 0)
			break;
	}
	int status = set_words(r, buf_bytes(&text));
	buf_clear(&text);
	return status;
}

static int refused(const struct varlink_reply *reply)
{
	int status = say_error(reply);

	/* files are no part of it */
	if (strcmp(text_of(reply->parameters, "field"), "request") == 0)
		fputs("nuncio: so long a text goes as a file: nuncio send -a FILE, or -a - for "
		      "standard input\n",
		      stderr);
	return status;
}

static int deliver(struct context *context, struct request *r)
{
	struct varlink_reply reply;
	struct failure f;
	int status = 0;
	AUTO(link_close) struct link *link = context_link(context, &status);

	if (!link)
		return status;
	if (link_send(link, "Send", TAKE(r->parameters), false, r->files, r->nfiles, &f) < 0 ||
	    link_receive(link, 0, &reply, &f) < 0)
		return say_failure(&f);
	json_int_t id = number_of(reply.parameters, "id");
	if (reply.error)
		status = refused(&reply);
	else if (context->json)
		print_json(reply.parameters);
	else
		printf("%lld\n", (long long)id);
	fflush(stdout);
	varlink_reply_clear(&reply);
	if (status || !r->wait)
		return status;
	/* three weeks and more: as good as for ever */
	return watch_wait(context, link, id, r->only_sent,
			  r->timeout_ms < INT_MAX ? (int)r->timeout_ms : INT_MAX);
}

int send_text(struct context *context, int argc, char **argv, const char *text)
{
	struct request r = {.parameters = json_object()};
	int c, status = 0;

	r.to = list_of(r.parameters, "to");
	while (!status && (c = getopt_long(argc, argv, "+s:a:t:c:b:", options, NULL)) != -1)
		status = take_option(context, &r, c);
	argv += optind;
	if (!status && json_array_size(r.to) == 0 && *argv)
		status = whom_add("send", r.to, *argv++);
	if (!status && json_array_size(r.to) == 0)
		status = usage_error("send", "to whom?");
	if (!status)
		status = text ? set_words(&r, text) : take_text(&r, argv);
	if (!status)
		status = deliver(context, &r);
	json_decref(r.parameters);
	for (size_t i = 0; i < r.nfiles; i++)
		close(r.files[i]);
	return status;
}

int send_run(struct context *context, int argc, char **argv)
{
	return send_text(context, argc, argv, NULL);
}
