/* client/mail_parse.c - nuncio-mail, which nuncio mail becomes: what the daemon reads in a
 * mail, for people and tests. A program of its own, because what reads mail takes
 * longer to load than all else nuncio does. */
#include <getopt.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "content.h"
#include "failure.h"
#include "message/parse.h"
#include "text.h"

#define HEX_SIZE (2 * EVP_MAX_MD_SIZE + 1)

static const struct {
	unsigned flaw;
	const char *name;
} flaws[] = {
	{FLAW_HEADER, "header"},     {FLAW_TWO_FROM, "double_field"}, {FLAW_FROM_LIST, "from"},
	{FLAW_MIME, "mime"},         {FLAW_CHARSET, "charset"},       {FLAW_DEEP, "deep"},
	{FLAW_PARTS, "many_parts"},  {FLAW_LARGE, "large"},           {FLAW_NUL, "nul"},
	{FLAW_DOUBTFUL, "doubtful"},
};
#define NFLAWS (sizeof(flaws) / sizeof(*flaws))

static json_t *text_or_null(const char *text)
{
	json_t *string = text ? json_string(text) : NULL;

	return string ? string : json_null();
}

static json_t *addresses(const struct mail_addresses *list)
{
	json_t *all = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(all, json_pack("{s:o, s:o}", "name",
						     text_or_null(list->at[i].name), "address",
						     text_or_null(list->at[i].address)));
	return all;
}

static json_t *digest(const char *bytes, size_t len)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char hex[HEX_SIZE] = "";
	unsigned n = 0;

	EVP_Digest(bytes, len, sum, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + (size_t)i * 2, 3, "%02x", sum[i]);
	return json_string(hex);
}

/* Of the same with LF line ends, all at the end taken off. */
static json_t *text_digest(const char *bytes, size_t len)
{
	AUTO(free) char *text = xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '\r' || i + 1 == len || bytes[i + 1] != '\n')
			text[n++] = bytes[i];
	while (n && text[n - 1] == '\n')
		n--;
	return digest(text, n);
}

static json_t *part_json(const struct mail_part *part)
{
	bool is_message = strncmp(part->type, "message/", 8) == 0;
	bool is_text = strncmp(part->type, "text/", 5) == 0;

	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "type", text_or_null(part->type),
			 "disposition", text_or_null(part->disposition), "filename",
			 text_or_null(part->filename), "safe_name", part->safe_name, "size",
			 is_message ? json_null() : json_integer((json_int_t)part->len), "sha256",
			 is_message ? json_null() : digest(part->bytes, part->len), "text_sha256",
			 is_text ? text_digest(part->bytes, part->len) : json_null());
}

static json_t *parts_json(const struct parsed *p, bool only_attachments)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->nparts; i++)
		if (p->parts[i].is_attachment || !only_attachments)
			json_array_append_new(all, part_json(&p->parts[i]));
	return all;
}

static json_t *flaws_json(const struct parsed *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < NFLAWS; i++)
		if (p->flaws & flaws[i].flaw)
			json_array_append_new(all, json_string(flaws[i].name));
	return all;
}

static void print_parsed_json(const struct parsed *p)
{
	json_t *all = json_pack(
		"{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:o}",
		"bytes", (json_int_t)p->len, "subject", text_or_null(p->subject), "from",
		addresses(&p->from), "to", addresses(&p->to), "cc", addresses(&p->cc), "reply_to",
		addresses(&p->reply_to), "message_id", text_or_null(p->message_id), "in_reply_to",
		text_or_null(p->in_reply_to), "date",
		p->has_date ? json_integer(p->date_ms / 1000) : json_null(), "has_text",
		p->has_text, "text", text_or_null(p->text), "has_html", p->has_html, "html",
		text_or_null(p->html), "parts", parts_json(p, false), "attachments",
		parts_json(p, true), "flaws", flaws_json(p));

	json_object_set_new(all, "automatic", text_or_null(parsed_is_automatic(p, NULL)));
	AUTO(free) char *text = json_dumps(all, JSON_COMPACT);

	puts(text);
	json_decref(all);
}

static void print_line(const char *name, const char *value)
{
	char safe[1000];

	if (value && *value)
		printf("%-12s %s\n", name,
		       text_safe_line(safe, sizeof(safe), value, strlen(value)));
}

static void print_addresses(const char *name, const struct mail_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mail_address *a = &list->at[i];
		AUTO(free)
		char *text =
			a->name ? xprintf("%s <%s>", a->name, a->address) : xstrdup(a->address);

		print_line(i ? "" : name, text);
	}
}

static void print_parsed(const struct parsed *p)
{
	const char *automatic = parsed_is_automatic(p, NULL);

	print_line("subject", p->subject);
	print_addresses("from", &p->from);
	print_addresses("to", &p->to);
	print_addresses("cc", &p->cc);
	print_line("message id", p->message_id);
	for (size_t i = 0; i < p->nparts; i++) {
		AUTO(free)
		char *text = xprintf("%s, %zu bytes%s%s", p->parts[i].type, p->parts[i].len,
				     p->parts[i].is_attachment ? ", saved as " : "",
				     p->parts[i].is_attachment ? p->parts[i].safe_name : "");

		print_line(i ? "" : "parts", text);
	}
	for (size_t i = 0; i < NFLAWS; i++)
		if (p->flaws & flaws[i].flaw)
			print_line("flaw", flaws[i].name);
	print_line("automatic", automatic);
	printf("\n%s", p->text);
	if (p->text_len && p->text[p->text_len - 1] != '\n')
		putchar('\n');
}

static int parse(const char *file, bool json)
{
	struct failure f;
	struct buf mail;

	buf_init(&mail, (size_t)1 << 30);
	if (content_bytes(file, &mail, &f) < 0) {
		fprintf(stderr, "nuncio: %s\n", f.text);
		return EX_NOINPUT;
	}
	struct parsed *p = parse_mail(buf_bytes(&mail), mail.len);

	if (json)
		print_parsed_json(p);
	else
		print_parsed(p);
	parsed_free(p);
	buf_clear(&mail);
	return 0;
}

/* Called by nuncio mail, which knows how it is used. */
int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	bool json = false;
	int c;

	setlocale(LC_CTYPE, "");
	while ((c = getopt_long(argc, argv, "", options, NULL)) == 'j')
		json = true;
	if (c != -1 || optind >= argc || argc - optind > 2 || strcmp(argv[optind], "parse") != 0)
		return EX_USAGE;
	return parse(optind + 1 < argc ? argv[optind + 1] : "-", json);
}
