/* Who may do what: rows of `access` and callers, without any socket. */
#include "server/rights.h"

#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "config/config.h"
#include "expect.h"
#include "failure.h"

#define RIGHTS_ALL (RIGHT_SEND | RIGHT_SUBMIT | RIGHT_OPERATE | RIGHT_LOOK | RIGHT_RUN)

static const struct config *config_of(const char *access)
{
	char path[] = "/tmp/nuncio-rights-XXXXXX";
	const struct config *config = NULL;
	struct failure f = {0};
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	fchmod(fd, 0600);
	fprintf(file, "from = \"Box <box@example.com>\";\nstate = \"/tmp\";\n%s\n", access);
	fclose(file);
	expect_ok(config_load(path, &config, NULL, NULL, &f), &f);
	unlink(path);
	return config;
}

static struct caller_group staff_groups[] = {{.gid = 100, .name = (char *)"users"},
					     {.gid = 50, .name = (char *)"staff"},
					     {.gid = 51, .name = NULL}};
static const struct caller ana = {.uid = 1000,
				  .gid = 100,
				  .named = true,
				  .user = (char *)"ana",
				  .groups = staff_groups,
				  .ngroups = 3};

static unsigned rights(const char *access, const struct caller *caller)
{
	const struct config *config = config_of(access);
	unsigned result = rights_of(config, caller);

	config_unref(config);
	return result;
}

TEST(without_rows_everyone_sends_and_nobody_operates)
{
	expect_int(rights("", &ana), RIGHT_SEND | RIGHT_SUBMIT);
}

TEST(root_and_the_daemons_own_user_may_do_everything)
{
	struct caller root = {.uid = 0, .trusted = true};

	expect_int(rights("access = ( { users = [\"nobody\"]; may = [\"send\"]; } );", &root),
		   RIGHTS_ALL);
}

TEST(with_rows_who_fits_none_may_nothing)
{
	expect_int(rights("access = ( { users = [\"bo\"]; may = [\"send\"]; } );", &ana), 0);
	expect_int(rights("access = ( { users = [\"1001\"]; may = [\"send\"]; } );", &ana), 0);
	expect_int(rights("access = ( { groups = [\"wheel\"]; may = [\"send\"]; } );", &ana), 0);
}

TEST(users_fit_by_name_by_number_and_by_star)
{
	expect_int(rights("access = ( { users = [\"bo\", \"ana\"]; may = [\"send\"]; } );", &ana),
		   RIGHT_SEND);
	expect_int(rights("access = ( { users = [\"1000\"]; may = [\"look\"]; } );", &ana),
		   RIGHT_LOOK);
	expect_int(rights("access = ( { users = [\"*\"]; may = [\"submit\"]; } );", &ana),
		   RIGHT_SUBMIT);
}

TEST(a_name_is_no_pattern_and_no_prefix)
{
	expect_int(rights("access = ( { users = [\"an\"]; may = [\"send\"]; } );", &ana), 0);
	expect_int(rights("access = ( { users = [\"a*\"]; may = [\"send\"]; } );", &ana), 0);
	expect_int(rights("access = ( { users = [\"01000x\"]; may = [\"send\"]; } );", &ana), 0);
}

TEST(groups_fit_by_name_by_number_and_supplementary_ones_too)
{
	expect_int(rights("access = ( { groups = [\"users\"]; may = [\"send\"]; } );", &ana),
		   RIGHT_SEND);
	expect_int(rights("access = ( { groups = [\"staff\"]; may = [\"operate\"]; } );", &ana),
		   RIGHT_OPERATE);
	expect_int(rights("access = ( { groups = [\"51\"]; may = [\"look\"]; } );", &ana),
		   RIGHT_LOOK);
	expect_int(rights("access = ( { groups = [\"52\"]; may = [\"look\"]; } );", &ana), 0);
}

TEST(all_rows_that_fit_add_up)
{
	expect_int(rights("access = ( { users = [\"ana\"]; may = [\"send\"]; },\n"
			  "           { groups = [\"staff\"]; may = [\"look\", \"operate\"]; },\n"
			  "           { users = [\"bo\"]; may = [\"submit\"]; } );",
			  &ana),
		   RIGHT_SEND | RIGHT_LOOK | RIGHT_OPERATE);
}

TEST(a_caller_whose_names_nobody_knows_fits_by_number_only)
{
	struct caller stranger = {.uid = 1000, .gid = 100, .named = true};

	expect_int(rights("access = ( { users = [\"ana\"]; may = [\"send\"]; } );", &stranger), 0);
	expect_int(rights("access = ( { users = [\"1000\"]; may = [\"send\"]; } );", &stranger),
		   RIGHT_SEND);
	expect_int(rights("access = ( { groups = [\"100\"]; may = [\"send\"]; } );", &stranger),
		   RIGHT_SEND);
}

