/* tests/fuzz/fuzz_varlink.c - any bytes as a Varlink stream. The first says in
 * pieces of what size they come: that must change nothing but when a frame is
 * seen. Each frame is read as a call and as a reply, and written again. */
#include "varlink.h"

#include <stdint.h>
#include <stdlib.h>

#include "buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void write_and_read_again(const struct varlink_call *call)
{
	struct varlink_framer framer = {0};
	struct varlink_call again;
	size_t start, len, used;
	struct buf out;
	char end;

	buf_init(&out, 1 << 24);
	must(varlink_add_call(&out, call->method, call->parameters,
			      call->more     ? VARLINK_MORE
			      : call->oneway ? VARLINK_NONE
					     : VARLINK_ONE,
			      '\n') == 0);
	must(varlink_frame(&framer, buf_bytes(&out), out.len, &start, &len, &used, &end) ==
	     VARLINK_FRAME);
	must(start == 0 && used == out.len && end == '\n');
	must(varlink_call_parse(buf_bytes(&out), len, &again, NULL) == 0);
	must(json_equal(call->parameters, again.parameters) && call->more == again.more);
	varlink_call_clear(&again);
	buf_clear(&out);
}

static void read_frame(const char *frame, size_t len)
{
	struct varlink_call call;
	struct varlink_reply reply;

	if (varlink_call_parse(frame, len, &call, NULL) == 0) {
		write_and_read_again(&call);
		varlink_call_clear(&call);
	}
	if (varlink_reply_parse(frame, len, &reply, NULL) == 0)
		varlink_reply_clear(&reply);
}

/* Bytes used by the frames found when data comes in pieces. */
static size_t read_stream(const char *data, size_t size, size_t piece)
{
	struct varlink_framer framer = {0};
	size_t from = 0, have = 0, start, len, used;
	char end;

	for (;;) {
		enum varlink_framing found =
			varlink_frame(&framer, data + from, have - from, &start, &len, &used, &end);

		if (found == VARLINK_BROKEN || (found == VARLINK_PARTIAL && have == size))
			break;
		if (found == VARLINK_PARTIAL) {
			have = size - have < piece ? size : have + piece;
			continue;
		}
		must(used <= have - from && start + len < used && data[from + start] == '{');
		read_frame(data + from + start, len);
		from += used;
	}
	if (varlink_frame_at_end(&framer))
		read_frame(data + from, size - from);
	return from;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	const char *bytes = (const char *)data + 1;
	size_t pieces = read_stream(bytes, size - 1, data[0] + 1u);
	size_t whole = read_stream(bytes, size - 1, size);

	/* a NUL right behind a newline is blank when it comes later */
	must(pieces == whole || pieces + 1 == whole);
	return 0;
}
