/* Names to addresses: literals, the hosts file, pretended answers, giving up. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/loop.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"

struct stage {
	struct loop *loop;
	struct resolver *resolver;
	struct buf story;
	bool done;
	enum failure_kind kind;
};

static void stage_init(struct stage *s)
{
	*s = (struct stage){.loop = loop_new()};
	s->resolver = resolver_new(s->loop);
	buf_init(&s->story, 4000);
}

static void stage_clear(struct stage *s)
{
	resolver_free(s->resolver);
	loop_free(s->loop);
	buf_clear(&s->story);
}

static void found(void *ctx, const struct address_list *list, const struct failure *why)
{
	struct stage *s = ctx;
	char text[INET6_ADDRSTRLEN];

	s->done = true;
	expect_true(!list != !why);
	if (why) {
		s->kind = why->kind;
		buf_add_text(&s->story, why->text);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&list->at[i].address;
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in;
		bool six = in->sin_family == AF_INET6;

		inet_ntop(in->sin_family,
			  six ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, text,
			  sizeof(text));
		expect_int(list->at[i].len, six ? sizeof(*in6) : sizeof(*in));
		buf_printf(&s->story, "%s %u;", text, ntohs(six ? in6->sin6_port : in->sin_port));
	}
}

static const char *look_up(struct stage *s, const char *host)
{
	s->done = false;
	buf_drain(&s->story, s->story.len);
	resolver_look_up(s->resolver, host, 587, found, s);
	expect_true(!s->done);
	while (!s->done)
		loop_turn(s->loop, true);
	return buf_bytes(&s->story);
}

TEST(literals_need_no_thread_and_answer_in_a_later_turn)
{
	struct stage s;

	stage_init(&s);
	expect_text(look_up(&s, "192.0.2.7"), "192.0.2.7 587;");
	expect_text(look_up(&s, "2001:db8::1"), "2001:db8::1 587;");
	stage_clear(&s);
}

TEST(names_come_from_the_system)
{
	struct stage s;

	stage_init(&s);
	expect_contains(look_up(&s, "localhost"), "1 587;");
	stage_clear(&s);
}

TEST(a_name_that_cannot_be_is_a_failure_for_later)
{
	struct stage s;

	stage_init(&s);
	expect_contains(look_up(&s, "no..such..name"), "no address for no..such..name: ");
	expect_int(s.kind, FAILURE_LATER);
	stage_clear(&s);
}

static struct address_list list_of(const char *address)
{
	struct address_list list = {.count = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&list.at[0].address;

	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	list.at[0].len = sizeof(*in);
	return list;
}

TEST(a_pretended_answer_comes_after_its_delay_with_the_port_filled_in)
{
	struct stage s;
	struct address_list list = list_of("198.51.100.1");

	stage_init(&s);
	resolver_pretend(s.resolver, "mail.example.com", &list, 5000);
	resolver_look_up(s.resolver, "MAIL.example.com", 25, found, &s);
	loop_turn_clock(s.loop, 4000);
	loop_turn(s.loop, false);
	expect_true(!s.done);
	loop_turn_clock(s.loop, 1000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "198.51.100.1 25;");
	stage_clear(&s);
}

TEST(a_pretended_lack_of_a_name_is_a_failure)
{
	struct stage s;

	stage_init(&s);
	resolver_pretend(s.resolver, "gone.example.com", NULL, 0);
	expect_contains(look_up(&s, "gone.example.com"), "no address for gone.example.com");
	expect_int(s.kind, FAILURE_LATER);
	stage_clear(&s);
}

TEST(a_cancelled_look_up_says_nothing)
{
	struct stage s;
	struct address_list list = list_of("198.51.100.1");

	stage_init(&s);
	resolver_pretend(s.resolver, "mail.example.com", &list, 0);
	lookup_cancel(resolver_look_up(s.resolver, "mail.example.com", 25, found, &s));
	lookup_cancel(resolver_look_up(s.resolver, "192.0.2.7", 25, found, &s));
	lookup_cancel(resolver_look_up(s.resolver, "localhost", 25, found, &s));
	lookup_cancel(NULL);
	/* the thread's own answer, if it still comes, finds nobody */
	look_up(&s, "no..such..name");
	expect_int(s.kind, FAILURE_LATER);
	expect_true(!strstr(buf_bytes(&s.story), ";"));
	stage_clear(&s);
}

TEST(the_resolver_can_go_while_look_ups_are_under_way)
{
	for (int round = 0; round < 50; round++) {
		struct stage s;
		struct address_list list = list_of("198.51.100.1");

		stage_init(&s);
		resolver_pretend(s.resolver, "mail.example.com", &list, 1000);
		resolver_look_up(s.resolver, "mail.example.com", 25, found, &s);
		for (int i = 0; i < 12; i++)
			resolver_look_up(s.resolver, "localhost", 25, found, &s);
		stage_clear(&s);
		expect_true(!s.done);
	}
}

RUN_TESTS()
