/* Twilio's bytes: messages, pages, errors, forms, and what a code means. */
#include "net/twilio_wire.h"

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"
#include "transport/twilio_codes.h"

#define SID "SM0123456789abcdef0123456789abcdef"
#define MESSAGE                                                                                    \
	"{\"sid\":\"" SID "\",\"status\":\"sent\",\"direction\":\"outbound-api\","                 \
	"\"from\":\"+15017122661\",\"to\":\"+15558675310\",\"body\":\"h\\u00e9\","                 \
	"\"date_created\":\"Sun, 22 Nov 2026 20:30:00 +0000\",\"date_sent\":null,"                 \
	"\"error_code\":30003,\"num_segments\":\"2\",\"num_media\":\"0\","                         \
	"\"price\":\"-0.00790\",\"price_unit\":\"USD\"}"

TEST(a_message)
{
	struct twilio_message m;
	struct failure f;

	expect_ok(twilio_read_message(MESSAGE, strlen(MESSAGE), &m, &f), &f);
	expect_text(m.sid, SID);
	expect_int(m.status, TWILIO_STATUS_SENT);
	expect_true(!m.inbound);
	expect_text(m.from, "+15017122661");
	expect_text(m.to, "+15558675310");
	expect_text(m.body, "h\u00e9");
	expect_int(m.created_ms, 1795379400000);
	expect_int(m.sent_ms, 0);
	expect_int(m.error_code, 30003);
	expect_int(m.segments, 2);
	expect_text(m.price, "-0.00790 USD");
	twilio_message_clear(&m);
}

/* A body as it comes, and as it is read. */
static void expect_body(const char *json, const char *body)
{
	AUTO(free)
	char *all = xprintf("{\"sid\":\"" SID "\",\"status\":\"received\",\"body\":\"%s\"}", json);
	struct twilio_message m;
	struct failure f;

	expect_ok(twilio_read_message(all, strlen(all), &m, &f), &f);
	expect_text(m.body, body);
	twilio_message_clear(&m);
}

#define MENDED "\xef\xbf\xbd"

TEST(half_a_character_or_a_nul_in_a_text_spoils_no_page)
{
	expect_body("a\\u0000b", "a" MENDED "b");
	expect_body("\\ud83d", MENDED);
	expect_body("\\uD83Dx", MENDED "x");
	expect_body("\\ude00\\ud83d", MENDED MENDED);
	expect_body("\\ud83d\\ud83d\\ude00", MENDED "\U0001f600");
	expect_body("\\ud83d\\u0041", MENDED "A");
	expect_body("\\ud83d\\n", MENDED "\n");
	expect_body("\\ud83d\\ude00\\u00e9", "\U0001f600\u00e9");
	expect_body("\\\\u0000 \\\\ud83d", "\\u0000 \\ud83d");
	expect_body("\\\\\\u0000", "\\" MENDED);
}

TEST(what_came_with_a_text)
{
	static const char json[] =
		"{\"media_list\":[{\"sid\":\"ME0123456789abcdef0123456789abcdef\","
		"\"content_type\":\"image/png\"},{\"sid\":"
		"\"ME0123456789abcdef0123456789abcde0\",\"content_type\":null}],"
		"\"next_page_uri\":null}";
	static const char bad[] = "{\"media_list\":[{\"sid\":\"../../x\"}]}";
	struct twilio_media_list l;
	struct failure f;

	expect_ok(twilio_read_media(json, strlen(json), &l, &f), &f);
	expect_int(l.n, 2);
	expect_text(l.media[0].sid, "ME0123456789abcdef0123456789abcdef");
	expect_text(l.media[0].type, "image/png");
	expect_text(l.media[1].type, "");
	expect_true(!l.more);
	twilio_media_clear(&l);
	expect_int(twilio_read_media(bad, strlen(bad), &l, &f), -1);
	expect_int(f.kind, FAILURE_LATER);
	twilio_media_clear(&l);
	expect_int(twilio_read_media("{}", 2, &l, &f), -1);
	twilio_media_clear(&l);
}

