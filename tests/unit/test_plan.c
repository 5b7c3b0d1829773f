/* What the end of a run needs is kept as a line of JSON, and read back whatever it is. */
#include "rules/plan.h"

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "expect.h"

static void add_mail(struct audience *a, const char *address)
{
	a->mail = xrealloc(a->mail, (a->nmail + 1) * sizeof(*a->mail));
	expect_int(address_parse(address, strlen(address), &a->mail[a->nmail], NULL), 0);
	a->nmail++;
}

TEST(a_plan_is_read_back_as_it_was)
{
	struct plan plan = {.digest = xstrdup("abc")}, again;

	add_mail(&plan.report, "Me <me@b\xc3\xbc"
			       "cher.example>");
	plan.thread = (struct thread){.subject = xstrdup("torrent \"x\""),
				      .message_id = xstrdup("1@x"),
				      .references = xstrdup("<0@x> <1@x>")};
	plan_add_deed(&plan, 1, "Archive");
	plan_add_deed(&plan, 2, NULL);
	struct plan_send *send = plan_add_send(&plan);

	add_mail(&send->to, "bo@example.org");
	send->text = xstrdup("done");
	AUTO(free) char *text = plan_print(&plan);

	expect_null(strchr(text, '\n'));
	plan_read(&again, text);
	AUTO(free) char *text_again = plan_print(&again);

	expect_text(text_again, text);
	expect_text(again.report.mail[0].ascii, "me@xn--bcher-kva.example");
	expect_text(again.deeds[0].target, "Archive");
	expect_null(again.deeds[1].target);
	expect_null(again.sends[0].subject);
	plan_clear(&plan);
	plan_clear(&again);
}

TEST(what_cant_be_read_is_not_there)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"deeds\": 7, \"sends\": {}, \"report\": []}",
		"{\"deeds\": [{\"deed\": 99}, {}, 3], \"sends\": [1], \"report\": {\"mail\": [{}]}}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct plan plan;

		plan_read(&plan, texts[i]);
		expect_true(audience_is_empty(&plan.report));
		expect_int(plan.ndeeds, 0);
		plan_clear(&plan);
	}
	struct plan plan;

	plan_read(&plan, NULL);
	expect_int(plan.nsends, 0);
	plan_clear(&plan);
}

RUN_TESTS()
