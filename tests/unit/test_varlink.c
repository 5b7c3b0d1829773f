/* Varlink framing and envelopes: whole frames from any cut of the stream, and
 * nothing taken that is not a call. */
#include "varlink.h"

#include <time.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"

struct found {
	enum varlink_framing framing;
	size_t start, len, used;
	char end;
};

static struct found frame(struct varlink_framer *framer, const char *data, size_t len)
{
	struct found found = {.end = '?'};

	found.framing =
		varlink_frame(framer, data, len, &found.start, &found.len, &found.used, &found.end);
	return found;
}

static void expect_frame(const char *data, size_t len, const char *want, char want_end,
			 size_t want_used)
{
	struct varlink_framer framer = {0};
	struct found whole = frame(&framer, data, len);

	expect_int(whole.framing, VARLINK_FRAME);
	expect_bytes(data + whole.start, whole.len, want, strlen(want));
	expect_int(whole.end, want_end);
	expect_int(whole.used, want_used);
	/* the framer is fresh again */
	expect_int(framer.scanned + framer.depth + framer.begun + framer.closed, 0);
}

/* In pieces of every size the same must come out, but for a NUL that follows a newline. */
static void expect_frame_in_pieces(const char *data, size_t len, const char *want)
{
	for (size_t piece = 1; piece <= len; piece++) {
		struct varlink_framer framer = {0};
		struct found found = {.framing = VARLINK_PARTIAL};

		for (size_t have = piece; found.framing == VARLINK_PARTIAL; have += piece) {
			found = frame(&framer, data, have < len ? have : len);
			expect_true(found.framing != VARLINK_PARTIAL || have < len);
		}
		expect_int(found.framing, VARLINK_FRAME);
		expect_bytes(data + found.start, found.len, want, strlen(want));
	}
}

TEST(nul_and_newline_end_a_frame)
{
	expect_frame("{}\0x", 4, "{}", '\0', 3);
	expect_frame("{}\nx", 4, "{}", '\n', 3);
	expect_frame("{\"a\":[1,{\"b\":2}]}\0", 18, "{\"a\":[1,{\"b\":2}]}", '\0', 18);
	expect_frame("{} \t\r\n", 6, "{} \t\r", '\n', 6);
}

TEST(newlines_inside_an_object_end_nothing)
{
	static const char pretty[] = "{\n  \"method\": \"a.B\",\n  \"x\": [\n  1\n]\n}";

	expect_frame(pretty, sizeof(pretty), pretty, '\0', sizeof(pretty));
	expect_frame_in_pieces(pretty, sizeof(pretty), pretty);
}

TEST(a_nul_behind_the_last_newline_counts)
{
	expect_frame("{\n}\n\0", 5, "{\n}", '\0', 5);
}

TEST(blanks_between_frames_are_passed_over)
{
	expect_frame("\n\0 \r\n\t{}\n", 9, "{}", '\n', 9);
	expect_frame_in_pieces("\n\0 \r\n\t{}\n", 9, "{}");
}

TEST(only_blanks_are_no_frame)
{
	struct varlink_framer framer = {0};

	expect_int(frame(&framer, "\n\n\0 ", 4).framing, VARLINK_PARTIAL);
	expect_false(varlink_frame_at_end(&framer));
}

TEST(strings_hide_braces_quotes_and_backslashes)
{
	static const char *const texts[] = {
		"{\"a\":\"}\"}",           "{\"a\":\"\\\"}\"}",      "{\"a\":\"\\\\\"}",
		"{\"a\":\"\\\\\\\"}{[\"}", "{\"{[\":\"]\\u0022}\"}", "{\"a\":\"é😀}\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		expect_frame(texts[i], strlen(texts[i]) + 1, texts[i], '\0', strlen(texts[i]) + 1);
		expect_frame_in_pieces(texts[i], strlen(texts[i]) + 1, texts[i]);
	}
}

