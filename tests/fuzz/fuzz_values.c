/* tests/fuzz/fuzz_values.c - any bytes as each of the small values people and
 * programs write: numbers, durations, sizes, rates, base64, texts. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base64.h"
#include "buf.h"
#include "duration.h"
#include "failure.h"
#include "fallback.h"
#include "phone.h"
#include "text.h"
#include "throttle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_numbers(const char *text)
{
	char number[PHONE_SIZE], again[PHONE_SIZE], shown[40];
	struct failure f;
	struct fallback fallback;
	struct rate rate;
	struct throttle throttle;
	uint64_t bytes;
	int64_t ms;

	if (phone_parse(text, number, &f) == 0)
		must(phone_parse(number, again, &f) == 0 && !strcmp(number, again));
	if (duration_parse(text, &ms, &f) == 0)
		must(ms >= 0 && *duration_print(shown, sizeof(shown), ms));
	if (size_parse(text, &bytes, &f) == 0)
		must(*size_print(shown, sizeof(shown), bytes));
	if (throttle_parse(text, &throttle, &f) == 0)
		must(throttle.n <= THROTTLE_WINDOWS);
	if (fallback_parse(text, &fallback, &f) == 0)
		must(fallback.way != FALLBACK_UNSAID && fallback.after_ms >= 0);
	if (money_parse(text, &ms, &f) == 0)
		must(ms >= 0 && money_parse(money_print(shown, sizeof(shown), ms), &ms, &f) == 0);
	if (rate_parse(text, &rate, &f) == 0)
		must(rate.count > 0 && rate.per_ms > 0);
}

static void try_base64(const char *text, size_t len)
{
	struct buf plain, coded, again;

	buf_init(&plain, len);
	buf_init(&coded, 2 * len + 4);
	buf_init(&again, len);
	must(base64_encode(&coded, text, len) == 0);
	must(base64_decode(&again, buf_bytes(&coded), coded.len) == 0);
	must(again.len == len && !memcmp(buf_bytes(&again), text, len));
	buf_clear(&coded);
	if (base64_decode(&plain, text, len) == 0) {
		must(base64_encode(&coded, buf_bytes(&plain), plain.len) == 0);
		must(coded.len <= len);
	}
	buf_clear(&plain);
	buf_clear(&coded);
	buf_clear(&again);
}

static void try_text(const char *text, size_t len)
{
	char line[24];
	struct failure f = {0};

	for (size_t size = 1; size <= sizeof(line); size++) {
		text_safe_line(line, size, text, len);
		must(strlen(line) < size && text_is_utf8(line, strlen(line)));
		must(text_is_one_line(line, strlen(line)));
	}
	failure_set(&f, FAILURE_LATER, "%s", text);
	failure_wrap(&f, "%s", text);
	must(!text_is_utf8(text, strlen(text)) || text_is_utf8(f.text, strlen(f.text)));
	must(text_matches("*", text) && (!*text || text_matches("*?", text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup(data, size);

	try_numbers(text);
	try_base64(text, size);
	try_text(text, size);
	free(text);
	return 0;
}
