/* client/text.c - nuncio text: one text message, to its owner unless said otherwise; or,
 * dry, what it would take. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auto.h"
#include "buf.h"
#include "content.h"
#include "failure.h"
#include "link.h"
#include "media.h"
#include "segments.h"
#include "send.h"
#include "throttle.h"
#include "varlink.h"

#define TEXT_MAX (1024 * 1024)
#define OWNER "me"

struct text {
	char *words;  /* owned; NULL: media alone */
	char **media; /* owned (media.h) */
	bool lines;   /* media go as lines of the text */
	bool dry, exact;
	int64_t price_micros; /* of a segment; < 0: not said */
	char currency[4];     /* of it: "USD", or "" */
	const char *wait;     /* the option as it is passed on, or NULL */
	const char *to, *by, *fallback;
};

/* A dry run may count nothing. */
static bool says_nothing(const struct text *t)
{
	return !t->dry && !t->media && !t->words[strspn(t->words, " \t\r\n")];
}

static int read_words(struct text *t)
{
	struct failure f;

	if (content_text("-", &t->words, &f) < 0) {
		say_failure(&f);
		return EX_NOINPUT;
	}
	if (says_nothing(t)) {
		fputs("nuncio text: there is no text on standard input\n", stderr);
		return EX_DATAERR;
	}
	return 0;
}

static int add_words(struct text *t, char **words)
{
	struct buf all;

	if (!*words && t->media && isatty(STDIN_FILENO))
		return 0;
	if (!*words || (strcmp(*words, "-") == 0 && !words[1]))
		return read_words(t);
	buf_init(&all, TEXT_MAX);
	for (char **word = words; *word; word++)
		buf_printf(&all, "%s%s", word == words ? "" : " ", *word);
	t->words = content_utf8(buf_bytes(&all));
	buf_clear(&all);
	if (says_nothing(t))
		return usage_error("text", "the text is empty; without one, it is read from "
					   "standard input");
	return 0;
}

static double price_of(const struct text *t, size_t segments)
{
	return (double)t->price_micros * (double)segments / 1e6;
}

/* With pictures it is not counted by segments. */
static void print_dry_picture(const struct context *context, const struct text *t, const char *text)
{
	size_t n = media_count(t->media);

	if (context->json) {
		json_t *all = json_pack("{s:b, s:o, s:i, s:s}", "mms", true, "media",
					media_to_json(t->media), "segments", 1, "text", text);

		if (t->price_micros >= 0)
			json_object_set_new(all, "price", json_real(price_of(t, 1)));
		if (t->price_micros >= 0 && *t->currency)
			json_object_set_new(all, "currency", json_string(t->currency));
		print_json(all);
		json_decref(all);
		return;
	}
	printf("%s%sMMS with %zu medi%s", text, *text ? "\n" : "", n, n == 1 ? "um" : "a");
	if (t->price_micros >= 0)
		printf(", about %.4f%s%s", price_of(t, 1), *t->currency ? " " : "", t->currency);
	putchar('\n');
}

static void print_dry(const struct context *context, const struct text *t, const char *text,
		      bool changed)
{
	struct segments s;

	segments_count(text, strlen(text), 0, &s);
	if (context->json) {
		json_t *all = json_pack("{s:s, s:I, s:I, s:b, s:s}", "encoding",
					sms_alphabet_name(s.alphabet), "units", (json_int_t)s.units,
					"segments", (json_int_t)s.segments, "changed", changed,
					"text", text);

		if (t->price_micros >= 0)
			json_object_set_new(all, "price", json_real(price_of(t, s.segments)));
		if (t->price_micros >= 0 && *t->currency)
			json_object_set_new(all, "currency", json_string(t->currency));
		print_json(all);
		json_decref(all);
		return;
	}
	printf("%s\n%s, %zu %s, %zu segment%s", text, sms_alphabet_name(s.alphabet), s.units,
	       s.alphabet == SMS_GSM7 ? "septets" : "units", s.segments,
	       s.segments == 1 ? "" : "s");
	if (t->price_micros >= 0)
		printf(", about %.4f%s%s", price_of(t, s.segments), *t->currency ? " " : "",
		       t->currency);
	printf("%s\n", changed ? "; look-alikes were put in, --exact keeps them out" : "");
}

static bool read_price(struct text *t, const char *price)
{
	const char *currency;

	if (price_parse(price, &t->price_micros, &currency, NULL) < 0)
		return false;
	snprintf(t->currency, sizeof(t->currency), "%s", currency);
	return true;
}

/* What it would be by this transport. What a picture costs no setting says. */
static void take_way(struct text *t, const json_t *row)
{
	t->lines = t->media && strcmp(text_of(row, "type"), "carrier") == 0;
	if (t->price_micros < 0 && (!t->media || t->lines))
		read_price(t, text_of(row, "price"));
}

/* What is configured for the transport that would carry it. Without a daemon, or a price,
 * there is no estimate, and no trouble either. */
