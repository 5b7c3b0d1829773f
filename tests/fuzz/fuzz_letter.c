/* tests/fuzz/fuzz_letter.c - a spec, and behind the first NUL its content. What is
 * taken for a letter goes out as a sound mail whose header has the fields it should
 * have and no other, however little of the content there is. */
#include "message/letter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "message/outgoing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONTENT_MAX = 1 << 20 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_our_field(const char *line)
{
	static const char *const names[] = {
		"Date:",         "From:",         "To:",          "Cc:",
		"Subject:",      "Message-ID:",   "X-Nuncio-Id:", "Auto-Su",
		"MIME-Version:", "Content-Type:", "Content-Tr",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(line, names[i], strlen(names[i])))
			return true;
	return *line == ' ';
}

static void check_header(const char *line)
{
	while (strncmp(line, "\r\n", 2) != 0) {
		size_t len = strcspn(line, "\r\n");

		must(len <= 998 && line[len] == '\r' && line[len + 1] == '\n');
		must(is_our_field(line));
		line += len + 2;
	}
}

static void check_body(const char *bytes, size_t len)
{
	size_t line = 0;

	for (size_t i = 0; i < len; i++) {
		line = bytes[i] == '\n' ? 0 : line + 1;
		must(line <= 999);
		must((bytes[i] == '\r') == (i + 1 < len && bytes[i + 1] == '\n'));
	}
}

/* What is missing of the content is made up. */
static void send_out(const struct letter *l, const char *content, size_t len)
{
	static char more[4096];
	struct outgoing *o = outgoing_new(l, OUTGOING_SEVEN_BIT);
	enum outgoing_step step;
	struct buf out;

	buf_init(&out, 1 << 26);
	must(outgoing_size(o) > 0);
	outgoing_feed(o, content, len);
	uint64_t left = letter_content_size(l) - len;

	while ((step = outgoing_step(o, &out, NULL)) != OUTGOING_END) {
		must(step != OUTGOING_BAD);
		size_t n = left < sizeof(more) ? (size_t)left : sizeof(more);

		if (step == OUTGOING_NEED) {
			must(n > 0);
			outgoing_feed(o, more, n);
			left -= n;
		}
	}
	check_header(buf_bytes(&out));
	check_body(buf_bytes(&out), out.len);
	outgoing_free(o);
	buf_clear(&out);
}

static void spec_is_stable(const struct letter *l)
{
	struct letter *again = NULL;
	char *spec = letter_to_spec(l);

	must(letter_from_spec(spec, strlen(spec), &again, NULL) == 0);
	char *second = letter_to_spec(again);

	must(!strcmp(spec, second));
	free(spec);
	free(second);
	letter_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *spec = (const char *)data;
	size_t spec_len = size ? strnlen(spec, size) : 0;
	const char *content = spec_len < size ? spec + spec_len + 1 : "";
	size_t content_len = spec_len < size ? size - spec_len - 1 : 0;
	struct letter *l = NULL;

	if (letter_from_spec(spec, spec_len, &l, NULL) < 0)
		return 0;
	spec_is_stable(l);
	/* attachment_is_mail() says that of what fits alone; this content may be anything */
	for (size_t i = 0; i < l->nattachments; i++)
		l->attachments[i].is_mail = false;
	if (l->kind == LETTER_COMPOSED && letter_content_size(l) <= CONTENT_MAX) {
		uint64_t all = letter_content_size(l);

		send_out(l, content, content_len < all ? content_len : (size_t)all);
	}
	letter_free(l);
	return 0;
}
