/* URLs that a text may take along. */
#include "media.h"

#include <stdlib.h>

#include <jansson.h>

#include "auto.h"
#include "expect.h"
#include "failure.h"

static void expect_refused(const char *url, const char *part)
{
	struct failure f = {0};

	expect_failure(media_check(url, &f), &f, FAILURE_REFUSED);
	expect_contains(f.text, part);
}

TEST(what_a_provider_could_fetch_is_good)
{
	static const char *const good[] = {
		"https://example.com/picture.png",
		"http://example.com",
		"HTTPS://Example.COM:8443/a%20b?c=d&e=[f]#g",
		"https://user@[2001:db8::1]/~x/(1)*+,;='!$",
		"https://192.0.2.1",
	};
	struct failure f;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		expect_ok(media_check(good[i], &f), &f);
}

TEST(what_it_could_not_is_refused_and_what_would_be_right_is_said)
{
	static const char *const odd[] = {"",
					  "picture.png",
					  "/srv/picture.png",
					  "ftp://example.com/a",
					  "file:///etc/passwd",
					  "https:/example.com/a",
					  "https://",
					  "https:///a",
					  "https://:8080/a",
					  "https://?a"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		expect_refused(odd[i], "a URL like https://example.com/picture.png is wanted, ");
	expect_refused("https://example.com/a\nb", "control character");
	expect_refused("https://example.com/a\x7f", "control character");
	expect_refused("https://example.com/a b", "as %20");
	expect_refused("https://example.com/\"", "as %20");
	expect_refused("https://example.com/gr\xc3\xbc\xc3\x9f", "letters beyond ASCII");
}

TEST(a_url_has_an_end)
{
	char url[MEDIA_URL_MAX + 2];
	struct failure f;

	memset(url, 'a', sizeof(url));
	memcpy(url, "https://a/", 10);
	url[MEDIA_URL_MAX] = '\0';
	expect_ok(media_check(url, &f), &f);
	url[MEDIA_URL_MAX] = 'a';
	url[MEDIA_URL_MAX + 1] = '\0';
	expect_refused(url, "at most 2048 bytes");
}

TEST(a_list_of_them_as_lines_and_as_json)
{
	char **media = NULL, **again = NULL;

	expect_int(media_count(NULL), 0);
	AUTO(free) char *none = media_lines(NULL);
	expect_text(none, "");
	media_add(&media, "https://a/1");
	media_add(&media, "https://a/2");
	expect_int(media_count(media), 2);
	AUTO(free) char *lines = media_lines(media);
	expect_text(lines, "https://a/1\nhttps://a/2");
	json_t *json = media_to_json(media);

	expect_int(media_from_json(json, &again), 0);
	expect_int(media_count(again), 2);
	expect_text(again[1], "https://a/2");
	media_free(again);
	again = NULL;
	expect_int(media_from_json(NULL, &again), 0);
	expect_null(again);
	json_array_append_new(json, json_string("ftp://a"));
	expect_int(media_from_json(json, &again), -1);
	media_free(again);
	again = NULL;
	json_array_remove(json, 2);
	while (json_array_size(json) <= MEDIA_MAX)
		json_array_append_new(json, json_string("https://a/3"));
	expect_int(media_from_json(json, &again), -1);
	media_free(again);
	json_decref(json);
	media_free(media);
}

RUN_TESTS()
