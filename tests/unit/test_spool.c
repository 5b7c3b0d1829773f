/* Spooled mails: what one end writes the other reads, and nothing that was cut short,
 * changed or made up is taken. */
#include "spool.h"

#include "alloc.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"

static void texts(size_t n, const char *const *from, char ***ret)
{
	char **list = xcalloc(n ? n : 1, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = xstrdup(from[i]);
	*ret = list;
}

static struct spool spool(const char *sender, size_t n, const char *const *to, uint64_t size)
{
	struct spool s = {.key = xstrdup("k1"),
			  .sender = sender ? xstrdup(sender) : NULL,
			  .nrecipients = n,
			  .size = size};

	texts(n, to, &s.recipients);
	return s;
}

static void expect_written(const char *sender, size_t n, const char *const *to, const char *want)
{
	struct spool s = spool(sender, n, to, 5), again;
	struct failure f;
	struct buf out;
	size_t mail;

	buf_init(&out, SPOOL_HEAD_MAX);
	expect_ok(spool_add_head(&out, &s, &f), &f);
	expect_text(buf_bytes(&out), want);
	buf_add_text(&out, "mail\n");
	expect_ok(spool_read_head(buf_bytes(&out), out.len, out.len, &again, &mail, &f), &f);
	expect_int(mail, strlen(want));
	expect_text(again.key, "k1");
	expect_text(again.sender, sender);
	expect_int(again.nrecipients, n);
	for (size_t i = 0; i < n; i++)
		expect_text(again.recipients[i], to[i]);
	expect_int(again.size, 5);
	spool_clear(&again);
	spool_clear(&s);
	buf_clear(&out);
}

TEST(what_is_written_is_read)
{
	const char *const to[] = {"ops@example.org", "root", "größe@example.org", "\"a b\"@x.org"};

	expect_written(NULL, 1, to, "nuncio spool 1\nsize 5\nkey k1\nto ops@example.org\n\n");
	expect_written("", 1, to, "nuncio spool 1\nsize 5\nkey k1\nfrom \nto ops@example.org\n\n");
	expect_written("me@example.org", 4, to,
		       "nuncio spool 1\nsize 5\nkey k1\nfrom me@example.org\nto ops@example.org\n"
		       "to root\nto größe@example.org\nto \"a b\"@x.org\n\n");
}

static void expect_not_written(const char *sender, size_t n, const char *const *to)
{
	struct spool s = spool(sender, n, to, 5);
	struct failure f = {0};
	struct buf out;

	buf_init(&out, SPOOL_HEAD_MAX);
	expect_failure(spool_add_head(&out, &s, &f), &f, FAILURE_REFUSED);
	spool_clear(&s);
	buf_clear(&out);
}

TEST(what_would_not_be_read_is_not_written)
{
	const char *const two_lines[] = {"a@example.org\nto b@example.org"};
	const char *const latin[] = {"gr\xf6\xdf"
				     "e@example.org"};
	const char *const good[] = {"a@example.org"};
	char *longer = xcalloc(1, SPOOL_LINE_MAX + 2);
	const char *const too_long[] = {longer};

	memset(longer, 'a', SPOOL_LINE_MAX + 1);
	expect_not_written(NULL, 0, good);
	expect_not_written(NULL, 1, two_lines);
	expect_not_written(NULL, 1, latin);
	expect_not_written(NULL, 1, too_long);
	expect_not_written("a\rb", 1, good);
	free(longer);
}

static void expect_refused(const char *file, const char *part)
{
	struct spool s;
	struct failure f = {0};
	size_t mail;

	expect_failure(spool_read_head(file, strlen(file), strlen(file), &s, &mail, &f), &f,
		       FAILURE_REFUSED);
	expect_contains(f.text, part);
}

TEST(only_whole_files_are_read)
{
	static const char good[] = "nuncio spool 1\nsize 4\nkey k\nfrom \nto a\n\nmail";
	struct spool s;
	struct failure f;
	size_t mail;

	expect_ok(spool_read_head(good, strlen(good), strlen(good), &s, &mail, &f), &f);
	spool_clear(&s);
	for (size_t len = 0; len < strlen(good); len++)
		expect_failure(spool_read_head(good, len, len, &s, &mail, &f), &f, FAILURE_REFUSED);
	expect_refused("nuncio spool 1\nsize 4\nkey k\nto a\n\nmail!", "not as long");
	/* the rest of the file need not be there */
	expect_ok(spool_read_head(good, strlen(good) - 4, strlen(good), &s, &mail, &f), &f);
	expect_int(mail, strlen(good) - 4);
	spool_clear(&s);
}

TEST(what_is_no_such_file_is_refused)
{
	expect_refused("", "begin");
	expect_refused("From: me\n\nmail", "begin");
	expect_refused("nuncio spool 2\nsize 0\nkey k\nto a\n\n", "begin");
	expect_refused("nuncio spool 10\nsize 0\nkey k\nto a\n\n", "begin");
	expect_refused("nuncio spool 1\nkey k\nto a\n\n", "size");
	expect_refused("nuncio spool 1\nsize -1\nkey k\nto a\n\n", "no number");
	expect_refused("nuncio spool 1\nsize 00\nkey k\nto a\n\n", "no number");
	expect_refused("nuncio spool 1\nsize \nkey k\nto a\n\n", "size");
	expect_refused("nuncio spool 1\nsize 9999999999999999999\nkey k\nto a\n\n", "size");
	expect_refused("nuncio spool 1\nsize 0\nto a\n\n", "key");
	expect_refused("nuncio spool 1\nsize 0\nkey \nto a\n\n", "empty");
	expect_refused("nuncio spool 1\nsize 0\nkey k\n\n", "nobody");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto \n\n", "empty");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto a\nfrom b\n\n", "no meaning");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto a\nuid 0\n\n", "no meaning");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto a\n", "no end");
	expect_refused("nuncio spool 1\nsize 0\nkey k\r\nto a\n\n", "UTF-8");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto a\tb\n\n", "UTF-8");
	expect_refused("nuncio spool 1\nsize 0\nkey k\nto \xff\n\n", "UTF-8");
}

