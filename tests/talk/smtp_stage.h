/* tests/talk/smtp_stage.h - the SMTP transport between a scripted server (talk.h) and
 * a queue made of an array (host.h). */
#ifndef NUNCIO_TESTS_SMTP_STAGE_H
#define NUNCIO_TESTS_SMTP_STAGE_H
#include "config/config.h"
#include "host.h"
#include "talk.h"

/* What a plain server says first, and what it is told. */
#define SMTP_HELLO                                                                                 \
	"S: 220 mail.example.com ESMTP\r\n"                                                        \
	"C: EHLO test.example.com\r\n"                                                             \
	"S: 250-mail.example.com\r\n"
#define SMTP_PIPELINED SMTP_HELLO "S: 250 PIPELINING\r\n"
#define SMTP_STEPWISE SMTP_HELLO "S: 250 HELP\r\n"
/* A mail to one recipient, its envelope in one flight. */
#define SMTP_ENVELOPE(to)                                                                          \
	"C: MAIL FROM:<box@example.com>\r\n"                                                       \
	"C: RCPT TO:<" to ">\r\n"                                                                  \
	"C: DATA\r\n"
#define SMTP_TAKEN "S: 250 2.1.0 Ok\r\nS: 250 2.1.5 Ok\r\nS: 354 go on\r\n"
/* What host_add_simple() adds. */
#define SMTP_CONTENT "C: Subject: hi\r\nC: \r\nC: Hello.\r\nC: .\r\n"

struct smtp_stage {
	struct loop *loop;
	struct resolver *resolver;
	struct talk *talk;
	struct transport_config config;
	struct host *host;
};
/* config may be changed before stage_open(). options may be NULL. */
void stage_begin(struct smtp_stage *s, const char *script, const struct talk_options *options);
void stage_login(struct smtp_stage *s, enum tls_mode tls); /* user "box", password "s3cret" */
void stage_open(struct smtp_stage *s);
/* Opens it when it is not, wakes it and goes on until every mail is finished. */
void stage_run(struct smtp_stage *s);
void stage_run_down(struct smtp_stage *s); /* ... until it is down */
/* All was spoken, with the transport still connected or not; talk and host may be
 * gone (NULL) already. */
void stage_end(struct smtp_stage *s);
#endif
