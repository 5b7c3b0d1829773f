/* tests/fuzz/fuzz_smtp_reply.c - any bytes as what an SMTP server says, whole and
 * in pieces of the length the first byte names: both read the same. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "text.h"
#include "transport/smtp_outcome.h"
#include "transport/smtp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void use_reply(const struct smtp_reply *reply)
{
	struct smtp_caps caps;
	struct outcome o;
	char line[200];

	must(reply->code >= 200 && reply->code <= 599);
	must(reply->text_len <= SMTP_TEXT_MAX && reply->text[reply->text_len] == '\0');
	must(!*reply->enhanced || reply->enhanced[0] == '0' + reply->code / 100);
	smtp_caps_parse(reply, &caps);
	must(text_is_one_line(caps.auth, strlen(caps.auth)));
	smtp_outcome_of(&o, OUTCOME_LATER, reply);
	must(text_is_one_line(o.text, strlen(o.text)) && text_is_utf8(o.text, strlen(o.text)));
	smtp_reply_line(line, sizeof(line), reply);
	must(text_is_one_line(line, strlen(line)));
	for (unsigned at = SMTP_AT_GREETING; at <= SMTP_AT_RSET; at <<= 1)
		must(smtp_judge((enum smtp_moment)at, reply) <= SMTP_NONSENSE);
}

struct seen {
	size_t replies;
	uint64_t sum;
	bool bad;
};

static struct seen read_all(const char *bytes, size_t size, size_t piece)
{
	struct seen seen = {0};
	struct smtp_parser parser;
	struct smtp_reply reply;
	size_t at = 0, end = 0, used = 0;

	smtp_parser_init(&parser);
	while (at < size && !seen.bad) {
		struct failure f = {0};

		if (at == end)
			end = size - at < piece ? size : at + piece;
		switch (smtp_parser_feed(&parser, bytes + at, end - at, &used, &reply, &f)) {
		case SMTP_PARSED_MORE:
			must(used == end - at);
			break;
		case SMTP_PARSED_REPLY:
			must(used > 0 && used <= end - at);
			use_reply(&reply);
			seen.replies++;
			seen.sum = seen.sum * 31 + (uint64_t)reply.code * 7 + reply.text_len;
			break;
		case SMTP_PARSED_BAD:
			must(f.kind == FAILURE_LATER && *f.text);
			seen.bad = true;
			break;
		}
		at += used;
	}
	smtp_parser_clear(&parser);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	struct seen whole, pieces;

	if (size < 2)
		return 0;
	whole = read_all(bytes, size - 1, size);
	pieces = read_all(bytes, size - 1, (size_t)data[0] + 1);
	must(whole.replies == pieces.replies && whole.sum == pieces.sum && whole.bad == pieces.bad);
	return 0;
}
