/* tests/fuzz/fuzz_address.c - any bytes as an address and as a domain. What is
 * taken is within the ceilings, on one line, and is taken again in ASCII form. */
#include "address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_taken(const struct address *a)
{
	struct address again;
	const char *domain = strrchr(a->ascii, '@');

	must(strlen(a->mailbox) <= 254 && strlen(a->ascii) <= 254);
	must(domain && text_is_ascii(domain, strlen(domain)));
	must(text_is_one_line(a->ascii, strlen(a->ascii)));
	must(!a->name || text_is_one_line(a->name, strlen(a->name)));
	must(address_parse(a->ascii, strlen(a->ascii), &again, NULL) == 0);
	must(!strcmp(a->ascii, again.ascii) && address_equal(a, &again));
	address_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address a;

	if (address_parse((const char *)data, size, &a, NULL) == 0) {
		check_taken(&a);
		address_clear(&a);
	}
	free(domain_to_ascii((const char *)data, size));
	return 0;
}