TEST(frames_follow_each_other)
{
	static const char stream[] = "{\"a\":1}\0{\"b\":2}\n\n{\"c\":3}";
	struct varlink_framer framer = {0};
	const char *at = stream;
	size_t left = sizeof(stream);

	for (char name = 'a'; name <= 'c'; name++) {
		struct found found = frame(&framer, at, left);

		expect_int(found.framing, VARLINK_FRAME);
		expect_int(found.len, 7);
		expect_int(at[found.start + 2], name);
		at += found.used;
		left -= found.used;
	}
	expect_int(left, 0);
}

TEST(half_a_request_is_partial_and_no_frame_at_the_end)
{
	static const char *const halves[] = {"", "{", "{\"", "{\"a\\", "{\"a\":[", "{\"a\":{}"};

	for (size_t i = 0; i < sizeof(halves) / sizeof(*halves); i++) {
		struct varlink_framer framer = {0};

		expect_int(frame(&framer, halves[i], strlen(halves[i])).framing, VARLINK_PARTIAL);
		expect_false(varlink_frame_at_end(&framer));
	}
}

TEST(a_complete_object_at_the_end_is_a_frame)
{
	struct varlink_framer framer = {0};
	static const char data[] = "\n\0{\"method\":\"a.B\"} ";
	struct varlink_call call;
	struct failure f = {0};

	expect_int(frame(&framer, data, sizeof(data) - 1).framing, VARLINK_PARTIAL);
	expect_true(varlink_frame_at_end(&framer));
	expect_ok(varlink_call_parse(data, sizeof(data) - 1, &call, &f), &f);
	expect_text(call.method, "a.B");
	varlink_call_clear(&call);
}

TEST(what_is_no_object_is_broken)
{
	static const struct {
		const char *data;
		size_t len;
	} broken[] = {
		{"x", 1},
		{"[]", 2},
		{"\"a\"", 3},
		{"1", 1},
		{"GET / HTTP/1.1\r\n", 16},
		{"\xef\xbb\xbf{}", 5},
		{"{}x", 3},
		{"{}{}", 4},
		{"{} {}", 5},
		{"{}}", 3},
		{"{\0", 2},
		{"{\"a\0", 4},
		{"{\"a\n", 4},
		{"{\"a\\\n", 5},
		{"{\"a\x01", 4},
		{"\x16\x03\x01", 3},
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct varlink_framer framer = {0};

		expect_int(frame(&framer, broken[i].data, broken[i].len).framing, VARLINK_BROKEN);
	}
}

TEST(nesting_has_a_ceiling)
{
	char data[200] = "";
	struct varlink_framer framer = {0};

	memset(data, '[', 65);
	data[0] = '{';
	expect_int(frame(&framer, data, 64).framing, VARLINK_PARTIAL);
	expect_int(frame(&framer, data, 65).framing, VARLINK_BROKEN);
}

TEST(each_byte_is_looked_at_once)
{
	size_t len = 4 << 20;
	AUTO(free) char *data = xmalloc(len);
	struct varlink_framer framer = {0};
	clock_t start = clock();

	memset(data, 'x', len);
	memcpy(data, "{\"a\":\"", 6);
	for (size_t have = 0; have <= len; have += 64)
		expect_int(frame(&framer, data, have).framing, VARLINK_PARTIAL);
	expect_int(framer.scanned, len);
	expect_true(clock() - start < 20 * CLOCKS_PER_SEC);
}

TEST(a_call_has_a_method_and_parameters)
{
	static const char text[] =
		"{\"method\":\"io.nuncio.Send\",\"parameters\":{\"to\":[\"me\"]},"
		"\"more\":true,\"oneway\":false,\"upgrade\":false}";
	struct varlink_call call;
	struct failure f = {0};

	expect_ok(varlink_call_parse(text, sizeof(text) - 1, &call, &f), &f);
	expect_text(call.method, "io.nuncio.Send");
	expect_int(json_array_size(json_object_get(call.parameters, "to")), 1);
	expect_true(call.more);
	expect_false(call.oneway);
	varlink_call_clear(&call);
	expect_null(call.root);
	varlink_call_clear(&call);
}

