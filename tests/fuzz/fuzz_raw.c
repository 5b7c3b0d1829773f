/* tests/fuzz/fuzz_raw.c - any bytes as a raw mail. The first says how it is cut,
 * which must change nothing; what is taken goes out as it is and as 7 bit, sound. */
#include "message/raw.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "message/letter.h"
#include "message/outgoing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct letter *take(const char *bytes, size_t len, size_t piece, struct buf *stored)
{
	struct letter *l = letter_new();
	struct raw *raw = raw_new(l);
	int result = address_parse("box@example.com", 15, &l->from, NULL);

	l->message_id = xstrdup("ours@example.com");
	l->marker = xstrdup("cafe");
	buf_init(stored, 1 << 26);
	for (; len && result == 0; bytes += piece, len -= piece) {
		piece = piece < len ? piece : len;
		result = raw_feed(raw, bytes, piece, stored, NULL);
	}
	if (result == 0)
		result = raw_end(raw, stored, NULL);
	raw_free(raw);
	if (result == 0)
		return l;
	letter_free(l);
	buf_clear(stored);
	return NULL;
}

static void check_lines(const char *bytes, size_t len)
{
	size_t line = 0;

	for (size_t i = 0; i < len; i++) {
		line = bytes[i] == '\n' ? 0 : line + 1;
		must(line <= 999 && bytes[i]);
		must((bytes[i] == '\r') == (i + 1 < len && bytes[i + 1] == '\n'));
		must(bytes[i] != '\n' || (i && bytes[i - 1] == '\r'));
	}
	must(len >= 2 && bytes[len - 1] == '\n');
}

static void send_out(const struct letter *l, const struct buf *stored, bool eight_bit_ok)
{
	struct outgoing *o =
		outgoing_new(l, eight_bit_ok ? OUTGOING_EIGHT_BIT : OUTGOING_SEVEN_BIT);
	enum outgoing_step step;
	struct buf out;

	buf_init(&out, 1 << 26);
	outgoing_feed(o, buf_bytes(stored), stored->len);
	while ((step = outgoing_step(o, &out, NULL)) == OUTGOING_MORE)
		continue;
	must(step == OUTGOING_END);
	check_lines(buf_bytes(&out), out.len);
	outgoing_free(o);
	buf_clear(&out);
}

static void spec_survives(const struct letter *l)
{
	struct letter *again = NULL;
	char *spec = letter_to_spec(l);

	must(letter_from_spec(spec, strlen(spec), &again, NULL) == 0);
	free(spec);
	letter_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	const char *bytes = (const char *)data + 1;
	struct buf whole, cut;
	struct letter *l = take(bytes, size - 1, size, &whole);
	struct letter *same = take(bytes, size - 1, data[0] + 1u, &cut);

	must(!l == !same);
	if (!l)
		return 0;
	must(whole.len == cut.len && !memcmp(buf_bytes(&whole), buf_bytes(&cut), cut.len));
	must(l->raw_size == whole.len);
	spec_survives(l);
	send_out(l, &whole, true);
	send_out(l, &whole, false);
	letter_free(l);
	letter_free(same);
	buf_clear(&whole);
	buf_clear(&cut);
	return 0;
}
