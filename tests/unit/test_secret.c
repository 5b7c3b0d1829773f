/* Secrets: read whole, compared, kept out of core dumps. */
#include "secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "expect.h"
#include "failure.h"

static char path[] = "/tmp/nuncio-secret-XXXXXX";

static void write_file(const void *bytes, size_t len)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	int fd = mkstemp(path);

	expect_int(write(fd, bytes, len), len);
	close(fd);
}

TEST(a_secret_is_a_copy)
{
	char bytes[] = "hunter2";
	AUTO(secret_free) struct secret *s = secret_new(bytes, 7);

	memset(bytes, 'x', 7);
	expect_bytes(secret_bytes(s), secret_len(s) + 1, "hunter2", 8);
}

TEST(comparison_is_of_all_bytes)
{
	AUTO(secret_free) struct secret *s = secret_new("a\0b", 3);

	expect_true(secret_equal(s, "a\0b", 3));
	expect_false(secret_equal(s, "a\0c", 3));
	expect_false(secret_equal(s, "a\0", 2));
	expect_false(secret_equal(s, "a\0bc", 4));
	expect_false(secret_equal(s, "", 0));
}

TEST(an_empty_secret_equals_nothing_only)
{
	AUTO(secret_free) struct secret *s = secret_new("", 0);

	expect_true(secret_equal(s, "", 0));
	expect_false(secret_equal(s, "a", 1));
	expect_text(secret_bytes(s), "");
}

static void expect_file(const char *bytes, size_t len, const char *want)
{
	AUTO(secret_free) struct secret *s = NULL;
	struct failure f = {0};

	write_file(bytes, len);
	int result = secret_read_file(path, &s, &f);

	unlink(path);
	expect_ok(result, &f);
	expect_text(secret_bytes(s), want);
	expect_int(secret_len(s), strlen(want));
}

TEST(a_file_loses_one_newline)
{
	expect_file("pass word", 9, "pass word");
	expect_file("pass\n", 5, "pass");
	expect_file("pass\n\n", 6, "pass\n");
	expect_file(" pass \n", 7, " pass ");
	expect_file("\xff\"\\'$", 5, "\xff\"\\'$");
}

static void expect_bad_file(const char *bytes, size_t len, const char *why)
{
	struct secret *s = NULL;
	struct failure f = {0};

	write_file(bytes, len);
	int result = secret_read_file(path, &s, &f);

	unlink(path);
	expect_failure(result, &f, FAILURE_SETUP);
	expect_null(s);
	expect_contains(f.text, path);
	expect_contains(f.text, why);
}

TEST(a_file_that_holds_no_secret_is_refused)
{
	expect_bad_file("", 0, "empty");
	expect_bad_file("\n", 1, "empty");
	expect_bad_file("a\0b", 3, "NUL");
}

TEST(the_ceiling_is_64_kib)
{
	AUTO(free) char *big = xmalloc(65537);
	AUTO(secret_free) struct secret *s = NULL;
	struct failure f = {0};

	memset(big, 'x', 65537);
	expect_bad_file(big, 65537, "64 KiB");
	write_file(big, 65536);
	int result = secret_read_file(path, &s, &f);

	unlink(path);
	expect_ok(result, &f);
	expect_int(secret_len(s), 65536);
}

TEST(what_is_no_file_is_refused)
{
	struct secret *s = NULL;
	struct failure f = {0};

	expect_failure(secret_read_file("/nonexistent", &s, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "No such file");
	expect_failure(secret_read_file("/tmp", &s, &f), &f, FAILURE_SETUP);
	expect_null(s);
}

TEST(a_fifo_does_not_stop_us)
{
	struct secret *s = NULL;
	struct failure f = {0};

	write_file("", 0);
	unlink(path);
	expect_int(mkfifo(path, 0600), 0);
	int result = secret_read_file(path, &s, &f);

	unlink(path);
	expect_failure(result, &f, FAILURE_SETUP);
}

/* "dd" among the flags of its mapping: not in a core dump. */
TEST(its_pages_stay_out_of_core_dumps)
{
	AUTO(secret_free) struct secret *s = secret_new("x", 1);
	unsigned long at = (unsigned long)secret_bytes(s), from, to;
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	bool ours = false, left_out = false;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			ours = from <= at && at < to;
		else if (ours && !strncmp(line, "VmFlags:", 8))
			left_out = strstr(line, " dd") != NULL;
	}
	if (maps)
		fclose(maps);
	expect_true(left_out);
}

TEST(wiping_leaves_zeros)
{
	char bytes[] = "hunter2";

	secret_wipe(bytes, 7);
	expect_bytes(bytes, 7, "\0\0\0\0\0\0\0", 7);
	secret_wipe(NULL, 0);
	secret_free(NULL);
}

RUN_TESTS()
