/* net/inbox.c - decides where a line ends; looks at no byte twice for it. */
#include "net/inbox.h"

#include <string.h>

#define KEEP_BYTES ((size_t)32768) /* an empty buffer that is larger is given back */

void inbox_init(struct inbox *in, size_t max)
{
	*in = (struct inbox){.taken = 0};
	buf_init(&in->bytes, max);
}

void inbox_clear(struct inbox *in)
{
	buf_clear(&in->bytes);
	in->taken = in->scanned = 0;
}

void inbox_settle(struct inbox *in)
{
	buf_drain(&in->bytes, in->taken);
	in->taken = 0;
	if (in->bytes.len == 0 && in->bytes.allocated > KEEP_BYTES)
		buf_clear(&in->bytes);
}

void inbox_rest(struct inbox *in)
{
	inbox_settle(in);
	if (in->bytes.len == 0)
		inbox_clear(in);
}

bool inbox_is_full(const struct inbox *in)
{
	return in->bytes.len >= in->bytes.max;
}

bool inbox_take(struct inbox *in, const char **ret, size_t *ret_len)
{
	char *data, *end;
	size_t len;

	inbox_settle(in);
	if (in->bytes.len == 0)
		return false;
	data = in->bytes.data + in->bytes.start;
	end = memchr(data + in->scanned, '\n', in->bytes.len - in->scanned);
	if (!end) {
		in->scanned = in->bytes.len;
		return false;
	}
	len = (size_t)(end - data);
	in->taken = len + 1;
	in->scanned = 0;
	if (len > 0 && data[len - 1] == '\r')
		len--;
	data[len] = '\0';
	*ret = data;
	*ret_len = len;
	return true;
}

const char *inbox_bytes(struct inbox *in, size_t *ret_len)
{
	inbox_settle(in);
	*ret_len = in->bytes.len;
	return buf_bytes(&in->bytes);
}

void inbox_drain(struct inbox *in, size_t len)
{
	inbox_settle(in);
	buf_drain(&in->bytes, len);
	in->scanned = 0;
}