TEST(what_may_be_null_is)
{
	static const char json[] = "{\"sid\":\"" SID "\",\"status\":\"accepted\",\"from\":null,"
				   "\"to\":null,\"body\":null,\"error_code\":null,\"price\":null}";
	struct twilio_message m;
	struct failure f;

	expect_ok(twilio_read_message(json, strlen(json), &m, &f), &f);
	expect_text(m.from, "");
	expect_text(m.body, "");
	expect_text(m.price, "");
	expect_int(m.error_code, 0);
	twilio_message_clear(&m);
}

TEST(a_status_nobody_knew_is_unknown)
{
	static const char json[] = "{\"sid\":\"" SID "\",\"status\":\"teleported\"}";
	struct twilio_message m;
	struct failure f;

	expect_ok(twilio_read_message(json, strlen(json), &m, &f), &f);
	expect_int(m.status, TWILIO_STATUS_UNKNOWN);
	twilio_message_clear(&m);
}

TEST(every_status_has_its_name)
{
	for (int s = TWILIO_STATUS_ACCEPTED; s <= TWILIO_STATUS_RECEIVED; s++) {
		char json[200];
		struct twilio_message m;
		struct failure f;

		snprintf(json, sizeof(json), "{\"sid\":\"%s\",\"status\":\"%s\"}", SID,
			 twilio_status_name((enum twilio_status)s));
		expect_ok(twilio_read_message(json, strlen(json), &m, &f), &f);
		expect_int(m.status, s);
		twilio_message_clear(&m);
	}
}

TEST(what_is_no_message_is_a_failure)
{
	static const char *const bad[] = {"",
					  "null",
					  "[]",
					  "{}",
					  "{\"sid\":7}",
					  "{\"sid\":\"SM12\"}",
					  "<html>",
					  ("{\"sid\":\"" SID)};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct twilio_message m;
		struct failure f;

		expect_failure(twilio_read_message(bad[i], strlen(bad[i]), &m, &f), &f,
			       FAILURE_LATER);
		twilio_message_clear(&m);
	}
}

static void read_page(const char *next, struct twilio_page *page)
{
	char json[2000];
	struct failure f;

	snprintf(json, sizeof(json), "{\"messages\":[%s,%s],\"next_page_uri\":%s}", MESSAGE,
		 MESSAGE, next);
	expect_ok(twilio_read_page(json, strlen(json), page, &f), &f);
}

TEST(a_page_and_where_the_next_one_is)
{
	struct twilio_page page;

	read_page("\"/2010-04-01/x?Page=1\"", &page);
	expect_int(page.n, 2);
	expect_text(page.next, "/2010-04-01/x?Page=1");
	twilio_page_clear(&page);
	read_page("null", &page);
	expect_null(page.next);
	twilio_page_clear(&page);
}

TEST(a_next_page_is_never_on_another_host)
{
	struct twilio_page page;

	read_page("\"https://example.net/\"", &page);
	expect_null(page.next);
	twilio_page_clear(&page);
}

TEST(errors_and_what_is_none)
{
	static const char json[] = "{\"code\":21211,\"message\":\"Bad\\nTo\",\"status\":400}";
	struct twilio_error e;

	twilio_read_error(json, strlen(json), 400, &e);
	expect_int(e.code, 21211);
	expect_text(e.text, "Bad?To (Twilio 21211)");
	twilio_read_error("<html>", 6, 502, &e);
	expect_int(e.code, 0);
	expect_text(e.text, "HTTP status 502");
}

TEST(forms_are_percent_encoded)
{
	struct buf b;

	buf_init(&b, 1000);
	twilio_add_field(&b, "To", "+1555");
	twilio_add_field(&b, "None", NULL);
	twilio_add_field(&b, "Body", "a b&c=\u00e9\n~");
	expect_text(buf_bytes(&b), "To=%2B1555&Body=a%20b%26c%3D%C3%A9%0A~");
	buf_clear(&b);
}