/* {"method":"a.B","parameters":{"to":["\\"," × n ...]}} */
static char *call_with_values(size_t n)
{
	static const char begin[] = "{\"method\":\"a.B\",\"parameters\":{\"to\":[";
	static const char value[] = "\",[{\\\"\",";
	char *text = xcalloc(1, sizeof(begin) + n * sizeof(value) + 8);
	char *at = stpcpy(text, begin);

	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, value);
	strcpy(at - 1, "]}}");
	return text;
}

TEST(a_call_has_a_ceiling_of_values)
{
	/* the envelope's two braces, its comma, and the bracket: commas in texts are none */
	char *most = call_with_values((1 << 17) - 3), *over = call_with_values((1 << 17) - 2);
	struct varlink_call call;
	struct failure f = {0};

	expect_ok(varlink_call_parse(most, strlen(most), &call, &f), &f);
	varlink_call_clear(&call);
	expect_failure(varlink_call_parse(over, strlen(over), &call, &f), &f, FAILURE_REFUSED);
	expect_contains(f.text, "at most 131072 values");
	free(most);
	free(over);
}

TEST(a_call_without_parameters_has_empty_ones)
{
	static const char *const texts[] = {
		"{\"method\":\"a.B\"}",
		"{\"method\":\"a.B\",\"parameters\":null,\"more\":null}",
		"{\"method\":\"a.B\",\"parameters\":{}}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct varlink_call call;
		struct failure f = {0};

		expect_ok(varlink_call_parse(texts[i], strlen(texts[i]), &call, &f), &f);
		expect_true(json_is_object(call.parameters));
		expect_int(json_object_size(call.parameters), 0);
		expect_false(call.more || call.oneway);
		varlink_call_clear(&call);
	}
}

TEST(what_is_no_call_is_refused_with_a_reason)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"{}", "needs a 'method'"},
		{"{\"method\":null}", "needs a 'method'"},
		{"{\"method\":\"\"}", "'method' must be a text"},
		{"{\"method\":7}", "'method' must be a text"},
		{"{\"method\":\"a\",\"parameters\":[]}", "'parameters' must be an object"},
		{"{\"method\":\"a\",\"parameters\":\"x\"}", "'parameters' must be an object"},
		{"{\"method\":\"a\",\"more\":1}", "'more' must be true or false"},
		{"{\"method\":\"a\",\"oneway\":\"true\"}", "'oneway' must be true or false"},
		{"{\"method\":\"a\",\"more\":true,\"oneway\":true}", "exclude each other"},
		{"{\"method\":\"a\",\"upgrade\":true}", "'upgrade' is not supported"},
		{"{\"method\":\"a\",\"to\":[]}", "no member 'to'"},
		{"{\"method\":\"a\",\"method\":\"b\"}", "duplicate"},
		{"{\"method\":\"a\",\"parameters\":{\"x\":1,\"x\":2}}", "duplicate"},
		{"{\"method\":\"a\\u0000b\"}", "not JSON"},
		{"{\"method\":\"a\",\"parameters\":{\"k\":\"\\u0000\"}}", "not JSON"},
		{"{\"method\":\"a\",\"parameters\":{\"\\u0000k\":1}}", "not JSON"},
		{"{\"method\":\"\xff\"}", "not JSON"},
		{"{\"method\":\"\xc0\xaf\"}", "not JSON"},
		{"{\"method\":\"\\ud800\"}", "not JSON"},
		{"{\"method\":\"a\"]", "not JSON"},
		{"{'method':'a'}", "not JSON"},
		{"{\"method\":\"a\",}", "not JSON"},
		{"{\"method\":\"a\",\"parameters\":{\"n\":1e999}}", "not JSON"},
		{"{\"method\":\"a\"} x", "not JSON"},
		{"[]", "not a JSON object"},
		{"", "not JSON"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct varlink_call call = {0};
		struct failure f = {0};

		expect_failure(varlink_call_parse(bad[i].text, strlen(bad[i].text), &call, &f), &f,
			       FAILURE_REFUSED);
		expect_contains(f.text, bad[i].why);
		expect_null(call.root);
	}
}

