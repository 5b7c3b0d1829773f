/* server/health.c - Check: what the daemon alone can tell of its database and disk. */
#include "queue/queue.h"
#include "queue/store_read.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/room.h"
#include "server/rows.h"

static void checked(void *ctx, const struct check_result *result)
{
	struct call *c = ctx;

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	call_reply(c,
		   json_pack("{s:o, s:I, s:I, s:o}", "state", reply_text(result->directory),
			     "database_bytes", (json_int_t)result->database_bytes, "free_bytes",
			     (json_int_t)result->free_bytes, "damage", reply_some(result->damage)));
}

void check_start(struct call *c)
{
	store_check(queue_store(c->server->queue), checked, c);
}