static bool allows(const char *access, const struct caller *caller, const char *text)
{
	const struct config *config = config_of(access);
	struct address from;
	struct failure f = {0};

	expect_ok(address_parse(text, strlen(text), &from, &f), &f);
	bool result = rights_allow_from(config, caller, &from);
	address_clear(&from);
	config_unref(config);
	return result;
}

TEST(the_default_from_is_anyones_whatever_name_stands_before_it)
{
	expect_true(allows("", &ana, "box@example.com"));
	expect_true(allows("", &ana, "The box <box@EXAMPLE.com>"));
	expect_false(allows("", &ana, "ana@example.com"));
}

TEST(another_from_needs_a_row_that_fits_and_names_it)
{
	const char *rows =
		"access = ( { users = [\"ana\"]; may = [\"send\"]; from = [\"*@ana.example\"]; },\n"
		"           { users = [\"bo\"]; may = [\"send\"]; from = [\"*\"]; } );";

	expect_true(allows(rows, &ana, "anything@ana.example"));
	expect_false(allows(rows, &ana, "root@example.com"));
	expect_false(allows(rows, &ana, "x@ana.example.org"));
	expect_true(allows(rows, &(struct caller){.uid = 0, .trusted = true}, "root@example.com"));
}

#define CONTACTS                                                                                   \
	"contacts = ( { name = \"me\"; mail = [\"me@example.org\"]; sms = \"+15551234567\"; },"    \
	" { name = \"bo\"; mail = [\"bo@example.org\"]; },"                                        \
	" { name = \"ops\"; members = [\"me\"]; } );\n"

static bool allows_to(const char *access, const struct caller *caller, const char *recipient)
{
	const struct config *config = config_of(access);
	bool result = rights_allow_to(config, caller, RIGHT_SEND, recipient);

	config_unref(config);
	return result;
}

TEST(without_to_a_row_is_for_anyone)
{
	expect_true(allows_to("", &ana, "x@example.org"));
	expect_true(allows_to("access = ( { users = [\"*\"]; may = [\"send\"]; } );", &ana,
			      "x@y.example"));
	expect_false(allows_to("access = ( { users = [\"*\"]; may = [\"submit\"]; } );", &ana,
			       "x@y.example"));
}

TEST(to_names_contacts_groups_and_patterns)
{
	const char *rows = CONTACTS "access = ( { users = [\"*\"]; may = [\"send\"];"
				    " to = [\"ops\", \"*@home.example\", \"+1666*\"]; },\n"
				    " { users = [\"bo\"]; may = [\"send\"]; } );";

	expect_true(allows_to(rows, &ana, "me@example.org"));
	expect_true(allows_to(rows, &ana, "ME@example.org"));
	expect_true(allows_to(rows, &ana, "+15551234567"));
	expect_true(allows_to(rows, &ana, "anyone@home.example"));
	expect_true(allows_to(rows, &ana, "+16661234567"));
	expect_false(allows_to(rows, &ana, "bo@example.org"));
	expect_false(allows_to(rows, &ana, "ops@example.org"));
	expect_false(allows_to(rows, &ana, "+15557654321"));
	expect_true(allows_to(rows, &(struct caller){.trusted = true}, "bo@example.org"));
}

TEST(the_most_generous_row_that_lets_one_send_counts)
{
	const struct config *config = config_of(
		"access = ( { users = [\"*\"]; may = [\"send\"]; messages = \"10/h\"; bytes = \"1M\"; connections = 5; },\n"
		" { users = [\"ana\"]; may = [\"submit\"]; messages = \"100/h\"; bytes = \"10K\"; connections = 2; },\n"
		" { users = [\"1001\"]; may = [\"send\"]; messages = \"1/h\"; },\n"
		" { groups = [\"staff\"]; may = [\"look\"]; } );");
	struct caller bo = {.uid = 1001, .named = true};
	struct allowance may = rights_allowance(config, &ana);

	expect_int(may.messages, 100);
	expect_int(may.bytes, 1024 * 1024);
	expect_int(may.connections, 5);
	may = rights_allowance(config, &bo);
	expect_int(may.messages, 10);
	expect_int(may.bytes, 0);
	expect_int(may.connections, 0);
	expect_int(rights_allowance(config, &(struct caller){.trusted = true}).messages, 0);
	config_unref(config);
}

static bool need_names(const char *access)
{
	const struct config *config = config_of(access);
	bool result = rights_need_names(config);

	config_unref(config);
	return result;
}

TEST(names_are_only_looked_up_when_a_row_asks_for_them)
{
	expect_false(need_names(""));
	expect_false(need_names("access = ( { users = [\"*\", \"1000\"]; may = [\"send\"]; } );"));
	expect_true(need_names("access = ( { users = [\"1000\", \"ana\"]; may = [\"send\"]; } );"));
	expect_true(need_names("access = ( { groups = [\"100\"]; may = [\"send\"]; } );"));
}

RUN_TESTS()
