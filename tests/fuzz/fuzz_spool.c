/* tests/fuzz/fuzz_spool.c - any bytes as a file of the drop directory. What is taken
 * can be written again, and is then the same. */
#include "spool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool s;
	struct buf out;
	size_t mail;

	if (spool_read_head((const char *)data, size, size, &s, &mail, NULL) < 0)
		return 0;
	must(mail + s.size == size && s.nrecipients && s.key);
	for (size_t i = 0; i < s.nrecipients; i++)
		must(text_is_one_line(s.recipients[i], strlen(s.recipients[i])));
	buf_init(&out, SPOOL_HEAD_MAX);
	must(spool_add_head(&out, &s, NULL) == 0);
	must(out.len == mail && !memcmp(buf_bytes(&out), data, mail));
	buf_clear(&out);
	spool_clear(&s);
	return 0;
}
