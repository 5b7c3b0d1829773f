/* The lines of the fake transport's answers. */
#include "transport/fake_answers.h"

#include "transport/transport.h"
#include "expect.h"

static struct outcome find(const char *text, const char *recipient)
{
	struct fake_answers *a;
	struct outcome o;
	struct failure f;

	expect_ok(fake_answers_parse(text, &a, &f), &f);
	fake_answers_find(a, recipient, &o);
	fake_answers_free(a);
	return o;
}

TEST(the_first_line_that_fits_counts)
{
	const char *text = "# a comment\n\n  gone@* 550 5.1.1 no such user\n*@busy.test 450 later\n"
			   "* 250 2.1.5 fine";
	struct outcome o = find(text, "Gone@busy.test");

	expect_int(o.kind, OUTCOME_REFUSED);
	expect_int(o.code, 550);
	expect_text(o.enhanced, "5.1.1");
	expect_text(o.text, "no such user");
	o = find(text, "ana@busy.test");
	expect_int(o.kind, OUTCOME_LATER);
	expect_text(o.enhanced, "");
	expect_text(o.text, "later");
	expect_int(find(text, "ana@example.com").kind, OUTCOME_SENT);
	expect_int(find("", "ana@example.com").code, 250);
}

TEST(the_whole_transport_may_refuse)
{
	struct fake_answers *a;
	struct failure f;

	expect_ok(fake_answers_parse("down no route", &a, &f), &f);
	expect_int(fake_answers_down(a)->kind, FAILURE_LATER);
	expect_text(fake_answers_down(a)->text, "no route");
	fake_answers_free(a);
	expect_ok(fake_answers_parse("* 250 ok\nlogin wrong password\n", &a, &f), &f);
	expect_int(fake_answers_down(a)->kind, FAILURE_REFUSED);
	fake_answers_free(a);
}

TEST(other_lines_are_named)
{
	static const char *const bad[] = {"ana@example.com", "* 99 x",  "* 354 go on", "* 600 x",
					  "* 2500 x",        "* abc x", "* -50 x",     "250"};
	struct fake_answers *a;
	struct failure f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		expect_failure(fake_answers_parse(bad[i], &a, &f), &f, FAILURE_SETUP);
		expect_contains(f.text, "line 1");
	}
}

RUN_TESTS()
