/* tests/talk/recorder.c - writes down what a line says. */
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "net/resolve.h"
#include "talk.h"

#define STORY_MAX ((size_t)8 << 20)

static void tell(struct recorder *r, const char *text, size_t len)
{
	buf_add(&r->story, text, len);
	buf_add(&r->story, "|", 1);
	if (r->awaited && strstr(buf_bytes(&r->story), r->awaited))
		r->heard = true;
}

void recorder_take(struct recorder *r)
{
	const char *text;
	size_t len;

	while (line_take(r->line, &text, &len)) {
		tell(r, text, len);
		if (r->secure_after && strcmp(text, r->secure_after) == 0)
			line_secure(r->line);
	}
}

static void line_said(void *ctx, enum line_word word, const struct failure *why)
{
	static const char *const names[] = {
		[LINE_CONNECTED] = "CONNECTED", [LINE_SECURED] = "SECURED",
		[LINE_TIMED_OUT] = "TIMED_OUT", [LINE_CLOSED] = "CLOSED",
		[LINE_FAILED] = "FAILED",
	};
	struct recorder *r = ctx;

	if (word == LINE_READABLE && !r->leaves_unread)
		recorder_take(r);
	if (word == LINE_DRAINED)
		r->drained++;
	if (why)
		r->why = *why;
	if (r->free_at & 1u << word) {
		line_free(r->line);
		r->line = NULL;
	}
	if (word != LINE_READABLE && word != LINE_DRAINED)
		tell(r, names[word], strlen(names[word]));
}

void recorder_init(struct recorder *r, const char *ca_file, const char *pin)
{
	struct tls_options options = {.ca_file = ca_file, .pin = pin};

	*r = (struct recorder){.loop = loop_new()};
	r->resolver = resolver_new(r->loop);
	if (ca_file && tls_new(&options, &r->tls, &r->why) < 0)
		abort();
	r->options = (struct line_options){
		.host = "localhost", .tls = r->tls, .max_in = 65536, .connect_ms = 10000};
	buf_init(&r->story, STORY_MAX);
}

void recorder_clear(struct recorder *r)
{
	line_free(r->line);
	tls_free(r->tls);
	resolver_free(r->resolver);
	loop_free(r->loop);
	buf_clear(&r->story);
}

void recorder_dial(struct recorder *r, uint16_t port)
{
	r->options.port = port;
	r->line = line_dial(r->loop, r->resolver, &r->options, line_said, r);
}

void recorder_over(struct recorder *r, int fd)
{
	r->line = line_over(r->loop, fd, &r->options, line_said, r);
}

void recorder_until(struct recorder *r, const char *awaited)
{
	r->awaited = awaited;
	r->heard = strstr(buf_bytes(&r->story), awaited);
	talk_until(r->loop, &r->heard);
	r->awaited = NULL;
}

void recorder_forget(struct recorder *r)
{
	line_free(r->line);
	r->line = NULL;
	buf_drain(&r->story, r->story.len);
}

const char *recorder_story(const struct recorder *r)
{
	return buf_bytes(&r->story);
}