TEST(every_code_of_the_table_leads_to_its_class)
{
	static const struct {
		int code;
		enum twilio_moment moment;
		enum twilio_class class;
	} want[] = {
		{20429, TWILIO_REQUEST, TWILIO_BUSY},     {20500, TWILIO_REQUEST, TWILIO_AMBIGUOUS},
		{20003, TWILIO_REQUEST, TWILIO_ACCOUNT},  {20005, TWILIO_REQUEST, TWILIO_ACCOUNT},
		{30002, TWILIO_REQUEST, TWILIO_ACCOUNT},  {21211, TWILIO_REQUEST, TWILIO_REFUSED},
		{21614, TWILIO_REQUEST, TWILIO_REFUSED},  {21612, TWILIO_REQUEST, TWILIO_REFUSED},
		{21408, TWILIO_REQUEST, TWILIO_REFUSED},  {21610, TWILIO_REQUEST, TWILIO_SUPPRESS},
		{21608, TWILIO_REQUEST, TWILIO_SETTINGS}, {21606, TWILIO_REQUEST, TWILIO_SETTINGS},
		{21603, TWILIO_REQUEST, TWILIO_SETTINGS}, {21212, TWILIO_REQUEST, TWILIO_SETTINGS},
		{21611, TWILIO_REQUEST, TWILIO_LATER},    {21617, TWILIO_REQUEST, TWILIO_REFUSED},
		{21602, TWILIO_REQUEST, TWILIO_REFUSED},  {30001, TWILIO_DELIVERY, TWILIO_RESEND},
		{30003, TWILIO_DELIVERY, TWILIO_TWICE},   {30004, TWILIO_DELIVERY, TWILIO_REFUSED},
		{30005, TWILIO_DELIVERY, TWILIO_REFUSED}, {30006, TWILIO_DELIVERY, TWILIO_REFUSED},
		{30007, TWILIO_DELIVERY, TWILIO_REFUSED}, {30034, TWILIO_DELIVERY, TWILIO_REFUSED},
		{30450, TWILIO_DELIVERY, TWILIO_REFUSED}, {30008, TWILIO_DELIVERY, TWILIO_ONCE},
		{30009, TWILIO_DELIVERY, TWILIO_ONCE},    {30036, TWILIO_DELIVERY, TWILIO_EXPIRED},
		{30500, TWILIO_DELIVERY, TWILIO_ONCE},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		expect_int(twilio_code_find(want[i].moment, want[i].code, 400).class,
			   want[i].class);
}

TEST(codes_nobody_knew_have_a_default)
{
	expect_int(twilio_code_find(TWILIO_DELIVERY, 39999, 0).class, TWILIO_ONCE);
	expect_int(twilio_code_find(TWILIO_REQUEST, 29999, 400).class, TWILIO_REFUSED);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 404).class, TWILIO_REFUSED);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 408).class, TWILIO_AMBIGUOUS);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 425).class, TWILIO_BUSY);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 429).class, TWILIO_BUSY);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 401).class, TWILIO_ACCOUNT);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 502).class, TWILIO_AMBIGUOUS);
	expect_int(twilio_code_find(TWILIO_REQUEST, 0, 302).class, TWILIO_AMBIGUOUS);
}

/* What each code leads to, by the table of how Twilio's failures may be retried; of those it
 * does not name the default. Both ways: no row of ours is left out. */
