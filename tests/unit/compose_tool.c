/* tests/unit/compose_tool.c - one message from its spec, or from a raw one, to stdout:
 *
 *   compose_tool [-8] [-c BYTES] SPEC-FILE <content
 *   compose_tool [-8] [-c BYTES] -r FROM <message     raw mail, as it is taken and sent
 *
 * -8: the receiver takes 8BITMIME; -c: content is fed in pieces of so many octets.
 * A line of JSON on stderr tells what is said of it beforehand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "message/letter.h"
#include "message/outgoing.h"
#include "message/raw.h"

enum { CONTENT_MAX = 1 << 28 };

static size_t piece = 65536;
static size_t largest_step;

static int fail(const struct failure *f)
{
	fprintf(stderr, "%s\n", f->text);
	return 1;
}

static void read_all(FILE *from, struct buf *to)
{
	char bytes[65536];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0)
		buf_add(to, bytes, n);
}

static void say(const struct outgoing *o)
{
	fprintf(stderr, "{\"size\": %llu, \"eight_bit\": %s, \"smtputf8\": %s}\n",
		(unsigned long long)outgoing_size(o), outgoing_is_eight_bit(o) ? "true" : "false",
		outgoing_needs_smtputf8(o) ? "true" : "false");
}

static void feed(struct outgoing *o, struct buf *content)
{
	size_t n = content->len < piece ? content->len : piece;

	outgoing_feed(o, buf_bytes(content), n);
	buf_drain(content, n);
}

static int send_out(const struct letter *letter, bool eight_bit_ok, struct buf *content)
{
	AUTO(outgoing_free)
	struct outgoing *o =
		outgoing_new(letter, eight_bit_ok ? OUTGOING_EIGHT_BIT : OUTGOING_SEVEN_BIT);
	enum outgoing_step step;
	struct failure f = {0};
	struct buf out;

	buf_init(&out, 1 << 20);
	say(o);
	do {
		step = outgoing_step(o, &out, &f);
		if (step == OUTGOING_NEED && !content->len) {
			failure_set(&f, FAILURE_REFUSED, "the content is too short");
			step = OUTGOING_BAD;
		}
		if (step == OUTGOING_NEED)
			feed(o, content);
		largest_step = out.len > largest_step ? out.len : largest_step;
		fwrite(buf_bytes(&out), 1, out.len, stdout);
		buf_clear(&out);
	} while (step == OUTGOING_MORE || step == OUTGOING_NEED);
	if (step == OUTGOING_BAD)
		return fail(&f);
	if (largest_step > 80000)
		failure_set(&f, FAILURE_REFUSED, "a step of %zu octets", largest_step);
	return largest_step > 80000 ? fail(&f) : 0;
}

static int compose(const char *path, bool eight_bit_ok, struct buf *content)
{
	AUTO(letter_free) struct letter *letter = NULL;
	struct failure f = {0};
	struct buf spec;
	FILE *file = fopen(path, "rb");

	buf_init(&spec, CONTENT_MAX);
	if (file) {
		read_all(file, &spec);
		fclose(file);
	}
	int result = letter_from_spec(buf_bytes(&spec), spec.len, &letter, &f);

	buf_clear(&spec);
	return result < 0 ? fail(&f) : send_out(letter, eight_bit_ok, content);
}

static int take_raw(struct letter *letter, struct buf *content, struct buf *stored,
		    struct failure *f)
{
	AUTO(raw_free) struct raw *raw = raw_new(letter);

	while (content->len) {
		size_t n = content->len < piece ? content->len : piece;

		if (raw_feed(raw, buf_bytes(content), n, stored, f) < 0)
			return -1;
		buf_drain(content, n);
	}
	return raw_end(raw, stored, f);
}

static int pass_raw(const char *from, bool eight_bit_ok, struct buf *content)
{
	AUTO(letter_free) struct letter *letter = letter_new();
	AUTO(letter_free) struct letter *again = NULL;
	struct failure f = {0};
	struct buf stored;

	buf_init(&stored, CONTENT_MAX);
	letter->date_ms = 1790000000000;
	letter->message_id = xstrdup("made@example.com");
	letter->marker = xstrdup("0123456789abcdef");
	int result = address_parse(from, strlen(from), &letter->from, &f);

	if (result == 0)
		result = take_raw(letter, content, &stored, &f);
	if (result == 0) {
		AUTO(free) char *spec = letter_to_spec(letter);

		result = letter_from_spec(spec, strlen(spec), &again, &f);
	}
	if (result == 0)
		result = send_out(again, eight_bit_ok, &stored);
	else
		fail(&f);
	buf_clear(&stored);
	return result ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool eight_bit_ok = false, raw = false;
	struct buf content;
	int option;

	while ((option = getopt(argc, argv, "8c:r")) != -1) {
		if (option == '8')
			eight_bit_ok = true;
		else if (option == 'c')
			piece = strtoul(optarg, NULL, 10);
		else
			raw = true;
	}
	if (optind + 1 != argc || !piece)
		return 2;
	buf_init(&content, CONTENT_MAX);
	read_all(stdin, &content);
	int result = raw ? pass_raw(argv[optind], eight_bit_ok, &content)
			 : compose(argv[optind], eight_bit_ok, &content);

	buf_clear(&content);
	return result;
}
