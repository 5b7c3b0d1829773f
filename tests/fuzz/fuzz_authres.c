/* tests/fuzz/fuzz_authres.c - any header as lines of a mail, judged: a field that is read
 * holds what the grammar allows, and nobody is vouched for without a field of the
 * provider's that passes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/parse.h"
#include "rules/authres.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_value(const char *value, size_t len)
{
	static struct authres a;

	if (!authres_parse(value, len, &a))
		return;
	must(*a.authserv && text_is_one_line(a.authserv, strlen(a.authserv)));
	must(a.n <= sizeof(a.at) / sizeof(*a.at));
	must(a.nproperties <= sizeof(a.properties) / sizeof(*a.properties));
	for (unsigned i = 0; i < a.n; i++) {
		must(strlen(a.at[i].method) < sizeof(a.at[i].method) && *a.at[i].method);
		must(a.at[i].at + a.at[i].n <= a.properties + a.nproperties);
		for (unsigned p = 0; p < a.at[i].n; p++) {
			const struct authres_property *property = &a.at[i].at[p];

			must(text_is_one_line(property->value, strlen(property->value)));
			must(strlen(property->ptype) < sizeof(property->ptype));
		}
	}
}

static bool holds(const char *bytes, size_t len, const char *part)
{
	return memmem(bytes, len, part, strlen(part)) != NULL;
}

/* Lines that do not begin with a blank begin a field. */
static size_t split(const char *bytes, size_t len, struct mail_field *fields, size_t max)
{
	const char *end = bytes + len;
	size_t n = 0;

	while (bytes < end && n < max) {
		const char *next = bytes, *colon;

		do {
			next = memchr(next, '\n', (size_t)(end - next));
			next = next ? next + 1 : end;
		} while (next < end && (*next == ' ' || *next == '\t'));
		colon = memchr(bytes, ':', (size_t)(next - bytes));
		if (colon)
			fields[n++] = (struct mail_field){bytes, (size_t)(colon - bytes), colon + 1,
							  (size_t)(next - colon - 1)};
		bytes = next;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const relays[] = {"mx.example.net", "*.google.com", NULL};
	struct provider providers[] = {{"mx.example.net", NULL}, {"mx.*", relays}};
	char from[] = "ana@example.com";
	struct mail_address address = {NULL, from};
	struct mail_field fields[64];
	const char *bytes = (const char *)data;
	struct parsed mail = {.bytes = bytes, .len = size, .from = {&address, 1}, .fields = fields};

	mail.nfields = split(bytes, size, fields, 64);
	for (size_t i = 0; i < mail.nfields; i++)
		read_value(fields[i].value, fields[i].value_len);
	for (size_t i = 0; i < 2; i++) {
		struct failure why = {0};
		enum authres_verdict verdict = authres_judge(&mail, &providers[i], &why);

		must(*why.text && text_is_one_line(why.text, strlen(why.text)));
		must((why.kind == FAILURE_NONE) == (verdict == AUTHRES_VOUCHED));
		must(verdict != AUTHRES_VOUCHED || holds(bytes, size, "="));
	}
	return 0;
}
