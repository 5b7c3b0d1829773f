/* tests/fuzz/fuzz_parse.c - any octets as a mail: it is always read, all that comes out is
 * safe to use, stays below the ceilings, and is the same when it is read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "message/parse.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_line(const char *line)
{
	must(!line || (text_is_utf8(line, strlen(line)) && text_is_one_line(line, strlen(line))));
}

static void check_addresses(const struct mail_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		must(list->at[i].address != NULL);
		check_line(list->at[i].address);
		check_line(list->at[i].name);
		must(!list->at[i].name || *list->at[i].name);
	}
}

static void check_text(const char *text, size_t len)
{
	must(text_is_utf8(text, len) && !text[len] && !memchr(text, '\r', len));
}

static void check_part(const struct parsed *p, size_t n)
{
	const struct mail_part *part = &p->parts[n];

	check_line(part->filename);
	check_line(part->disposition);
	must(strchr(part->type, '/') && !part->bytes[part->len] && part->len <= p->len);
	must(*part->safe_name && strlen(part->safe_name) <= 255);
	must(!strchr(part->safe_name, '/') && *part->safe_name != '.' && *part->safe_name != '-');
	check_line(part->safe_name);
	for (size_t i = 0; i < n; i++)
		must(strcmp(p->parts[i].safe_name, part->safe_name) != 0);
}

static void check_fields(const struct parsed *p)
{
	const char *end = p->bytes;

	must(p->nfields <= PARSE_FIELDS_MAX);
	for (size_t i = 0; i < p->nfields; i++) {
		const struct mail_field *f = &p->fields[i];

		must(f->name_len && f->name >= end && f->value > f->name);
		end = f->value + f->value_len;
		must(end <= p->bytes + p->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(parsed_free) struct parsed *p = parse_mail((const char *)data, size);
	AUTO(parsed_free) struct parsed *again = parse_mail((const char *)data, size);

	check_line(p->subject);
	check_line(p->message_id);
	check_line(p->in_reply_to);
	for (char **id = p->references; id && *id; id++)
		check_line(*id);
	check_addresses(&p->from);
	check_addresses(&p->to);
	check_addresses(&p->cc);
	check_addresses(&p->reply_to);
	check_addresses(&p->sender);
	check_text(p->text, p->text_len);
	if (p->html)
		check_text(p->html, p->html_len);
	must(p->nparts <= PARSE_PARTS_MAX);
	for (size_t i = 0; i < p->nparts; i++)
		check_part(p, i);
	check_fields(p);
	must(p->from.n == 1 || p->flaws & FLAW_FROM_LIST);
	must(p->flaws == again->flaws && p->nparts == again->nparts &&
	     p->text_len == again->text_len && memcmp(p->text, again->text, p->text_len) == 0);
	parsed_is_automatic(p, "box");
	return 0;
}
