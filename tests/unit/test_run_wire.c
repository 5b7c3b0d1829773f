/* The words between nunciod and nuncio-runner: names of ends, ids, results. */
#include "expect.h"

#include "buf.h"
#include "failure.h"
#include "run_wire.h"

TEST(each_end_has_a_name_of_its_own)
{
	for (int end = RUN_END_RUNNING; end <= RUN_END_UNKNOWN; end++) {
		enum run_end found;

		expect_true(run_end_find(run_end_name((enum run_end)end), &found));
		expect_int(found, end);
	}
	enum run_end none;
	expect_false(run_end_find("finished", &none));
	expect_false(run_end_find("", &none));
}

TEST(an_id_is_a_safe_name)
{
	expect_true(run_id_is_good("a"));
	expect_true(run_id_is_good("Run-0123456789"));
	expect_true(
		run_id_is_good("0123456789012345678901234567890123456789012345678901234567890123"));
	expect_false(run_id_is_good(
		"01234567890123456789012345678901234567890123456789012345678901234"));
	static const char *const bad[] = {"",    ".",   "..", "a/b", "../a",
					  "a b", "a\n", ".a", "a_b", "\xc3\xa9"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_false(run_id_is_good(bad[i]));
}

TEST(a_result_is_read_as_it_was_written)
{
	struct run_result got, sent = {.end = RUN_END_SIGNALED,
				       .code = 11,
				       .started_ms = 1700000000123,
				       .ended_ms = 1700000009456,
				       .cpu_ms = 77,
				       .max_rss_kib = 2048,
				       .reason = "told so",
				       .output = "a\0\xff\n",
				       .output_len = 4,
				       .output_total = 5000000000,
				       .head_len = 2};
	json_t *json = run_result_write(&sent);
	struct failure f = {0};
	struct buf output;

	buf_init(&output, 100);
	buf_add_text(&output, "of an older one");
	expect_ok(run_result_read(json, &got, &output, &f), &f);
	expect_int(got.end, RUN_END_SIGNALED);
	expect_int(got.code, 11);
	expect_int(got.started_ms, sent.started_ms);
	expect_int(got.ended_ms, sent.ended_ms);
	expect_int(got.cpu_ms, 77);
	expect_int(got.max_rss_kib, 2048);
	expect_text(got.reason, "told so");
	expect_bytes(got.output, got.output_len, sent.output, sent.output_len);
	expect_int(got.output_total, 5000000000);
	expect_int(got.head_len, 2);
	buf_clear(&output);
	json_decref(json);
}

TEST(what_is_no_result_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"{\"end\": \"gone\"}",
		"{\"end\": 1}",
		"{\"end\": \"exited\", \"output\": \"%%\"}",
		"{\"end\": \"exited\", \"output\": \"YWJj\", \"total\": 2}",
		"{\"end\": \"exited\", \"output\": \"YWJj\", \"total\": 3, \"head\": 4}",
		"{\"end\": \"exited\", \"output\": \"YWJj\", \"total\": 3, \"head\": -1}",
	};
	struct run_result result;
	struct buf output;

	buf_init(&output, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *json = json_loads(bad[i], 0, NULL);
		struct failure f = {0};

		expect_some(json);
		expect_failure(run_result_read(json, &result, &output, &f), &f, FAILURE_REFUSED);
		json_decref(json);
	}
	buf_clear(&output);
}

RUN_TESTS()