static const struct {
	int code;
	enum twilio_moment moment;
	enum twilio_class class;
} leads_to[] = {
	{20429, TWILIO_REQUEST, TWILIO_BUSY},
	{20500, TWILIO_REQUEST, TWILIO_AMBIGUOUS},
	{20503, TWILIO_REQUEST, TWILIO_AMBIGUOUS},
	{20003, TWILIO_REQUEST, TWILIO_ACCOUNT},
	{20005, TWILIO_REQUEST, TWILIO_ACCOUNT},
	{30002, TWILIO_REQUEST, TWILIO_ACCOUNT},
	{21211, TWILIO_REQUEST, TWILIO_REFUSED},
	{21614, TWILIO_REQUEST, TWILIO_REFUSED},
	{21612, TWILIO_REQUEST, TWILIO_REFUSED},
	{21408, TWILIO_REQUEST, TWILIO_REFUSED},
	{21610, TWILIO_REQUEST, TWILIO_SUPPRESS},
	{21608, TWILIO_REQUEST, TWILIO_SETTINGS},
	{21606, TWILIO_REQUEST, TWILIO_SETTINGS},
	{21603, TWILIO_REQUEST, TWILIO_SETTINGS},
	{21212, TWILIO_REQUEST, TWILIO_SETTINGS},
	{21611, TWILIO_REQUEST, TWILIO_LATER},
	{21617, TWILIO_REQUEST, TWILIO_REFUSED},
	{21602, TWILIO_REQUEST, TWILIO_REFUSED},
	{30001, TWILIO_DELIVERY, TWILIO_RESEND},
	{30002, TWILIO_DELIVERY, TWILIO_ACCOUNT},
	{30003, TWILIO_DELIVERY, TWILIO_TWICE},
	{30004, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30005, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30006, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30007, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30008, TWILIO_DELIVERY, TWILIO_ONCE},
	{30009, TWILIO_DELIVERY, TWILIO_ONCE},
	{30034, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30036, TWILIO_DELIVERY, TWILIO_EXPIRED},
	{30450, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30500, TWILIO_DELIVERY, TWILIO_ONCE},
	{21610, TWILIO_DELIVERY, TWILIO_SUPPRESS},
	/* of media, by Twilio's list of errors */
	{21619, TWILIO_REQUEST, TWILIO_REFUSED},
	{21620, TWILIO_REQUEST, TWILIO_REFUSED},
	{21621, TWILIO_REQUEST, TWILIO_REFUSED},
	{21622, TWILIO_REQUEST, TWILIO_REFUSED},
	{21623, TWILIO_REQUEST, TWILIO_REFUSED},
	{11200, TWILIO_DELIVERY, TWILIO_ONCE},
	{11751, TWILIO_DELIVERY, TWILIO_REFUSED},
	{12300, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30011, TWILIO_DELIVERY, TWILIO_REFUSED},
	{30019, TWILIO_DELIVERY, TWILIO_REFUSED},
};
#define NLEADS (sizeof(leads_to) / sizeof(*leads_to))

TEST(each_code_leads_to_its_class)
{
	static const unsigned statuses[] = {0, 400, 401, 403, 404, 429, 500, 503};
	size_t n;

	twilio_codes(&n);
	expect_int(n, NLEADS);
	for (size_t i = 0; i < NLEADS; i++)
		for (size_t k = 0; k < sizeof(statuses) / sizeof(*statuses); k++) {
			struct twilio_code found =
				twilio_code_find(leads_to[i].moment, leads_to[i].code, statuses[k]);

			expect_int(found.code, leads_to[i].code);
			expect_int(found.class, leads_to[i].class);
		}
}

static bool is_named(int code, enum twilio_moment moment)
{
	for (size_t i = 0; i < NLEADS; i++)
		if (leads_to[i].code == code && leads_to[i].moment == moment)
			return true;
	return false;
}

/* 4xx never again, 5xx find out first, of a delivery once more. */
TEST(all_other_codes_lead_to_the_default)
{
	for (int code = 0; code < 100000; code++) {
		if (!is_named(code, TWILIO_REQUEST)) {
			expect_int(twilio_code_find(TWILIO_REQUEST, code, 400).class,
				   TWILIO_REFUSED);
			expect_int(twilio_code_find(TWILIO_REQUEST, code, 404).class,
				   TWILIO_REFUSED);
			expect_int(twilio_code_find(TWILIO_REQUEST, code, 401).class,
				   TWILIO_ACCOUNT);
			expect_int(twilio_code_find(TWILIO_REQUEST, code, 429).class, TWILIO_BUSY);
			expect_int(twilio_code_find(TWILIO_REQUEST, code, 500).class,
				   TWILIO_AMBIGUOUS);
		}
		if (!is_named(code, TWILIO_DELIVERY))
			expect_int(twilio_code_find(TWILIO_DELIVERY, code, 0).class, TWILIO_ONCE);
	}
}

/* Who is to blame, and who is told what to do about it. */
TEST(codes_that_speak_against_number_or_sender)
{
	static const int numbers[] = {30005, 30006}, senders[] = {30007, 30034};

	for (size_t i = 0; i < 2; i++) {
		expect_int(twilio_code_find(TWILIO_DELIVERY, numbers[i], 0).blame, BLAME_NUMBER);
		expect_int(twilio_code_find(TWILIO_DELIVERY, senders[i], 0).blame, BLAME_SENDER);
		expect_some(twilio_code_find(TWILIO_DELIVERY, senders[i], 0).hint);
	}
	expect_some(twilio_code_find(TWILIO_REQUEST, 21408, 400).hint);
	expect_some(twilio_code_find(TWILIO_REQUEST, 21608, 400).hint);
}

RUN_TESTS()
