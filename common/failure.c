/* common/failure.c - fills failures so that their text is always one line of
 * whole characters. What a kind leads to is for the caller's caller. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops a character that the end of the buffer cut in two. */
static void cut_on_character(char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	if (len - (start - 1) < needs)
		text[start - 1] = '\0';
}

static void put_text(struct failure *f, const char *text, size_t wanted)
{
	size_t len = strlen(text);

	memcpy(f->text, text, len + 1);
	for (char *c = f->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	if (wanted > len)
		cut_on_character(f->text, len);
}

int failure_set(struct failure *f, enum failure_kind kind, const char *fmt, ...)
{
	char text[sizeof(f->text)];
	va_list args;

	if (!f)
		return -1;
	va_start(args, fmt);
	int wanted = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	f->kind = kind;
	put_text(f, text, wanted < 0 ? 0 : (size_t)wanted);
	return -1;
}

int failure_wrap(struct failure *f, const char *fmt, ...)
{
	char context[sizeof(f->text)];
	char text[2 * sizeof(f->text)];
	va_list args;

	if (!f)
		return -1;
	va_start(args, fmt);
	int wanted = vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
	if (wanted >= (int)sizeof(context))
		cut_on_character(context, strlen(context));
	size_t len = (size_t)snprintf(text, sizeof(text), "%s: %s", context, f->text);

	text[sizeof(f->text) - 1] = '\0';
	put_text(f, text, len);
	return -1;
}

int failure_errno(struct failure *f, enum failure_kind kind, int error, const char *fmt, ...)
{
	char text[sizeof(f->text)];
	char reason[128];
	va_list args;

	if (!f)
		return -1;
	va_start(args, fmt);
	int wanted = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (wanted >= (int)sizeof(text))
		cut_on_character(text, strlen(text));
	return failure_set(f, kind, "%s: %s", text, strerror_r(error, reason, sizeof(reason)));
}
