/* queue/store_schema.c - decides how a database of any version becomes one of
 * ours: a step a version, each a transaction of its own. */
#include "queue/store_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "queue/sql.h"

#define APPLICATION_ID "1316318819" /* "Nunc" */

/* Version 1. finished_ms is when it was created as long as deliveries are live
 * (not final), so that finishing does not change the row's length. life_ms is how
 * long a retry lives anew. Deliveries of a message are numbered in a row. */
static const char tables[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE messages ("
	" id INTEGER PRIMARY KEY,"
	" created_ms INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" pid INTEGER NOT NULL,"
	" live INTEGER NOT NULL,"
	" finished_ms INTEGER NOT NULL,"
	" repeats INTEGER NOT NULL,"
	" first_delivery INTEGER NOT NULL,"
	" deliveries INTEGER NOT NULL,"
	" priority INTEGER NOT NULL,"
	" body INTEGER NOT NULL,"
	" content_size INTEGER NOT NULL,"
	" key TEXT,"
	" digest TEXT,"
	" dedup TEXT,"
	" sender TEXT NOT NULL,"
	" subject TEXT,"
	" message_id TEXT NOT NULL,"
	" spec TEXT NOT NULL,"
	" content BLOB);"
	"CREATE UNIQUE INDEX messages_key ON messages (uid, key) WHERE key IS NOT NULL;"
	"CREATE INDEX messages_dedup ON messages (uid, dedup) WHERE dedup IS NOT NULL;"
	"CREATE INDEX messages_finished ON messages (finished_ms) WHERE live = 0;"
	"CREATE UNIQUE INDEX messages_body ON messages (body) WHERE body > 0;"
	"CREATE TABLE chunks (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
	"CREATE TABLE deliveries ("
	" id INTEGER PRIMARY KEY,"
	" message INTEGER NOT NULL,"
	" state INTEGER NOT NULL,"
	" priority INTEGER NOT NULL,"
	" attempt_no INTEGER NOT NULL,"
	" next_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL,"
	" life_ms INTEGER NOT NULL,"
	" changed_ms INTEGER NOT NULL,"
	" claim_owner TEXT,"
	" lease_until INTEGER,"
	" code INTEGER NOT NULL,"
	" recipient TEXT NOT NULL,"
	" route TEXT NOT NULL,"
	" enhanced TEXT NOT NULL,"
	" text TEXT NOT NULL,"
	" transport TEXT NOT NULL,"
	" remote_id TEXT NOT NULL);"
	"CREATE INDEX deliveries_due ON deliveries (route, priority, next_ms) WHERE state = 2;"
	"CREATE INDEX deliveries_expiring ON deliveries (expires_ms) WHERE state = 2;"
	"CREATE INDEX deliveries_claimed ON deliveries (lease_until) WHERE state = 3;"
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY,"
	" at_ms INTEGER NOT NULL,"
	" delivery INTEGER NOT NULL,"
	" from_state INTEGER NOT NULL,"
	" to_state INTEGER NOT NULL,"
	" attempt_no INTEGER NOT NULL,"
	" code INTEGER NOT NULL,"
	" transport TEXT NOT NULL,"
	" enhanced TEXT NOT NULL,"
	" text TEXT NOT NULL);"
	"CREATE TABLE paused (transport TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('instance', lower(hex(randomblob(8))));"
	"PRAGMA application_id = " APPLICATION_ID ";";

/* Version 2: whether the sender is to hear of a delivery's failure (enum notice), and
 * that a message takes long. What is owed is an index that is nearly always empty. */
static const char notices[] =
	"ALTER TABLE deliveries ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE messages ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX deliveries_owed ON deliveries (message)"
	" WHERE notice = 1 AND state IN (7, 8, 9);"
	"CREATE INDEX messages_slow ON messages (created_ms) WHERE slow = 1 AND live > 0;";

/* Version 3: what rules stand on (store_run.h). changed_ms is when a run came to its
 * state; its numbers are never given twice, a disposal's neither. The states are enum
 * run_state's: 1 started, 6 asked; the others are over. */
static const char desk[] =
	"CREATE TABLE runs ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" token TEXT NOT NULL,"
	" rule TEXT NOT NULL,"
	" origin TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" contact TEXT NOT NULL,"
	" identity TEXT,"
	" command TEXT NOT NULL,"
	" plan TEXT NOT NULL,"
	" state INTEGER NOT NULL,"
	" started_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL,"
	" changed_ms INTEGER NOT NULL,"
	" code INTEGER NOT NULL,"
	" text TEXT NOT NULL);"
	"CREATE UNIQUE INDEX runs_token ON runs (token);"
	"CREATE UNIQUE INDEX runs_identity ON runs (identity) WHERE identity IS NOT NULL;"
	"CREATE INDEX runs_started ON runs (id) WHERE state = 1;"
	"CREATE INDEX runs_asked ON runs (expires_ms) WHERE state = 6;"
	"CREATE INDEX runs_over ON runs (changed_ms)"
	" WHERE identity IS NULL AND state IN (2, 3, 4, 5, 7);"
	"CREATE INDEX runs_known ON runs (changed_ms)"
	" WHERE identity IS NOT NULL AND state IN (2, 3, 4, 5, 7);"
	"CREATE TABLE cursors (mailbox TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE proofs ("
	" contact TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" forget_ms INTEGER NOT NULL,"
	" PRIMARY KEY (contact, kind, value));"
	"CREATE INDEX proofs_forget ON proofs (forget_ms);"
	"CREATE TABLE disposals ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" mailbox TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" deed INTEGER NOT NULL,"
	" target TEXT NOT NULL);"
	"CREATE INDEX disposals_mail ON disposals (mailbox, ref);"
	"CREATE TABLE strikes ("
	" id INTEGER PRIMARY KEY,"
	" contact TEXT NOT NULL,"
	" channel TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL);"
	"CREATE INDEX strikes_contact ON strikes (contact, channel, at_ms);"
	"CREATE INDEX strikes_at ON strikes (at_ms);";

/* Version 4: texts whose provider is asked what became of them (store_track.h). next_ms 0:
 * no more; the row stays, for whose remote_id is whose, as long as its delivery.
 * And numbers that want no texts. */
static const char tracking[] =
	"CREATE TABLE tracked ("
	" delivery INTEGER PRIMARY KEY,"
	" transport TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" remote_id TEXT NOT NULL,"
	" since_ms INTEGER NOT NULL,"
	" next_ms INTEGER NOT NULL);"
	"CREATE INDEX tracked_due ON tracked (transport, next_ms) WHERE next_ms > 0;"
	"CREATE INDEX tracked_recipient ON tracked (recipient);"
	"CREATE INDEX tracked_remote ON tracked (remote_id) WHERE remote_id <> '';"
	"CREATE TABLE suppressed (recipient TEXT PRIMARY KEY, since_ms INTEGER NOT NULL)"
	" WITHOUT ROWID;";

/* Version 5: each attempt to send a text, for what may go to a number, or in a day; and
 * deliveries that go by one text: bundle is the delivery that stands for all of them, whose
 * text is kept as long as it may have to be looked for. fallback is the delivery that stands
 * by for this one, or, below 0, the one that this one stands by for, so long (fallback_ms). */
static const char texts[] =
	"CREATE TABLE texts ("
	" id INTEGER PRIMARY KEY,"
	" delivery INTEGER NOT NULL,"
	" transport TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" segments INTEGER NOT NULL,"
	" cost INTEGER NOT NULL);"
	"CREATE INDEX texts_recipient ON texts (recipient, at_ms);"
	"CREATE INDEX texts_transport ON texts (transport, at_ms);"
	"CREATE INDEX texts_delivery ON texts (delivery);"
	"CREATE INDEX texts_at ON texts (at_ms);"
	"CREATE TABLE lifted (transport TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE bundles (lead INTEGER PRIMARY KEY, spec TEXT NOT NULL, content BLOB NOT NULL);"
	"ALTER TABLE deliveries ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deliveries ADD COLUMN throttled INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deliveries ADD COLUMN fallback INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deliveries ADD COLUMN fallback_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX deliveries_standby ON deliveries (next_ms) WHERE state = 13;"
	"CREATE INDEX deliveries_bundle ON deliveries (bundle) WHERE bundle > 0;"
	"CREATE INDEX deliveries_texts ON deliveries (recipient, next_ms)"
	" WHERE state = 2 AND recipient >= '+' AND recipient < ',';";

/* Version 6: texts that came in and were dealt with; and of those who want none: why, whether
 * they texted it, and when they last wanted some again. */
static const char inbound[] =
	"CREATE TABLE heard ("
	" origin TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" came_ms INTEGER NOT NULL,"
	" PRIMARY KEY (origin, ref)) WITHOUT ROWID;"
	"CREATE INDEX heard_came ON heard (came_ms);"
	"ALTER TABLE suppressed ADD COLUMN why TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE suppressed ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE suppressed ADD COLUMN lifted_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX suppressed_lifted ON suppressed (lifted_ms) WHERE lifted_ms >= since_ms;";

/* steps[n] leads from version n to n + 1. */
static const char *const steps[] = {tables, notices, desk, tracking, texts, inbound};
#define VERSION ((long)(sizeof(steps) / sizeof(*steps)))

static int step(struct sql *sql, long from, struct failure *f)
{
	char end[64];

	snprintf(end, sizeof(end), "PRAGMA user_version = %ld; COMMIT", from + 1);
	if (sql_script(sql, "BEGIN IMMEDIATE", f) == 0 && sql_script(sql, steps[from], f) == 0 &&
	    sql_script(sql, end, f) == 0)
		return 0;
	sql_rollback(sql);
	return failure_wrap(f, "moving to schema %ld", from + 1);
}

static int check_ours(struct sql *sql, const char *path, struct failure *f)
{
	char tables_there[24], application[24];

	if (sql_word(sql, "SELECT count(*) FROM sqlite_schema", tables_there, sizeof(tables_there),
		     f) < 0 ||
	    sql_word(sql, "PRAGMA application_id", application, sizeof(application), f) < 0)
		return -1;
	if (strcmp(tables_there, "0") == 0 || strcmp(application, APPLICATION_ID) == 0)
		return 0;
	return failure_set(f, FAILURE_SETUP,
			   "%s is another program's database: move it away, or choose another "
			   "directory for `state`",
			   path);
}

int schema_migrate(struct sql *sql, const char *path, struct failure *f)
{
	char word[24];

	if (check_ours(sql, path, f) < 0 ||
	    sql_word(sql, "PRAGMA user_version", word, sizeof(word), f) < 0)
		return -1;
	long version = strtol(word, NULL, 10);

	if (version > VERSION)
		return failure_set(f, FAILURE_SETUP,
				   "%s was written by a newer nuncio (schema %ld, this one knows "
				   "%ld): install that one, or move the file away to begin anew",
				   path, version, VERSION);
	for (; version < VERSION; version++)
		if (step(sql, version, f) < 0)
			return -1;
	return 0;
}
