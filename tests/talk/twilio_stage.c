/* tests/talk/twilio_stage.c - see twilio_stage.h. */
#include "twilio_stage.h"

#include "base/loop.h"
#include "buf.h"
#include "secret.h"
#include "tests/unit/expect.h"
#include "transport/twilio.h"

void twilio_stage_init(struct twilio_stage *s, struct loop *loop, const char *script,
		       const struct talk_options *options)
{
	static char name[] = "sms", type[] = "twilio", account[] = ACCOUNT, from[] = OURS;
	struct failure f;

	*s = (struct twilio_stage){.loop = loop, .server = talk_with(loop, script, options)};
	snprintf(s->api, sizeof(s->api), "http%s://127.0.0.1:%u",
		 options && options->tls_at_once ? "s" : "", talk_port(s->server));
	s->config = (struct transport_config){.name = name, .type = type, .concurrency = 1};
	s->config.twilio = (struct twilio_config){
		.account_sid = account,
		.auth_token = {.kind = SECRET_INLINE, .value = secret_new("token", 5)},
		.api = s->api,
		.from = from,
		.segments = 3,
		.timeout_ms = 10000};
	s->host = host_new(loop, NULL);
	expect_ok(host_open(s->host, &transport_twilio, &s->config, &f), &f);
}

void twilio_stage_clear(struct twilio_stage *s)
{
	host_free(s->host);
	talk_free(s->server);
	secret_free(s->config.twilio.auth_token.value);
}

const struct outcome *twilio_stage_send(struct twilio_stage *s, const char *text)
{
	size_t mail = host_add(s->host, &(struct host_mail){.to = {ME}, .text = text});

	host_wake(s->host);
	talk_until(s->loop, host_all_finished(s->host));
	return host_outcome(s->host, mail, 0);
}

char *twilio_stage_cut(const char *hear, const char *answer, size_t len, const char *end)
{
	struct buf script;

	buf_init(&script, 1024 * 1024);
	buf_add_text(&script, hear);
	while (len) {
		const char *cr = memchr(answer, '\r', len);
		size_t line = cr ? (size_t)(cr - answer) : len;
		bool whole = cr && line + 2 <= len;

		buf_printf(&script, "S%c %.*s\n", whole ? ':' : '=', (int)line, answer);
		line = whole ? line + 2 : len;
		answer += line;
		len -= line;
	}
	buf_printf(&script, "%s\nACCEPT\nC: nobody comes back\n", end);
	return buf_take(&script, NULL);
}
