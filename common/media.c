/* common/media.c - decides what may be named as a medium: an http or https URL in ASCII, for
 * these are what Twilio fetches (its error 21620). Whether anything is there is for it to find
 * out. */
#include "media.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "text.h"

#define WANTED "a URL like https://example.com/picture.png is wanted"

/* RFC 3986: what may stand in a URL as it is. */
static bool is_url_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~:/?#[]@!$&'()*+,;=%", c));
}

/* Behind "https://" or "http://"; NULL: it begins with neither. */
static const char *behind_scheme(const char *url)
{
	if (text_starts_nocase(url, "https://"))
		return url + strlen("https://");
	return text_starts_nocase(url, "http://") ? url + strlen("http://") : NULL;
}

int media_check(const char *url, struct failure *f)
{
	const char *host = behind_scheme(url);

	if (strlen(url) > MEDIA_URL_MAX)
		return failure_set(f, FAILURE_REFUSED, "a URL of at most %d bytes is wanted",
				   MEDIA_URL_MAX);
	for (const char *c = url; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return failure_set(f, FAILURE_REFUSED,
					   "there is a control character in it: " WANTED);
		if (!is_url_character(*c))
			return failure_set(
				f, FAILURE_REFUSED,
				"blanks, quotes, letters beyond ASCII and their like are "
				"written as %%20 and so on: " WANTED);
	}
	if (!host || !strcspn(host, "/?#:"))
		return failure_set(f, FAILURE_REFUSED,
				   WANTED ", which the provider can fetch; for a file of this "
					  "machine see `attachments`");
	return 0;
}

size_t media_count(char *const *media)
{
	size_t n = 0;

	while (media && media[n])
		n++;
	return n;
}

void media_add(char ***media, const char *url)
{
	size_t n = media_count(*media);

	*media = xrealloc(*media, (n + 2) * sizeof(**media));
	(*media)[n] = xstrdup(url);
	(*media)[n + 1] = NULL;
}

void media_free(char **media)
{
	for (char **one = media; one && *one; one++)
		free(*one);
	free(media);
}

char *media_lines(char *const *media)
{
	struct buf lines;

	buf_init(&lines, MEDIA_MAX * (MEDIA_URL_MAX + 1));
	for (; media && *media; media++)
		buf_printf(&lines, "%s%s", lines.len ? "\n" : "", *media);
	return buf_take(&lines, NULL);
}

json_t *media_to_json(char *const *media)
{
	json_t *list = json_array();

	for (; media && *media; media++)
		json_array_append_new(list, json_string(*media));
	return list;
}

int media_from_json(const json_t *list, char ***ret)
{
	size_t n = json_array_size(list);

	if (list && (!json_is_array(list) || n > MEDIA_MAX))
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *url = json_string_value(json_array_get(list, i));

		if (!url || media_check(url, NULL) < 0)
			return -1;
		media_add(ret, url);
	}
	return 0;
}
