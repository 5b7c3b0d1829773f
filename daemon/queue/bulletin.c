/* queue/bulletin.c - makes a letter of a few lines and puts it in front of the queue. */
#include "queue/bulletin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "message/letter.h"
#include "queue/queue.h"

#define LIFE_MS (4LL * 24 * 60 * 60 * 1000)

static struct address address_copy(const struct address *a)
{
	return (struct address){.name = a->name ? xstrdup(a->name) : NULL,
				.mailbox = xstrdup(a->mailbox),
				.ascii = xstrdup(a->ascii),
				.needs_smtputf8 = a->needs_smtputf8};
}

static struct letter *make_letter(struct queue *q, const struct config *config, const char *subject,
				  const char *text, const struct bulletin_to *to, size_t n)
{
	struct letter *l = letter_new();

	l->kind = LETTER_COMPOSED;
	l->date_ms = clock_wall_ms();
	l->from = address_copy(&config->from);
	l->to = xcalloc(n ? n : 1, sizeof(*l->to));
	for (size_t i = 0; i < n; i++)
		if (to[i].mail)
			l->to[l->nto++] = address_copy(to[i].mail);
	l->subject = xstrdup(subject);
	l->has_text = true;
	l->text_size = strlen(text);
	l->message_id = letter_make_message_id(&l->from, l->date_ms);
	l->boundary = letter_make_boundary();
	l->marker = xprintf("%s.%.*s", store_instance(queue_store(q)),
			    (int)strcspn(l->message_id, "@"), l->message_id);
	return l;
}

static void queued(void *ctx, const struct intake_result *result)
{
	if (result->status == INTAKE_FAILED)
		log_error(NULL, "the operator can't be told: %s",
			  result->why ? result->why->text : "the queue could not be written");
}

static struct delivery_row *make_deliveries(const struct bulletin_to *to, size_t n, int64_t now_ms)
{
	struct delivery_row *rows = xcalloc(n ? n : 1, sizeof(*rows));

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct delivery_row){
			.recipient = to[i].recipient,
			.route = to[i].route,
			.state = STATE_QUEUED,
			.next_ms = now_ms,
			.expires_ms = now_ms + LIFE_MS,
			.changed_ms = now_ms,
			.enhanced = "",
			.text = "",
			.transport = "",
			.remote_id = "",
		};
	return rows;
}

void bulletin_send(struct queue *q, const struct config *config, const char *key,
		   const char *subject, const char *text, const struct bulletin_to *to, size_t n)
{
	AUTO(letter_free) struct letter *l = make_letter(q, config, subject, text, to, n);
	AUTO(free) char *spec = letter_to_spec(l);
	struct delivery_row *deliveries = make_deliveries(to, n, l->date_ms);
	struct intake *in = intake_new(q);
	struct message_row message = {
		.created_ms = l->date_ms,
		.uid = (uint32_t)geteuid(),
		.pid = (int32_t)getpid(),
		.key = key,
		.digest = "",
		.sender = "",
		.subject = l->subject,
		.message_id = l->message_id,
		.spec = spec,
	};

	intake_write(in, text, strlen(text), NULL, NULL);
	intake_finish(in, &message, deliveries, n, 0, queued, NULL);
	free(deliveries);
}
