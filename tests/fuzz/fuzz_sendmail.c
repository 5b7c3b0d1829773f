/* tests/fuzz/fuzz_sendmail.c - a command line, a word on each line up to an empty one,
 * and a mail on standard input behind it: no word is used twice, the mail that goes
 * out has a header that is read again as it is, and recipients are one safe word each. */
#include "client/sendmail_headers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "client/address_list.h"
#include "client/sendmail_input.h"
#include "client/sendmail_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 64 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_list(const struct address_list *l)
{
	must(l->n <= ADDRESS_LIST_MAX);
	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(l->list[i]);

		must(len > 0 && len <= ADDRESS_MAX && l->list[i][0] != ' ');
		for (size_t k = 0; k < len; k++)
			must((unsigned char)l->list[i][k] >= ' ' && l->list[i][k] != 0x7f);
	}
}

/* Through the filter in pieces of three bytes and at once, the same. */
static void filter(const char *mail, size_t len, bool dots_stay, struct buf *out)
{
	struct dot_filter whole = {.dots_stay = dots_stay}, pieces = whole;
	struct buf again;

	buf_init(&again, len);
	must(dot_filter_add(&whole, mail, len, out) == 0);
	for (size_t at = 0; at < len; at += 3)
		must(dot_filter_add(&pieces, mail + at, len - at < 3 ? len - at : 3, &again) == 0);
	must(whole.ended == pieces.ended && again.len == out->len);
	must(memcmp(buf_bytes(&again), buf_bytes(out), again.len) == 0);
	buf_clear(&again);
}

static void read_mail(const struct buf *mail, const struct sendmail_options *o)
{
	struct sendmail_headers h, again;
	struct address_list l = {0}, same = {0};
	struct buf out;

	must(sendmail_headers_read(buf_bytes(mail), mail->len, false, &h, NULL) == 0);
	must(h.start <= h.end && h.end <= h.body && h.body <= mail->len);
	buf_init(&out, 2 * mail->len + 4096);
	must(sendmail_headers_write(&h, h.has_from ? NULL : "root", o->name, &out) == 0);
	size_t end = out.len;
	/* what follows is body, even if it looks like a field */
	buf_add_text(&out, "To: nobody\n");
	must(sendmail_headers_read(buf_bytes(&out), out.len, false, &again, NULL) == 0);
	must(again.body == end && again.has_from);
	if (sendmail_headers_recipients(&h, &l, NULL) == 0 &&
	    sendmail_headers_recipients(&again, &same, NULL) == 0 &&
	    !memchr(h.bytes, '\0', mail->len))
		must(l.n == same.n);
	check_list(&l);
	address_list_clear(&l);
	address_list_clear(&same);
	buf_clear(&out);
}

static size_t read_words(char *text, size_t len, char **words, int *ret_n)
{
	size_t at = 0;
	int n = 0;

	while (at < len && n < WORDS_MAX) {
		char *end = memchr(text + at, '\n', len - at);

		if (!end || end == text + at)
			break;
		*end = '\0';
		words[n++] = text + at;
		at = (size_t)(end - text) + 1;
	}
	*ret_n = n;
	return at < len && text[at] == '\n' ? at + 1 : at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup(data, size), *words[WORDS_MAX];
	struct sendmail_options o;
	struct address_list l = {0};
	struct buf mail;
	int n;
	size_t at = read_words(text, size, words, &n);

	if (sendmail_options_read(n ? words[0] : "sendmail", n, words, &o, NULL) == 0) {
		for (size_t i = 0; i < o.nto; i++)
			address_list_add(&l, o.to[i], strlen(o.to[i]), NULL);
		must(o.nto < (size_t)n + 1);
	}
	check_list(&l);
	buf_init(&mail, size);
	filter(text + at, size - at, o.dots_stay, &mail);
	read_mail(&mail, &o);
	buf_clear(&mail);
	address_list_clear(&l);
	sendmail_options_clear(&o);
	free(text);
	return 0;
}
