/* server/transport_methods.c - Pause, Resume, Probe, and Status. */
#include <string.h>
#include <unistd.h>

#include "auto.h"
#include "config/config.h"
#include "config/secret_ref.h"
#include "failure.h"
#include "queue/queue.h"
#include "queue/store.h"
#include "queue/store_read.h"
#include "rules/engine.h"
#include "secret.h"
#include "server/admission.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/room.h"
#include "server/rows.h"
#include "text.h"
#include "version.h"

#define REASON_MAX 200

static void refuse_transport(struct call *c)
{
	json_t *known = json_array();

	for (size_t i = 0; i < c->config->ntransports; i++)
		json_array_append_new(known, reply_text(c->config->transports[i].name));
	call_error(c, ERROR_NO_SUCH_TRANSPORT,
		   json_pack("{s:s, s:o}", "name", call_text(c, "transport"), "known", known));
}

static void operated(void *ctx, const struct operate_result *result)
{
	struct call *c = ctx;

	if (result->why)
		call_not_stored(c, result->why);
	else
		call_reply(c, NULL);
}

void pause_start(struct call *c)
{
	const char *reason = call_text(c, "reason");
	struct failure f;

	if (reason && (strlen(reason) > REASON_MAX || !text_is_one_line(reason, strlen(reason)))) {
		call_invalid(c, "reason", "one line of at most %d bytes is wanted.", REASON_MAX);
		return;
	}
	if (queue_pause(c->server->queue, call_text(c, "transport"), reason ? reason : "", operated,
			c, &f) < 0)
		refuse_transport(c);
}

void resume_start(struct call *c)
{
	struct failure f;

	if (queue_resume(c->server->queue, call_text(c, "transport"), operated, c, &f) < 0)
		refuse_transport(c);
}

static void probed(void *ctx, const struct failure *why)
{
	struct call *c = ctx;
	enum error_id id = ERROR_TRANSPORT_AWAY;

	if (!why) {
		call_reply(c, NULL);
		return;
	}
	if (why->kind == FAILURE_REFUSED)
		id = ERROR_LOGIN_REFUSED;
	else if (why->kind == FAILURE_SETUP)
		id = ERROR_TRANSPORT_SETUP;
	call_error(c, id,
		   json_pack("{s:s, s:o}", "transport", call_text(c, "transport"), "reason",
			     reply_text(why->text)));
}

void probe_start(struct call *c)
{
	struct failure f;

	if (queue_probe(c->server->queue, call_text(c, "transport"), probed, c, &f) < 0)
		refuse_transport(c);
}

static void add_transport(void *ctx, const struct transport_status *status)
{
	json_array_append_new(ctx, reply_transport(status));
}

static void add_mailbox(void *ctx, const struct mailbox_status *status)
{
	json_array_append_new(ctx, reply_mailbox(status));
}

static void add_secret(void *ctx, const struct secret_ref *ref)
{
	AUTO(secret_free) struct secret *secret = NULL;
	struct failure f;
	bool known = secret_ref_get(ref, &secret, &f) == 0;
	json_t *row = json_pack("{s:s, s:s, s:b}", "name", ref->name, "place", ref->place, "known",
				known);

	if (!known)
		json_object_set_new(row, "reason", reply_text(f.text));
	json_array_append_new(ctx, row);
}

static void counted(void *ctx, const struct stats_result *stats)
{
	struct call *c = ctx;
	struct queue *q = c->server->queue;

	if (stats->why) {
		call_not_stored(c, stats->why);
		return;
	}
	json_t *transports = json_array(), *mailboxes = json_array(), *secrets = json_array();

	config_each_command(c->server->config, add_secret, secrets);
	queue_each_transport(q, add_transport, transports);
	engine_each_mailbox(c->server->engine, add_mailbox, mailboxes);
	call_reply(c,
		   json_pack("{s:s, s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
			     "version", NUNCIO_VERSION, "instance", store_instance(queue_store(q)),
			     "pid", (int)getpid(), "started", (json_int_t)c->server->started_ms,
			     "counts", reply_counts(stats), "routes", reply_routes(stats),
			     "transports", transports, "mailboxes", mailboxes, "secrets", secrets,
			     "database_bytes", (json_int_t)stats->database_bytes, "limits",
			     admission_limits(c), "usage", admission_usage(c)));
}

void status_start(struct call *c)
{
	store_stats(queue_store(c->server->queue), counted, c);
}
