/* The states of a delivery: names, which are final, what may follow what. */
#include "queue/state.h"

#include "expect.h"

#define EACH_STATE(s) (enum delivery_state s = STATE_HELD; s <= STATE_STANDBY; s++)

TEST(every_state_has_a_name_that_leads_back_to_it)
{
	for
		EACH_STATE(s)
		{
			enum delivery_state back;

			expect_true(state_parse(state_name(s), &back));
			expect_int(back, s);
		}
	expect_text(state_name(STATE_UNDELIVERED), "undelivered");
}

TEST(the_list_names_all_of_them)
{
	char all[200];

	expect_text(
		state_list(all, sizeof(all)),
		"held, queued, sending, accepted, sent, delivered, undelivered, failed, expired, "
		"canceled, suppressed, uncertain, standby");
}

TEST(what_is_no_state_has_no_name_and_is_not_parsed)
{
	enum delivery_state s = STATE_SENT;

	expect_false(state_parse("", &s));
	expect_false(state_parse("Queued", &s));
	expect_false(state_parse("unknown", &s));
	expect_int(s, STATE_SENT);
	expect_text(state_name((enum delivery_state)0), "unknown");
	expect_text(state_name((enum delivery_state)99), "unknown");
	expect_false(state_may_follow((enum delivery_state)0, STATE_QUEUED));
	expect_false(state_may_follow(STATE_QUEUED, (enum delivery_state)40));
	expect_false(state_is_final((enum delivery_state)77));
}

TEST(states_in_which_something_will_still_happen_are_not_final)
{
	for
		EACH_STATE(s)
		{
			bool open = s == STATE_HELD || s == STATE_QUEUED || s == STATE_SENDING ||
				    s == STATE_ACCEPTED || s == STATE_UNCERTAIN ||
				    s == STATE_STANDBY;

			expect_int(state_is_final(s), !open);
		}
}

TEST(nothing_is_sent_that_was_not_queued_first)
{
	for
		EACH_STATE(s)
	expect_int(state_may_follow(s, STATE_SENDING), s == STATE_QUEUED);
}

TEST(delivered_and_suppressed_are_the_end)
{
	for
		EACH_STATE(s)
		{
			expect_false(state_may_follow(STATE_DELIVERED, s));
			expect_false(state_may_follow(STATE_SUPPRESSED, s));
		}
}

TEST(an_attempt_moves_forward_only)
{
	expect_false(state_may_follow(STATE_ACCEPTED, STATE_SENDING));
	expect_false(state_may_follow(STATE_SENT, STATE_ACCEPTED));
	expect_false(state_may_follow(STATE_DELIVERED, STATE_SENT));
}

TEST(a_later_report_may_correct_what_was_sent)
{
	expect_true(state_may_follow(STATE_ACCEPTED, STATE_QUEUED));
	expect_true(state_may_follow(STATE_SENT, STATE_QUEUED));
	expect_true(state_may_follow(STATE_SENT, STATE_SENT));
	expect_true(state_may_follow(STATE_SENT, STATE_FAILED));
	expect_true(state_may_follow(STATE_SENT, STATE_DELIVERED));
	expect_true(state_may_follow(STATE_SENT, STATE_UNDELIVERED));
}

TEST(what_was_claimed_can_wait_again_and_what_failed_can_be_tried_again)
{
	expect_true(state_may_follow(STATE_SENDING, STATE_QUEUED));
	expect_true(state_may_follow(STATE_FAILED, STATE_QUEUED));
	expect_true(state_may_follow(STATE_EXPIRED, STATE_QUEUED));
	expect_true(state_may_follow(STATE_CANCELED, STATE_QUEUED));
	expect_true(state_may_follow(STATE_UNCERTAIN, STATE_QUEUED));
}

TEST(what_is_being_sent_cannot_be_canceled_or_held)
{
	expect_false(state_may_follow(STATE_SENDING, STATE_CANCELED));
	expect_false(state_may_follow(STATE_SENDING, STATE_HELD));
}

RUN_TESTS()
