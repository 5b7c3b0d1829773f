/* How the end of a run is told: in a sentence, with what it printed, cut where it is long. */
#include "rules/ending.h"

#include "alloc.h"
#include "auto.h"
#include "expect.h"
#include "run_wire.h"
#include "text.h"

static struct ending ending(enum run_end end, int code, const char *output, size_t len)
{
	struct run_result result = {.end = end,
				    .code = code,
				    .started_ms = 1000,
				    .ended_ms = 2500,
				    .reason = "no such rule",
				    .output = output,
				    .output_len = len,
				    .output_total = len,
				    .head_len = len};
	struct ending e;

	ending_of(&e, &result);
	return e;
}

TEST(each_end_has_its_state_and_its_sentence)
{
	static const struct {
		enum run_end end;
		int code;
		enum run_state state;
		const char *part;
	} cases[] = {
		{RUN_END_EXITED, 0, RUN_DONE, "ended well after 1.5 s"},
		{RUN_END_EXITED, 3, RUN_FAILED, "with status 3"},
		{RUN_END_SIGNALED, 11, RUN_FAILED, "signal 11 (Segmentation fault)"},
		{RUN_END_TIMED_OUT, 15, RUN_FAILED, "longer than it may"},
		{RUN_END_KILLED, 15, RUN_FAILED, "by hand"},
		{RUN_END_REFUSED, 0, RUN_REFUSED, "not run: no such rule"},
		{RUN_END_LOST, 0, RUN_INTERRUPTED, "not repeated"},
		{RUN_END_UNKNOWN, 0, RUN_INTERRUPTED, "not repeated"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ending e = ending(cases[i].end, cases[i].code, "", 0);

		expect_int(e.state, cases[i].state);
		expect_contains(e.sentence, cases[i].part);
		ending_clear(&e);
	}
}

TEST(any_octets_become_lines_of_text)
{
	static const char output[] = "a\r\n\0b\x1b[31m\xff\xc3\xbc\xe2\x82";
	struct ending e = ending(RUN_END_EXITED, 0, output, sizeof(output) - 1);

	expect_text(e.output, "a\n?b?[31m?\xc3\xbc??");
	AUTO(free) char *text = ending_text(&e, "do it");

	expect_text(text, "do it\n\nIt ended well after 1.5 s.\n\na\n?b?[31m?\xc3\xbc??\n");
	ending_clear(&e);
}

TEST(long_output_shows_head_and_tail)
{
	size_t len = 0;
	char *output = xmalloc(100000);

	for (int i = 0; i < 5000; i++)
		len += (size_t)sprintf(output + len, "line %d\n", i);
	struct ending e = ending(RUN_END_EXITED, 0, output, len);
	AUTO(free) char *text = ending_text(&e, "");

	expect_true(ending_is_long(&e));
	expect_contains(text, "\nline 0\n");
	expect_contains(text, "left out here");
	expect_null(strstr(text, "\nline 2500\n"));
	expect_text(text + strlen(text) - 10, "line 4999\n");
	expect_true(strlen(text) < ENDING_INLINE + 300);
	/* both cuts are between lines */
	expect_null(strstr(text, "\nine"));
	AUTO(free) char *brief = ending_short_text(&e, "count");

	expect_true(strlen(brief) < 500);
	ending_clear(&e);
	free(output);
}

TEST(a_line_without_end_is_cut_on_a_character)
{
	size_t len = 3 * 30000;
	char *output = xmalloc(len);

	for (size_t i = 0; i < len; i += 3)
		memcpy(output + i, "\xe2\x82\xac", 3);
	struct ending e = ending(RUN_END_EXITED, 0, output, len);
	AUTO(free) char *text = ending_text(&e, "");

	expect_true(text_is_utf8(text, strlen(text)));
	ending_clear(&e);
	free(output);
}

TEST(what_the_runner_left_out_is_said)
{
	struct run_result result = {.end = RUN_END_EXITED,
				    .output = "headtail",
				    .output_len = 8,
				    .output_total = 108,
				    .head_len = 4};
	struct ending e;

	ending_of(&e, &result);
	expect_text(e.output, "head\n[... 100 octets were not kept ...]\ntail");
	ending_clear(&e);
}

/* Of so many octets of 'a', 'b' behind head; total: that the program printed. */
static char *shown(size_t len, size_t head, uint64_t total, struct ending *e)
{
	char *output = xmalloc(len);

	memset(output, 'a', head);
	memset(output + head, 'b', len - head);
	ending_of(e, &(struct run_result){.end = RUN_END_EXITED,
					  .output = output,
					  .output_len = len,
					  .output_total = total,
					  .head_len = head});
	free(output);
	expect_true(e->len < ENDING_ATTACHED + 100);
	return e->output;
}

TEST(what_is_too_long_for_the_attachment_is_left_out_of_its_middle_and_said)
{
	static const struct {
		size_t len, head;
		uint64_t total;
		size_t want_head, want_tail;
	} cases[] = {
		{4 << 20, 2 << 20, 4 << 20, 512 << 10, 512 << 10},
		{4 << 20, 2 << 20, 1 << 30, 512 << 10, 512 << 10},
		{4 << 20, (4 << 20) - 10, 1 << 30, 512 << 10, 10},
		{4 << 20, 10, 1 << 30, 10, (1 << 20) - 10},
		{1 << 20, 512 << 10, 1 << 30, 512 << 10, 512 << 10},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ending e;
		const char *text = shown(cases[i].len, cases[i].head, cases[i].total, &e);
		AUTO(free)
		char *note = xprintf("\n[... %llu octets were not kept ...]\n",
				     (unsigned long long)(cases[i].total - cases[i].want_head -
							  cases[i].want_tail));

		expect_int(strspn(text, "a"), cases[i].want_head);
		expect_int(strncmp(text + cases[i].want_head, note, strlen(note)), 0);
		expect_int(strspn(text + cases[i].want_head + strlen(note), "b"),
			   cases[i].want_tail);
		expect_int(e.kept, cases[i].want_head + cases[i].want_tail);
		ending_clear(&e);
	}
}

RUN_TESTS()
