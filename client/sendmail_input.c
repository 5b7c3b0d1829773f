/* client/sendmail_input.c - see sendmail_input.h. */
#include "sendmail_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "failure.h"

/* Up to the end of the line, or of the bytes. Returns how many, 0: out is full. */
static size_t add_line(struct dot_filter *d, const char *bytes, size_t len, struct buf *out)
{
	const char *lf = memchr(bytes, '\n', len);
	size_t n = lf ? (size_t)(lf - bytes) + 1 : len;

	d->inside = !lf;
	return buf_add(out, bytes, n) < 0 ? 0 : n;
}

/* What follows a dot at the begin of a line. True: it is used up. */
static bool judge_held(struct dot_filter *d, char c)
{
	if (c == '\n')
		d->ended = true;
	else if (c == '\r' && d->held == 1)
		d->held = 2;
	else
		return false;
	return true;
}

int dot_filter_add(struct dot_filter *d, const char *bytes, size_t len, struct buf *out)
{
	if (d->dots_stay)
		return buf_add(out, bytes, len);
	while (len && !d->ended) {
		size_t n = 1;

		if (d->held && !judge_held(d, *bytes)) {
			if (buf_add(out, ".\r", d->held) < 0)
				return -1;
			d->held = 0;
			n = add_line(d, bytes, len, out);
		} else if (!d->held && !d->inside && *bytes == '.') {
			d->held = 1;
		} else if (!d->held) {
			n = add_line(d, bytes, len, out);
		}
		if (!n)
			return -1;
		bytes += n;
		len -= n;
	}
	return 0;
}

int sendmail_input_read(int fd, struct dot_filter *d, size_t enough, struct buf *out,
			struct failure *f)
{
	char bytes[65536];

	while (!d->ended && out->len < enough) {
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure_errno(f, FAILURE_LATER, errno, "standard input");
		if (got == 0)
			d->ended = true;
		else if (dot_filter_add(d, bytes, (size_t)got, out) < 0)
			return failure_set(f, FAILURE_REFUSED, "the mail is too large");
	}
	return 0;
}
