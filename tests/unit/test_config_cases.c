/* tests/unit/test_config_cases.c - tests/cases/config: each file of good/ loads
 * without a word; of bad/, what is said is what stands beside it. */
#include <dirent.h>

#include "alloc.h"
#include "config/config.h"
#include "config_house.h"
#include "expect.h"

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".conf");
}

/* Returns how many of the cases came out otherwise. */
static unsigned run_cases(unsigned (*judge)(const char *name), unsigned at_least)
{
	struct dirent **cases = NULL;
	int count = scandir(".", &cases, is_case, alphasort);
	unsigned wrong = 0;

	expect_true(count >= (int)at_least);
	for (int i = 0; i < count; i++) {
		wrong += judge(cases[i]->d_name);
		free(cases[i]);
	}
	free(cases);
	return wrong;
}

static unsigned judge_good(const char *name)
{
	const struct config *config = house_load(name);
	bool good = config && !house_said()[0];

	if (!good)
		print_error("%s: should be good, but:\n%s", name, house_said());
	config_unref(config);
	return !good;
}

static unsigned judge_bad(const char *name)
{
	const struct config *config = house_load(name);
	AUTO(free) char *path = xprintf("%.*s.expect", (int)strlen(name) - 5, name);
	AUTO(free) char *want = house_read(path);
	bool right = !config && want && !strcmp(house_said(), want);

	if (!right)
		print_error("%s: said\n%swant\n%s\n", name, house_said(), want ? want : "(none)");
	config_unref(config);
	return !right;
}

TEST(good_files_load_without_a_word)
{
	house_open();
	house_copy(TEST_CASES "/config/good");
	expect_int(run_cases(judge_good, 10), 0);
	house_close();
}

TEST(bad_files_are_refused_with_the_sentence_beside_them)
{
	house_open();
	house_copy(TEST_CASES "/config/bad");
	expect_int(run_cases(judge_bad, 100), 0);
	house_close();
}

TEST(no_sentence_shows_a_secret)
{
	house_open();
	house_copy(TEST_CASES "/config/bad");
	static const char *const holders[] = {"secret_bare.conf", "url_password.conf",
					      "quote_inside.conf", "tls_none_password.conf",
					      "secret_relative.conf"};

	for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++) {
		expect_null(house_load(holders[i]));
		expect_true(!strstr(house_said(), "geheim"));
		expect_true(!strstr(house_said(), "def"));
	}
	house_close();
}

RUN_TESTS()
