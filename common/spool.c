/* common/spool.c - see spool.h. What is to become of a file is for whoever reads it. */
#include "spool.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "text.h"

#define MAGIC "nuncio spool 1"

void spool_clear(struct spool *s)
{
	for (size_t i = 0; i < s->nrecipients; i++)
		free(s->recipients[i]);
	free(s->recipients);
	free(s->key);
	free(s->sender);
	free(s->notify);
	free(s->ret);
	free(s->envid);
	*s = (struct spool){0};
}

/* ---- writing ---- */

static bool is_value(const char *text, size_t len)
{
	return len <= SPOOL_LINE_MAX && text_is_utf8(text, len) && text_is_one_line(text, len);
}

static int add_line(struct buf *out, const char *word, const char *value, struct failure *f)
{
	if (!is_value(value, strlen(value)))
		return failure_set(f, FAILURE_REFUSED,
				   "'%s' is not UTF-8 on one line of at most %d bytes", value,
				   SPOOL_LINE_MAX);
	if (buf_printf(out, "%s %s\n", word, value) < 0)
		return failure_set(f, FAILURE_REFUSED, "the recipients are too many");
	return 0;
}

int spool_add_head(struct buf *out, const struct spool *s, struct failure *f)
{
	if (!s->nrecipients || s->nrecipients > SPOOL_RECIPIENTS_MAX)
		return failure_set(f, FAILURE_REFUSED, "a mail goes to 1 to %d recipients",
				   SPOOL_RECIPIENTS_MAX);
	buf_printf(out, MAGIC "\nsize %" PRIu64 "\n", s->size);
	if (add_line(out, "key", s->key, f) < 0 ||
	    (s->sender && add_line(out, "from", s->sender, f) < 0) ||
	    (s->notify && add_line(out, "notify", s->notify, f) < 0) ||
	    (s->ret && add_line(out, "ret", s->ret, f) < 0) ||
	    (s->envid && add_line(out, "envid", s->envid, f) < 0))
		return -1;
	for (size_t i = 0; i < s->nrecipients; i++) {
		if (add_line(out, "to", s->recipients[i], f) < 0)
			return -1;
	}
	if (out->len >= SPOOL_HEAD_MAX || buf_add_text(out, "\n") < 0)
		return failure_set(f, FAILURE_REFUSED, "the recipients are too many");
	return 0;
}

/* ---- reading ---- */

struct lines {
	const char *bytes;
	size_t len, at;
	struct failure *f;
};

/* The next line, if it is "word value" or, without value, the word alone. */
static bool next_line(struct lines *l, const char *word, const char **ret, size_t *ret_len)
{
	size_t word_len = strlen(word), left = l->len - l->at;
	const char *line = l->bytes + l->at;
	const char *end = left ? memchr(line, '\n', left) : NULL;

	if (!end || (size_t)(end - line) < word_len || memcmp(line, word, word_len) != 0)
		return false;
	*ret = line + word_len;
	*ret_len = (size_t)(end - *ret);
	l->at = (size_t)(end - l->bytes) + 1;
	return true;
}

static int broken(struct lines *l, const char *what)
{
	return failure_set(l->f, FAILURE_REFUSED, "not a spooled mail: %s", what);
}

static int read_size(struct lines *l, uint64_t *ret)
{
	const char *value;
	size_t len;
	uint64_t size = 0;

	if (!next_line(l, "size ", &value, &len) || !len || len > 18)
		return broken(l, "its size is missing");
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9' || (value[0] == '0' && len > 1))
			return broken(l, "its size is no number");
		size = size * 10 + (uint64_t)(value[i] - '0');
	}
	*ret = size;
	return 0;
}

static int read_value(struct lines *l, const char *word, bool may_be_empty, char **ret)
{
	const char *value;
	size_t len;

	if (!next_line(l, word, &value, &len))
		return 0;
	if ((!len && !may_be_empty) || !is_value(value, len))
		return broken(l, "a line is empty, too long or not UTF-8");
	*ret = xstrndup(value, len);
	return 0;
}

static int read_recipients(struct lines *l, struct spool *s)
{
	for (;;) {
		char *one = NULL;

		if (read_value(l, "to ", false, &one) < 0)
			return -1;
		if (!one)
			return 0;
		if (s->nrecipients == SPOOL_RECIPIENTS_MAX) {
			free(one);
			return broken(l, "it has too many recipients");
		}
		/* room for a power of two, which nrecipients is when that is full */
		if ((s->nrecipients & (s->nrecipients - 1)) == 0)
			s->recipients =
				xrealloc(s->recipients, (s->nrecipients ? 2 * s->nrecipients : 1) *
								sizeof(*s->recipients));
		s->recipients[s->nrecipients++] = one;
	}
}

static int read_lines(struct lines *l, struct spool *s)
{
	const char *rest;
	size_t len;

	if (!next_line(l, MAGIC, &rest, &len) || len)
		return broken(l, "it does not begin like one");
	if (read_size(l, &s->size) < 0 || read_value(l, "key ", false, &s->key) < 0)
		return -1;
	if (!s->key)
		return broken(l, "its key is missing");
	if (read_value(l, "from ", true, &s->sender) < 0 ||
	    read_value(l, "notify ", false, &s->notify) < 0 ||
	    read_value(l, "ret ", false, &s->ret) < 0 ||
	    read_value(l, "envid ", false, &s->envid) < 0 || read_recipients(l, s) < 0)
		return -1;
	if (!s->nrecipients)
		return broken(l, "nobody is to get it");
	if (!next_line(l, "", &rest, &len) || len)
		return broken(l, "a line has no meaning, or there is no end to them");
	return 0;
}

int spool_read_head(const char *bytes, size_t len, uint64_t file_size, struct spool *ret,
		    size_t *ret_mail, struct failure *f)
{
	struct lines l = {
		.bytes = bytes, .len = len < SPOOL_HEAD_MAX ? len : SPOOL_HEAD_MAX, .f = f};
	struct spool s = {0};
	int result = read_lines(&l, &s);

	if (result == 0 && (file_size < l.at || file_size - l.at != s.size))
		result = broken(&l, "it is not as long as it says");
	if (result < 0) {
		spool_clear(&s);
		return -1;
	}
	*ret = s;
	*ret_mail = l.at;
	return 0;
}
