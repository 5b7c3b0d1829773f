/* tests/fuzz/fuzz_imap.c - any bytes as what an IMAP server says, whole and in pieces of
 * the length the first byte names: both read the same. Then as a folder's name, which
 * must come back as it was, a string, a date and a cursor. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "failure.h"
#include "mailbox/imap_place.h"
#include "mailbox/imap_say.h"
#include "mailbox/imap_wire.h"

#define BODY_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct seen {
	size_t replies;
	uint64_t sum;
	bool bad;
};

static void add(struct seen *seen, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		seen->sum = seen->sum * 31 + (unsigned char)bytes[i];
}

static void use_reply(struct seen *seen, const struct imap_reply *r, const struct imap_parser *p)
{
	const char *at = r->words;
	uint32_t uid;

	must(p->text.len <= IMAP_TEXT_MAX && p->body.len <= BODY_MAX);
	if (r->kind == IMAP_SEARCH) { /* of one there may be several parts */
		while (imap_next_uid(&at, &uid))
			seen->sum = seen->sum * 31 + uid;
		return;
	}
	seen->replies++;
	seen->sum = seen->sum * 31 + (uint64_t)r->kind * 7 + (uint64_t)r->status;
	seen->sum += r->number + r->uid + r->size + (uint64_t)r->date_s;
	must(r->kind != IMAP_TAGGED || (*r->tag && r->status <= IMAP_BAD));
	add(seen, r->code, strlen(r->code));
	add(seen, r->code_text, strlen(r->code_text));
	if (r->text)
		add(seen, r->text, strlen(r->text));
	if (r->name)
		add(seen, r->name, strlen(r->name));
	if (r->has_body)
		add(seen, buf_bytes(&p->body), p->body.len);
}

static struct seen read_all(const char *bytes, size_t size, size_t piece)
{
	struct seen seen = {0};
	struct imap_parser parser;
	struct imap_reply reply;
	size_t at = 0, end = 0, used = 0;

	imap_parser_init(&parser);
	imap_parser_allow(&parser, BODY_MAX);
	while (at < size && !seen.bad) {
		struct failure f = {0};

		if (at == end)
			end = size - at < piece ? size : at + piece;
		switch (imap_parser_feed(&parser, bytes + at, end - at, &used, &reply, &f)) {
		case IMAP_PARSED_MORE:
			must(used == end - at);
			break;
		case IMAP_PARSED_REPLY:
			must(used > 0 && used <= end - at);
			use_reply(&seen, &reply, &parser);
			break;
		case IMAP_PARSED_BAD:
			must(f.kind == FAILURE_LATER && *f.text);
			seen.bad = true;
			break;
		}
		at += used;
	}
	imap_parser_clear(&parser);
	return seen;
}

static void use_folder(const char *name)
{
	struct imap_command c;
	struct buf back, text;
	int64_t date_s;

	imap_command_init(&c);
	buf_init(&back, IMAP_COMMAND_MAX);
	buf_init(&text, IMAP_COMMAND_MAX);
	imap_date_parse(name, &date_s);
	imap_is_atom(name);
	imap_folder_decode(&back, name);
	buf_clear(&back);
	if (imap_add_folder(&c, name, false) == 0) {
		const char *wire = buf_bytes(&c.bytes);

		must(c.bytes.len >= 2 && wire[0] == '"' && wire[c.bytes.len - 1] == '"');
		for (size_t i = 1; i + 1 < c.bytes.len; i++) {
			i += wire[i] == '\\';
			must(wire[i] >= ' ' && wire[i] <= '~');
			buf_add(&text, wire + i, 1);
		}
		must(imap_folder_decode(&back, buf_bytes(&text)) == 0);
		must(strcmp(buf_bytes(&back), name) == 0);
	}
	imap_command_wipe(&c);
	must(imap_add_string(&c, IMAP_LITERALS_MINUS, name, strlen(name)) == 0 ||
	     strlen(name) > IMAP_COMMAND_MAX / 2);
	imap_command_wipe(&c);
	buf_clear(&back);
	buf_clear(&text);
}

static void use_cursor(const char *text)
{
	char printed[IMAP_CURSOR_SIZE], again[IMAP_CURSOR_SIZE];
	struct imap_place place;

	imap_place_parse(&place, text, 0);
	imap_place_print(printed, &place);
	must(imap_place_floor(&place) == place.last);
	if (!place.known)
		return;
	imap_place_parse(&place, printed, 0);
	must(place.known && strcmp(printed, imap_place_print(again, &place)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	struct seen whole, pieces;
	char *text;

	if (size < 2)
		return 0;
	whole = read_all(bytes, size - 1, size);
	pieces = read_all(bytes, size - 1, (size_t)data[0] + 1);
	must(whole.bad == pieces.bad);
	must(whole.replies == pieces.replies && (whole.bad || whole.sum == pieces.sum));
	text = xstrndup(bytes, size - 1);
	use_folder(text);
	use_cursor(text);
	free(text);
	return 0;
}