TEST(a_nul_byte_is_no_text)
{
	static const char file[] = "nuncio spool 1\nsize 0\nkey k\nto a\0b\n\n";
	struct spool s;
	struct failure f = {0};
	size_t mail;

	expect_failure(spool_read_head(file, sizeof(file) - 1, sizeof(file) - 1, &s, &mail, &f), &f,
		       FAILURE_REFUSED);
}

TEST(recipients_have_a_ceiling)
{
	struct spool s;
	struct failure f = {0};
	struct buf out;
	size_t mail;

	buf_init(&out, SPOOL_HEAD_MAX);
	buf_add_text(&out, "nuncio spool 1\nsize 0\nkey k\n");
	for (size_t i = 0; i < SPOOL_RECIPIENTS_MAX; i++)
		buf_printf(&out, "to a%zu\n", i);
	buf_add_text(&out, "\n");
	expect_ok(spool_read_head(buf_bytes(&out), out.len, out.len, &s, &mail, &f), &f);
	expect_int(s.nrecipients, SPOOL_RECIPIENTS_MAX);
	expect_text(s.recipients[SPOOL_RECIPIENTS_MAX - 1], "a9999");
	spool_clear(&s);
	char *bytes = xstrdup(buf_bytes(&out));
	bytes[out.len - 1] = 't';
	buf_clear(&out);
	buf_add_text(&out, bytes);
	buf_add_text(&out, "o one-more\n\n");
	expect_failure(spool_read_head(buf_bytes(&out), out.len, out.len, &s, &mail, &f), &f,
		       FAILURE_REFUSED);
	expect_contains(f.text, "too many");
	free(bytes);
	buf_clear(&out);
}

RUN_TESTS()
