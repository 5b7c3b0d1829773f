/* tests/fuzz/fuzz_dsn.c - any text where others' text comes into a notice, any mail as
 * the one it is about. No line of its own is broken by it, and no header field added. */
#include "message/dsn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "buf.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The next line of the input, as UTF-8; owned. */
static char *take(const uint8_t **data, size_t *size)
{
	const uint8_t *lf = *size ? memchr(*data, '\n', *size) : NULL;
	size_t len = lf ? (size_t)(lf - *data) : *size;
	char *text = xstrndup((const char *)*data, len);

	*data += lf ? len + 1 : len;
	*size -= lf ? len + 1 : len;
	if (!text_is_utf8(text, strlen(text)))
		*text = '\0';
	return text;
}

static size_t count(const struct buf *out, const char *what)
{
	size_t n = 0, len = strlen(what);

	for (size_t i = 0; i + len <= out->len; i++)
		n += memcmp(buf_bytes(out) + i, what, len) == 0;
	return n;
}

static void check(const struct dsn *d, size_t original_len)
{
	struct dsn empty = *d;
	struct buf with, without;

	buf_init(&with, 1 << 24);
	buf_init(&without, 1 << 24);
	dsn_compose(d, &with);
	empty.original = "";
	empty.original_len = 0;
	dsn_compose(&empty, &without);
	must(with.len >= without.len && with.len <= without.len + original_len + 80);
	must(count(&without, "\n") == count(&without, "\r\n") &&
	     count(&without, "\r") == count(&without, "\r\n"));
	must(count(&without, "\r\n--=_b\r\n") == 3 && count(&without, "\r\n--=_b--\r\n") == 1);
	must(count(&without, "\r\nFinal-Recipient: ") == d->n);
	buf_clear(&with);
	buf_clear(&without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address from = {.mailbox = (char *)"a@example.org",
			       .ascii = (char *)"a@example.org"};
	uint8_t flags = size ? data[0] : 0;

	data += size > 1 ? 2 : size;
	size -= size > 1 ? 2 : size;
	char *address = take(&data, &size), *subject = take(&data, &size);
	char *answer = take(&data, &size), *enhanced = take(&data, &size);
	struct dsn_recipient r = {.address = address,
				  .enhanced = enhanced,
				  .code = flags & 1 ? 550 : 0,
				  .text = answer,
				  .at_ms = flags & 2 ? 1000 : 0,
				  .expired = (flags & 4) != 0};

	check(&(struct dsn){.from = &from,
			    .to = "b@example.org",
			    .reporter = "box",
			    .message_id = "1@example.org",
			    .boundary = "=_b",
			    .marker = "m",
			    .envid = flags & 8 ? address : NULL,
			    .subject = flags & 16 ? subject : NULL,
			    .delay = (flags & 32) != 0,
			    .recipients = &r,
			    .n = 1,
			    .original = (const char *)data,
			    .original_len = size,
			    .whole = (flags & 64) != 0},
	      size);
	free(address);
	free(subject);
	free(answer);
	free(enhanced);
	return 0;
}