static void ask_way(const struct context *context, struct text *t)
{
	AUTO(link_close) struct link *link = NULL;
	struct varlink_reply reply;
	struct failure f;
	json_t *row;
	size_t i;

	if (link_open(context->socket, &link, &f) < 0 ||
	    link_call(link, "Status", NULL, &reply, &f) < 0)
		return;
	json_array_foreach(json_object_get(reply.parameters, "transports"), i, row)
	{
		const char *type = text_of(row, "type");
		bool texts = strcmp(type, "twilio") == 0 || strcmp(type, "carrier") == 0;

		if (strcmp(t->by, "sms") == 0 ? texts : strcmp(text_of(row, "name"), t->by) == 0) {
			take_way(t, row);
			break;
		}
	}
	varlink_reply_clear(&reply);
}

static int dry_run(const struct context *context, struct text *t)
{
	AUTO(free) char *lines = media_lines(t->media);
	const char *words = t->words ? t->words : "";
	struct buf simple;
	bool changed = false;

	if (t->price_micros < 0 || t->media)
		ask_way(context, t);
	buf_init(&simple, 4 * TEXT_MAX);
	if (t->exact)
		buf_add_text(&simple, words);
	else
		changed = segments_simplify(words, strlen(words), &simple);
	if (t->lines)
		buf_printf(&simple, "%s%s", simple.len ? "\n" : "", lines);
	if (t->media && !t->lines)
		print_dry_picture(context, t, buf_bytes(&simple));
	else
		print_dry(context, t, buf_bytes(&simple), changed);
	buf_clear(&simple);
	return 0;
}

/* The rest is what send does, by texts. */
static int send(struct context *context, const struct text *t)
{
	static char media[] = "--media", fallback[] = "--fallback";
	char *argv[14 + 2 * MEDIA_MAX], **end = argv;

	*end++ = (char[]){"send"};
	*end++ = (char[]){"--by"};
	*end++ = (char *)(uintptr_t)t->by;
	if (t->fallback) {
		*end++ = fallback;
		*end++ = (char *)(uintptr_t)t->fallback;
	}
	for (char **one = t->media; one && *one; one++) {
		*end++ = media;
		*end++ = *one;
	}
	if (t->wait)
		*end++ = (char *)(uintptr_t)t->wait;
	if (context->json)
		*end++ = (char[]){"--json"};
	*end++ = (char[]){"--to"};
	*end++ = (char *)(uintptr_t)t->to;
	*end = NULL;
	optind = 0;
	return t->words ? send_text(context, (int)(end - argv), argv, t->words)
			: send_run(context, (int)(end - argv), argv);
}

static int take_wait(struct text *t, const char *until)
{
	if (!until || strcmp(until, "delivered") == 0)
		t->wait = "--wait";
	else if (strcmp(until, "sent") == 0)
		t->wait = "--wait=sent";
	else
		return usage_error("text", "--wait=sent, or --wait=delivered");
	return 0;
}

/* What the daemon would say of it, for --dry-run asks none. */
static int take_medium(struct text *t, const char *url)
{
	struct failure f;

	if (media_count(t->media) == MEDIA_MAX)
		return usage_error("text", "at most %d times --media", MEDIA_MAX);
	if (media_check(url, &f) < 0)
		return usage_error("text", "--media %s: %s", url, f.text);
	media_add(&t->media, url);
	return 0;
}

static int take_price(struct text *t, const char *price)
{
	if (!read_price(t, price))
		return usage_error("text", "--price takes that of a segment, like 0.0079");
	return 0;
}

static int take_option(struct context *context, struct text *t, int c)
{
	switch (c) {
	case 't':
		t->to = optarg;
		return 0;
	case 'b':
		t->by = optarg;
		return 0;
	case 'f':
		t->fallback = optarg;
		return 0;
	case 'm':
		return take_medium(t, optarg);
	case 'n':
		t->dry = true;
		return 0;
	case 'x':
		t->exact = true;
		return 0;
	case 'p':
		return take_price(t, optarg);
	case 'w':
		return take_wait(t, optarg);
	case 'j':
		context->json = true;
		return 0;
	default:
		return usage_error("text", "that is not an option of it");
	}
}

int text_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},    {"by", required_argument, NULL, 'b'},
		{"dry-run", no_argument, NULL, 'n'},     {"exact", no_argument, NULL, 'x'},
		{"price", required_argument, NULL, 'p'}, {"wait", optional_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'},        {"fallback", required_argument, NULL, 'f'},
		{"media", required_argument, NULL, 'm'}, {0},
	};
	struct text t = {.to = OWNER, .by = "sms", .price_micros = -1};
	int c, status = 0;

	while (!status && (c = getopt_long(argc, argv, "+t:n", options, NULL)) != -1)
		status = take_option(context, &t, c);
	if (!status && t.exact && !t.dry)
		status = usage_error("text", "--exact goes with --dry-run; for what is sent, see "
					     "`exact` in nuncio.conf(5)");
	if (!status)
		status = add_words(&t, argv + optind);
	if (!status)
		status = t.dry ? dry_run(context, &t) : send(context, &t);
	free(t.words);
	media_free(t.media);
	return status;
}
