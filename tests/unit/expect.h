/* tests/unit/expect.h - thin names over cmocka. TEST(name) { ... } registers
 * itself; one RUN_TESTS() at the end of the file is its main(), which takes
 * the name of a test (with * and ?) as a filter. got comes first, want second. */
#ifndef NUNCIO_TESTS_EXPECT_H
#define NUNCIO_TESTS_EXPECT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct CMUnitTest expect_tests[256] __attribute__((unused));
static size_t expect_ntests __attribute__((unused));

#define TEST(test_name)                                                                            \
	static void test_name(void **test_state);                                                  \
	__attribute__((constructor)) static void test_name##_register(void)                        \
	{                                                                                          \
		if (expect_ntests == sizeof(expect_tests) / sizeof(*expect_tests))                 \
			abort();                                                                   \
		expect_tests[expect_ntests++] =                                                    \
			(struct CMUnitTest){.name = #test_name, .test_func = test_name};           \
	}                                                                                          \
	static void test_name(void **test_state __attribute__((unused)))

#define RUN_TESTS()                                                                                \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		if (argc > 1)                                                                      \
			cmocka_set_test_filter(argv[1]);                                           \
		return _cmocka_run_group_tests(__FILE__, expect_tests, expect_ntests, NULL, NULL); \
	}

#define expect_true(condition) assert_true(condition)
#define expect_false(condition) assert_false(condition)
#define expect_null(pointer) assert_true(!(pointer))
#define expect_some(pointer) assert_true((pointer) != NULL)
#define expect_int(got, want) expect_int_at((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__)
#define expect_text(got, want) expect_text_at((got), (want), __FILE__, __LINE__)
#define expect_contains(text, part) expect_contains_at((text), (part), __FILE__, __LINE__)
#define expect_bytes(got, got_len, want, want_len)                                                 \
	expect_bytes_at((got), (got_len), (want), (want_len), __FILE__, __LINE__)
/* What returns 0 or -1 and fills a struct failure f. */
#define expect_ok(call, f)                                                                         \
	do {                                                                                       \
		if ((call) != 0)                                                                   \
			expect_stop(__FILE__, __LINE__, "%s failed: %s", #call, (f)->text);        \
	} while (0)
#define expect_failure(call, f, want_kind)                                                         \
	do {                                                                                       \
		if ((call) == 0)                                                                   \
			expect_stop(__FILE__, __LINE__, "%s should have failed", #call);           \
		expect_int((f)->kind, (want_kind));                                                \
	} while (0)

#define expect_stop(file, line, ...)                                                               \
	do {                                                                                       \
		print_error(__VA_ARGS__);                                                          \
		print_error("\n");                                                                 \
		_fail((file), (line));                                                             \
	} while (0)

static inline void expect_int_at(intmax_t got, intmax_t want, const char *file, int line)
{
	if (got != want)
		expect_stop(file, line, "got %jd, want %jd", got, want);
}

static inline void expect_text_at(const char *got, const char *want, const char *file, int line)
{
	if (!got && !want)
		return;
	if (!got || !want || strcmp(got, want) != 0)
		expect_stop(file, line, "got  [%s]\nwant [%s]", got ? got : "(null)",
			    want ? want : "(null)");
}

static inline void expect_contains_at(const char *text, const char *part, const char *file,
				      int line)
{
	if (!text || !strstr(text, part))
		expect_stop(file, line, "[%s]\nshould contain [%s]", text ? text : "(null)", part);
}

static inline void expect_bytes_at(const void *got, size_t got_len, const void *want,
				   size_t want_len, const char *file, int line)
{
	if (got_len != want_len)
		expect_stop(file, line, "got %zu bytes, want %zu", got_len, want_len);
	if (want_len && memcmp(got, want, want_len) != 0)
		expect_stop(file, line, "the %zu bytes differ:\ngot  [%.*s]\nwant [%.*s]", want_len,
			    (int)got_len, (const char *)got, (int)want_len, (const char *)want);
}
#endif
