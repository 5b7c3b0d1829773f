/* tests/fuzz/fuzz_phone.c - any bytes as a telephone number, in every country of the table:
 * what is taken is E.164, means the same when it is read again anywhere, and is what was
 * written, with nothing but a prefix in other clothes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "failure.h"
#include "phone.h"
#include "phone_region.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The number's last digits are the last digits of what was written. */
static bool ends_alike(const char *number, const char *text)
{
	size_t n = strlen(number), at = strlen(text);

	for (int same = 0; same < 5 && n > 1; same++) {
		while (at > 0 && (text[at - 1] < '0' || text[at - 1] > '9'))
			at--;
		if (at == 0 || text[--at] != number[--n])
			return false;
	}
	return true;
}

static void try_region(const char *region, const char *text)
{
	char number[PHONE_SIZE], again[PHONE_SIZE];
	struct failure f = {0};

	if (phone_parse_in(region, text, number, &f) < 0) {
		must(f.kind == FAILURE_REFUSED && text_is_utf8(f.text, strlen(f.text)));
		return;
	}
	must(number[0] == '+' && strspn(number + 1, "0123456789") == strlen(number + 1));
	must(strlen(number) >= 9 && strlen(number) < PHONE_SIZE);
	must(phone_looks_like(number) && ends_alike(number, text));
	must(phone_parse(number, again, &f) == 0 && strcmp(number, again) == 0);
	must(phone_parse_in(region, number, again, &f) == 0 && strcmp(number, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(free) char *text = xmemdup(data, size);

	phone_looks_like(text);
	try_region(NULL, text);
	for (unsigned i = 0; i < 26 * 26; i++) {
		const char iso[] = {(char)('A' + i / 26), (char)('A' + i % 26), '\0'};

		if (phone_region_find(iso))
			try_region(iso, text);
	}
	return 0;
}