static void expect_written(struct buf *out, const char *want, char end)
{
	size_t len = strlen(want);

	expect_int(out->len, len + 1);
	expect_bytes(buf_bytes(out), len, want, len);
	expect_int(buf_bytes(out)[len], end);
	buf_drain(out, out->len);
}

TEST(frames_are_written_on_one_line)
{
	json_t *parameters = json_pack("{s:s}", "text", "a\nb\tcé");
	struct buf out;

	buf_init(&out, 1000);
	expect_int(varlink_add_call(&out, "a.B", parameters, VARLINK_MORE, '\0'), 0);
	expect_written(
		&out, "{\"method\":\"a.B\",\"more\":true,\"parameters\":{\"text\":\"a\\nb\\tcé\"}}",
		'\0');
	expect_int(varlink_add_call(&out, "a.B", NULL, VARLINK_ONE, '\n'), 0);
	expect_written(&out, "{\"method\":\"a.B\",\"parameters\":{}}", '\n');
	expect_int(varlink_add_reply(&out, parameters, true, '\n'), 0);
	expect_written(&out, "{\"continues\":true,\"parameters\":{\"text\":\"a\\nb\\tcé\"}}", '\n');
	expect_int(varlink_add_reply(&out, NULL, false, '\0'), 0);
	expect_written(&out, "{\"parameters\":{}}", '\0');
	expect_int(varlink_add_error(&out, "a.Bad", NULL, '\0'), 0);
	expect_written(&out, "{\"error\":\"a.Bad\",\"parameters\":{}}", '\0');
	expect_int(parameters->refcount, 1);
	json_decref(parameters);
	buf_clear(&out);
}

TEST(a_full_buf_gets_nothing)
{
	struct buf out;

	buf_init(&out, 17);
	expect_int(varlink_add_reply(&out, NULL, true, '\0'), -1);
	expect_int(varlink_add_error(&out, "a.B", NULL, '\0'), -1);
	expect_int(varlink_add_call(&out, "a.B", NULL, VARLINK_ONE, '\0'), -1);
	expect_int(out.len, 0);
	buf_clear(&out);
	buf_init(&out, 18);
	expect_int(varlink_add_reply(&out, NULL, false, '\0'), 0);
	buf_clear(&out);
}

TEST(replies_are_read_by_the_client)
{
	static const char good[] = "{\"continues\":true,\"parameters\":{\"id\":\"x\"},\"later\":1}";
	static const char error[] = "{\"error\":\"io.nuncio.BadRecipient\"}";
	struct varlink_reply reply;
	struct failure f = {0};

	expect_ok(varlink_reply_parse(good, sizeof(good) - 1, &reply, &f), &f);
	expect_null(reply.error);
	expect_true(reply.continues);
	expect_text(json_string_value(json_object_get(reply.parameters, "id")), "x");
	varlink_reply_clear(&reply);
	expect_ok(varlink_reply_parse(error, sizeof(error) - 1, &reply, &f), &f);
	expect_text(reply.error, "io.nuncio.BadRecipient");
	expect_int(json_object_size(reply.parameters), 0);
	expect_false(reply.continues);
	varlink_reply_clear(&reply);
}

TEST(what_is_no_reply_is_refused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"error\":1}",
		"{\"error\":\"\"}",
		"{\"parameters\":[]}",
		"{\"continues\":\"yes\"}",
		"{\"parameters\":{},\"parameters\":{}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct varlink_reply reply = {0};
		struct failure f = {0};

		expect_failure(varlink_reply_parse(bad[i], strlen(bad[i]), &reply, &f), &f,
			       FAILURE_REFUSED);
		expect_null(reply.root);
	}
}

RUN_TESTS()
