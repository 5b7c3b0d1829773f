/* Which transport serves which route. */
#include "queue/routes.h"

#include "transport/transport.h"
#include "expect.h"

static char first[] = "first", second[] = "second", third[] = "third", nobody[] = "nobody";
static char *over_to_second[] = {nobody, second, third, NULL};

static const struct carrier *three(bool first_down, bool second_down)
{
	static struct carrier c[3];

	c[0] = (struct carrier){first, CARRIES_MAIL, first_down, over_to_second};
	c[1] = (struct carrier){second, CARRIES_MAIL | CARRIES_TEXTS, second_down, NULL};
	c[2] = (struct carrier){third, CARRIES_TEXTS, false, NULL};
	return c;
}

TEST(the_first_of_a_kind_has_its_common_route)
{
	const char *routes[ROUTES_OF_MAX];

	expect_int(routes_of(three(false, false), 3, 0, routes), 2);
	expect_text(routes[0], "first");
	expect_text(routes[1], "#mail");
	expect_int(routes_of(three(false, false), 3, 1, routes), 2);
	expect_text(routes[1], "#sms");
	expect_int(routes_of(three(false, false), 3, 2, routes), 1);
}

TEST(routes_move_only_to_one_that_is_up_and_carries_as_much)
{
	expect_int(routes_server(three(false, false), 3, 0), 0);
	expect_int(routes_server(three(true, false), 3, 0), 1);
	expect_int(routes_server(three(true, true), 3, 0), 0); /* third carries texts only */
	expect_int(routes_server(three(false, true), 3, 1), 1);
}

RUN_TESTS()
