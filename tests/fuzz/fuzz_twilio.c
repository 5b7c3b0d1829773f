/* tests/fuzz/fuzz_twilio.c - any bytes as what Twilio answers: a page, a message, a list of
 * media, an error; and what is new in such a page, however often it comes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "failure.h"
#include "mailbox/text_window.h"
#include "net/twilio_wire.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void use_message(const struct twilio_message *m)
{
	must(twilio_sid_is_good(m->sid, "SM") || twilio_sid_is_good(m->sid, "MM"));
	must(m->from && m->to && m->body);
	must(text_is_utf8(m->body, strlen(m->body)) && text_is_utf8(m->from, strlen(m->from)));
	must(*twilio_status_name(m->status));
	must(m->segments < 1000 && m->media < 1000);
}

static void read_message(const char *json, size_t len)
{
	struct twilio_message m;
	struct failure f = {0};

	if (twilio_read_message(json, len, &m, &f) == 0)
		use_message(&m);
	else
		must(f.kind == FAILURE_LATER && *f.text);
	twilio_message_clear(&m);
}

static void read_media(const char *json, size_t len)
{
	struct twilio_media_list l;
	struct failure f = {0};

	if (twilio_read_media(json, len, &l, &f) == 0)
		for (size_t i = 0; i < l.n; i++)
			must(twilio_sid_is_good(l.media[i].sid, "ME") &&
			     strlen(l.media[i].type) < TWILIO_TYPE_SIZE);
	else
		must(f.kind == FAILURE_LATER && *f.text);
	twilio_media_clear(&l);
}

static void read_error(const char *json, size_t len)
{
	struct twilio_error e;

	twilio_read_error(json, len, 400, &e);
	must(*e.text && text_is_one_line(e.text, strlen(e.text)) &&
	     text_is_utf8(e.text, strlen(e.text)));
}

/* How many of it are handed over; each comes after those that are older. */
static size_t hand_over(struct text_window *w, const char *json, size_t len)
{
	struct twilio_page page;
	struct failure f = {0};
	size_t n = 0;
	int64_t last_ms = INT64_MIN;

	text_window_begin(w, 1800000000000);
	if (twilio_read_page(json, len, &page, &f) == 0) {
		must(!page.next || *page.next == '/');
		for (size_t i = 0; i < page.n; i++) {
			use_message(&page.messages[i]);
			text_window_add(w, &page.messages[i]);
		}
	} else {
		must(f.kind == FAILURE_LATER && *f.text);
	}
	twilio_page_clear(&page);
	text_window_end(w);
	for (const struct twilio_message *m; (m = text_window_first(w)); n++) {
		must(m->created_ms >= last_ms);
		last_ms = m->created_ms;
		text_window_take(w);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct text_window window;
	char cursor[TEXT_CURSOR_SIZE];

	read_message(json, size);
	read_media(json, size);
	read_error(json, size);
	text_window_init(&window, "1 1");
	hand_over(&window, json, size);
	must(hand_over(&window, json, size) == 0);
	text_window_print(&window, cursor);
	text_window_clear(&window);
	return 0;
}
