/* tests/talk/smtp_stage.c - see smtp_stage.h. */
#include "smtp_stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "base/loop.h"
#include "net/resolve.h"
#include "secret.h"
#include "transport/smtp.h"

void stage_begin(struct smtp_stage *s, const char *script, const struct talk_options *options)
{
	struct address_list list = {.count = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&list.at[0].address;

	memset(s, 0, sizeof(*s));
	s->loop = loop_new();
	s->resolver = resolver_new(s->loop);
	s->talk = options ? talk_with(s->loop, script, options) : talk_new(s->loop, script);
	in->sin_family = AF_INET;
	in->sin_port = htons(talk_port(s->talk));
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	list.at[0].len = sizeof(*in);
	resolver_pretend(s->resolver, "localhost", &list, 0);
	s->host = host_new(s->loop, s->resolver);
	s->config = (struct transport_config){
		.name = xstrdup("mail"),
		.concurrency = 1,
		.smtp =
			{
				.host = xstrdup("localhost"),
				.port = talk_port(s->talk),
				.tls = TLS_NONE,
				.hello = xstrdup("test.example.com"),
				.connect_timeout_ms = 30000,
				.idle_ms = 10000,
				.mails_per_session = 100,
				.recipients_per_mail = 100,
			},
	};
}

void stage_login(struct smtp_stage *s, enum tls_mode tls)
{
	struct smtp_config *smtp = &s->config.smtp;

	smtp->tls = tls;
	smtp->ca_file = xstrdup(talk_ca_file());
	smtp->user = xstrdup("box");
	smtp->password.kind = SECRET_INLINE;
	smtp->password.value = secret_new("s3cret", 6);
}

void stage_open(struct smtp_stage *s)
{
	struct failure f;

	if (host_open(s->host, &transport_smtp, &s->config, &f) < 0) {
		print_error("%s\n", f.text);
		_fail(__FILE__, __LINE__);
	}
}

static void wake(struct smtp_stage *s)
{
	if (!host_transport(s->host))
		stage_open(s);
	host_wake(s->host);
}

void stage_run(struct smtp_stage *s)
{
	wake(s);
	talk_until(s->loop, host_all_finished(s->host));
}

void stage_run_down(struct smtp_stage *s)
{
	wake(s);
	talk_until(s->loop, host_was_down(s->host));
}

void stage_end(struct smtp_stage *s)
{
	struct smtp_config *smtp = &s->config.smtp;

	if (s->talk)
		talk_finished(s->talk);
	host_free(s->host);
	resolver_free(s->resolver);
	loop_free(s->loop);
	free(s->config.name);
	free(smtp->host);
	free(smtp->hello);
	free(smtp->ca_file);
	free(smtp->user);
	secret_free(smtp->password.value);
	secret_free(smtp->token.value);
}
