/* tests/talk/twilio_stage.h - the Twilio transport between a queue made of an array and a
 * scripted API; and what its scripts are made of. */
#ifndef NUNCIO_TESTS_TWILIO_STAGE_H
#define NUNCIO_TESTS_TWILIO_STAGE_H
#include "config/config.h"
#include "host.h"
#include "talk.h"
struct loop;

/* clang-format off */
#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define LIST "/2010-04-01/Accounts/" ACCOUNT "/Messages.json"
#define ONE(n) "/2010-04-01/Accounts/" ACCOUNT "/Messages/" SM(n) ".json"
#define SM(n) "SM0000000000000000000000000000000" n
#define OURS "+15017122661"
#define ME "+15559998888"
/* What is heard, what is said, and the next connection: there is one for each request. */
#define HEAR_GET(path) "C: GET " path " HTTP/1.1\nC: ...\nC: \n"
#define HEAR_POST "C: POST " LIST " HTTP/1.1\nC: ...\nC: \n"
#define FORM(body) "C= To=%2B15559998888&From=%2B15017122661" body "&ValidityPeriod=36000\n"
#define SAY(status) "S: HTTP/1.1 " status "\nS: Connection: close\nS: \n"
#define NEXT "CLOSE\nACCEPT\n"
/* more: further members, with a comma before each. */
#define TEXT(n, status, more)                                                                      \
	"{\"sid\":\"" SM(n) "\",\"status\":\"" status "\",\"direction\":\"outbound-api\","         \
	"\"from\":\"" OURS "\",\"to\":\"" ME "\",\"body\":\"hello\",\"num_media\":\"0\","          \
	"\"num_segments\":\"1\"" more "}"
#define PAGE(rows, next) "{\"messages\":[" rows "],\"next_page_uri\":" next "}"
/* clang-format on */

struct twilio_stage {
	struct loop *loop; /* the caller's */
	struct talk *server;
	struct host *host;
	struct transport_config config;
	char api[60];
};
/* Opens all of it; options may be NULL. */
void twilio_stage_init(struct twilio_stage *s, struct loop *loop, const char *script,
		       const struct talk_options *options);
void twilio_stage_clear(struct twilio_stage *s); /* the server too, where it is still there */
/* One text to ME; returns once it is settled, and all that was ever given out. */
const struct outcome *twilio_stage_send(struct twilio_stage *s, const char *text);
/* A script that says the first len bytes of answer, then ends the connection by end, and
 * expects no other one. */
char *twilio_stage_cut(const char *hear, const char *answer, size_t len, const char *end);
#endif
