/* queue/store_sql.c - every statement the store uses on its tables. The numbers
 * of states are state.h's: 2 queued, 3 sending. A message's events and a body's
 * chunks stand together, numbered within (owner << 20): store_ids.h. */
#include "queue/store_sql.h"

/* The columns that store_rows.c reads, in its order. */
#define MESSAGE_COLUMNS                                                                            \
	"m.id, m.created_ms, m.uid, m.pid, m.key, m.digest, m.dedup, m.sender, m.subject,"         \
	" m.message_id, m.priority, m.content_size, m.body, m.repeats"
#define DELIVERY_COLUMNS                                                                           \
	"d.id, d.message, d.recipient, d.route, d.state, d.next_ms, d.expires_ms, d.changed_ms,"   \
	" d.attempt_no, d.code, d.enhanced, d.text, d.transport, d.remote_id, d.notice,"           \
	" d.bundle, CASE WHEN d.bundle > 0 THEN (SELECT count(*) - 1 FROM deliveries b"            \
	" WHERE b.bundle = d.bundle AND b.bundle > 0) ELSE 0 END, d.fallback,"                     \
	" (SELECT p.recipient FROM deliveries p WHERE p.id = -d.fallback)"
/* What a change of state must know of a delivery. */
#define SUBJECT_COLUMNS                                                                            \
	"d.id, d.message, d.state, d.attempt_no, d.route, d.recipient, m.uid, d.bundle, d.fallback"

/* ?2: what a provider said before counts no more */
#define IS_SUPPRESSED "since_ms > lifted_ms AND (said OR since_ms > ?2)"

static const char *const texts[NSTATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_LOOK] = "BEGIN DEFERRED",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SAVEPOINT] = "SAVEPOINT batch",
	[SQL_RELEASE] = "RELEASE batch",
	[SQL_UNDO] = "ROLLBACK TO batch",
	[SQL_PUT_META] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
	[SQL_DROP_META] = "DELETE FROM meta WHERE name = ?1",
	[SQL_META] = "SELECT value FROM meta WHERE name = ?1",

	[SQL_FIND_KEY] = "SELECT id, digest FROM messages WHERE uid = ?1 AND key = ?2",
	[SQL_FIND_DEDUP] = "SELECT id FROM messages WHERE uid = ?1 AND dedup = ?2"
			   " AND (live > 0 OR created_ms >= ?3) ORDER BY id DESC LIMIT 1",
	[SQL_COUNT_REPEAT] = "UPDATE messages SET repeats = repeats + 1 WHERE id = ?1",
	[SQL_PUT_MESSAGE] =
		"INSERT INTO messages (id, created_ms, uid, pid, live, finished_ms, repeats,"
		" first_delivery, deliveries, priority, body, content_size, key, digest, dedup,"
		" sender, subject, message_id, spec, content, slow)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?2, 0, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
		" ?15, ?16, ?17, ?18, ?19)",
	[SQL_PUT_DELIVERY] =
		"INSERT INTO deliveries (id, message, state, priority, attempt_no, next_ms,"
		" expires_ms, life_ms, changed_ms, code, recipient, route, enhanced, text,"
		" transport, remote_id, notice, fallback, fallback_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, coalesce(?13, ''),"
		" coalesce(?14, ''), coalesce(?15, ''), coalesce(?16, ''), ?17, ?18, ?19)",
	[SQL_PUT_EVENT] = "INSERT INTO events (id, at_ms, delivery, from_state, to_state,"
			  " attempt_no, code, transport, enhanced, text)"
			  " VALUES (?1, ?2, 0, 0, ?3, 0, 0, '', '', '')",
	[SQL_PUT_CHUNK] = "INSERT OR REPLACE INTO chunks (id, bytes) VALUES (?1, ?2)",
	[SQL_DROP_CHUNKS] = "DELETE FROM chunks WHERE id BETWEEN ?1 AND ?2",
	[SQL_STANDING] =
		"SELECT route, bundle, fallback FROM deliveries WHERE id = ?1 AND message = ?2"
		" AND state = ?3 AND attempt_no = ?4",
	/* ?1 id, ?2 from, ?3 to, ?4 attempt, ?5 new attempt, ?6 at, ?7 next, ?8 code ... ?13
	 * owner, ?14 lease, ?15 a fresh life; the last answer stays when there is none */
	[SQL_CHANGE] =
		"UPDATE deliveries SET state = ?3, attempt_no = ?5, changed_ms = ?6,"
		" next_ms = CASE WHEN ?3 = 2 THEN ?7 ELSE next_ms END,"
		" code = CASE WHEN ?8 = 0 AND ?10 IS NULL THEN code ELSE ?8 END,"
		" enhanced = coalesce(?9, enhanced), text = coalesce(?10, text),"
		" transport = coalesce(?11, transport), remote_id = coalesce(?12, remote_id),"
		" claim_owner = CASE WHEN ?3 = 3 THEN ?13 END,"
		" lease_until = CASE WHEN ?3 = 3 THEN ?14 END, throttled = 0,"
		" bundle = CASE WHEN ?3 IN (1, 2) THEN 0 ELSE bundle END,"
		" notice = CASE WHEN ?15 AND notice = 2 THEN 1 ELSE notice END,"
		" expires_ms = CASE WHEN ?15 AND life_ms > 0 THEN ?6 + life_ms ELSE expires_ms END"
		" WHERE id = ?1 AND state = ?2 AND attempt_no = ?4",
	/* one more than the last of the message; the last one is overwritten at the ceiling */
	[SQL_ADD_EVENT] =
		"INSERT OR REPLACE INTO events (id, at_ms, delivery, from_state, to_state,"
		" attempt_no, code, transport, enhanced, text)"
		" VALUES (min(1 + (SELECT coalesce(max(id), ?1) FROM events"
		" WHERE id BETWEEN ?1 AND ?2), ?2), ?3, ?4, ?5, ?6, ?7, ?8, coalesce(?9, ''),"
		" coalesce(?10, ''), coalesce(?11, ''))",
	[SQL_COUNT_LIVE] = "UPDATE messages SET live = live + ?2,"
			   " finished_ms = CASE WHEN live + ?2 = 0 THEN ?3 ELSE finished_ms END"
			   " WHERE id = ?1",
	/* before the delivery's state changes: it was changed last when its attempt began */
	[SQL_TRACK] = "INSERT INTO tracked (delivery, transport, recipient, remote_id, since_ms,"
		      " next_ms) SELECT id, coalesce(?2, transport), recipient, coalesce(?3, ''),"
		      " changed_ms, ?4 FROM deliveries WHERE id = ?1"
		      " ON CONFLICT (delivery) DO UPDATE SET transport = excluded.transport,"
		      " remote_id = excluded.remote_id, since_ms = excluded.since_ms,"
		      " next_ms = excluded.next_ms",
	[SQL_TRACK_ON] =
		"UPDATE tracked SET next_ms = ?3,"
		" remote_id = CASE WHEN coalesce(?2, '') = '' THEN remote_id ELSE ?2 END"
		" WHERE delivery = ?1 AND (coalesce(?2, '') = '' OR NOT EXISTS"
		" (SELECT 1 FROM tracked o WHERE o.remote_id = ?2 AND o.remote_id <> '' AND o.delivery <> ?1))",
	[SQL_SUPPRESS] = "INSERT INTO suppressed (recipient, since_ms, why)"
			 " SELECT recipient, ?2, coalesce(?3, '') FROM deliveries WHERE id = ?1"
			 " ON CONFLICT (recipient) DO UPDATE SET since_ms = excluded.since_ms,"
			 " why = excluded.why",
	[SQL_SUPPRESSED] = "SELECT 1 FROM suppressed WHERE recipient = ?1 AND " IS_SUPPRESSED,
	/* of two within one second the one that is heard later is the later one */
	[SQL_STOP_TEXTS] =
		"INSERT INTO suppressed (recipient, since_ms, why, said) VALUES (?1, ?2, ?3, 1)"
		" ON CONFLICT (recipient) DO UPDATE SET why = excluded.why, said = 1, since_ms ="
		" max(since_ms, excluded.since_ms + (lifted_ms = excluded.since_ms))",
	[SQL_START_TEXTS] =
		"INSERT INTO suppressed (recipient, since_ms, lifted_ms) VALUES (?1, 0, ?2)"
		" ON CONFLICT (recipient) DO UPDATE SET lifted_ms = max(lifted_ms,"
		" excluded.lifted_ms + (since_ms = excluded.lifted_ms + 1)),"
		" said = said AND since_ms > excluded.lifted_ms + 1",
	[SQL_ASK_AGAIN] = "UPDATE tracked SET next_ms = ?2 WHERE delivery = ?1",
	[SQL_TEXTS_WINDOW] = "SELECT at_ms FROM texts WHERE recipient = ?1 AND at_ms > ?2"
			     " ORDER BY at_ms DESC LIMIT ?3",
	[SQL_TEXTS_DAY] = "SELECT count(*), coalesce(sum(cost), 0) FROM texts"
			  " WHERE transport = ?1 AND at_ms >= ?2",
	[SQL_TEXTS_LIFTED] = "SELECT 1 FROM lifted WHERE transport = ?1 AND until_ms > ?2"
			     " AND until_ms <= ?3",
	[SQL_TEXTS_LIFT] = "INSERT OR REPLACE INTO lifted (transport, until_ms) VALUES (?1, ?2)",
	[SQL_TEXTS_POSTPONE] =
		"UPDATE deliveries SET next_ms = ?2, throttled = 1, text = ?3 WHERE id = ?1",
	[SQL_TEXTS_NOTE] =
		"INSERT INTO texts (delivery, transport, recipient, at_ms, segments, cost)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_TEXTS_DROP] = "DELETE FROM texts WHERE id ="
			   " (SELECT max(id) FROM texts WHERE delivery = ?1)",
	[SQL_TEXTS_COST] = "UPDATE texts SET cost = CASE WHEN ?2 < 0 THEN cost ELSE ?2 END,"
			   " segments = CASE WHEN ?3 > 0 THEN ?3 ELSE segments END"
			   " WHERE id = (SELECT max(id) FROM texts WHERE delivery = ?1)",
	/* a clock that was set back while nobody watched */
	[SQL_TEXTS_TODAY] = "UPDATE texts SET at_ms = ?1 WHERE at_ms > ?1",
	[SQL_TEXTS_FORGET] = "DELETE FROM texts WHERE id IN"
			     " (SELECT id FROM texts WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
	[SQL_BUNDLE_MATES] =
		"SELECT d.id, d.message, d.attempt_no, d.route, d.expires_ms, m.uid, m.spec,"
		" m.content, d.priority FROM deliveries d CROSS JOIN messages m ON m.id = d.message"
		" WHERE d.state = 2 AND d.recipient >= '+' AND d.recipient < ','"
		" AND d.recipient = ?1 AND d.next_ms <= ?2 AND m.body = 0"
		" AND (d.expires_ms = 0 OR d.expires_ms > ?2)"
		" ORDER BY d.next_ms LIMIT ?3",
	[SQL_BUNDLE_JOIN] = "UPDATE deliveries SET bundle = ?2 WHERE id = ?1",
	[SQL_BUNDLE_PUT] =
		"INSERT OR REPLACE INTO bundles (lead, spec, content) VALUES (?1, ?2, ?3)",
	[SQL_BUNDLE_FOLLOWERS] =
		"SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
		" ON m.id = d.message WHERE d.bundle = ?1 AND d.bundle > 0"
		" AND d.id <> ?1 AND d.state = ?2",
	[SQL_BUNDLE_HEIR] = "SELECT min(id) FROM deliveries WHERE bundle = ?1 AND bundle > 0"
			    " AND id <> ?1 AND state = ?2",
	[SQL_BUNDLE_PASS_ON] = "UPDATE deliveries SET bundle = CASE WHEN id = ?1 THEN 0 ELSE ?2 END"
			       " WHERE bundle = ?1 AND bundle > 0",
	[SQL_BUNDLE_PASS_TRACKED] =
		"UPDATE OR REPLACE tracked SET delivery = ?2 WHERE delivery = ?1",
	[SQL_BUNDLE_PASS_TEXTS] = "UPDATE texts SET delivery = ?2 WHERE delivery = ?1",
	[SQL_BUNDLE_PASS_BUNDLE] = "UPDATE OR REPLACE bundles SET lead = ?2 WHERE lead = ?1",
	[SQL_STANDBY] = "SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
			" ON m.id = d.message WHERE d.id = ?1 AND d.state = 13",
	[SQL_STANDBY_ANEW] = "UPDATE deliveries SET next_ms = ?2 + fallback_ms"
			     " WHERE id = ?1 AND state = 13",
	[SQL_STANDBY_DUE] = "SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
			    " ON m.id = d.message WHERE d.state = 13 AND d.next_ms <= ?1"
			    " ORDER BY d.next_ms LIMIT ?2",
	[SQL_STANDBY_NEXT] = "SELECT next_ms FROM deliveries WHERE state = 13"
			     " AND next_ms > 0 ORDER BY next_ms LIMIT 1",
	[SQL_STANDBY_HELD] =
		"SELECT 1 FROM deliveries WHERE id = ?1 AND state = 1 AND attempt_no = 0",
	[SQL_BUNDLE_DROP] = "DELETE FROM bundles WHERE lead BETWEEN ?1 AND ?2",
	/* what failed: undelivered, failed, expired */
	[SQL_TELL_FAILURE] = "UPDATE deliveries SET notice = 2 WHERE id = ?1 AND message = ?2"
			     " AND notice = 1 AND state IN (7, 8, 9)",
	[SQL_TELL_DELAY] = "UPDATE messages SET slow = 0 WHERE id = ?1 AND slow = 1",
	[SQL_RENEW] = "UPDATE deliveries SET lease_until = ?3"
		      " WHERE id = ?1 AND state = 3 AND claim_owner = ?2",
	[SQL_RENEW_MATES] = "UPDATE deliveries SET lease_until = ?3 WHERE bundle = ?1"
			    " AND bundle > 0 AND state = 3 AND claim_owner = ?2",
	[SQL_PAUSE] = "INSERT OR REPLACE INTO paused (transport, reason) VALUES (?1, ?2)",
	[SQL_RESUME] = "DELETE FROM paused WHERE transport = ?1",

	/* known by its token or its identity: nothing is put */
	[SQL_PUT_RUN] =
		"INSERT INTO runs (token, rule, origin, ref, contact, identity, command, plan,"
		" state, started_ms, ended_ms, expires_ms, changed_ms, code, text)"
		" VALUES (?1, ?2, coalesce(?3, ''), coalesce(?4, ''), coalesce(?5, ''), ?6,"
		" coalesce(?7, ''), coalesce(?8, ''), ?9, ?10, ?11, ?12, ?13, ?14,"
		" coalesce(?15, '')) ON CONFLICT DO NOTHING",
	[SQL_FIND_RUN] = "SELECT id FROM runs WHERE identity = ?1",
	/* ?1 id, ?2 from, ?3 to, ?4 at */
	[SQL_CHANGE_RUN] = "UPDATE runs SET state = ?3, changed_ms = ?4, code = ?5,"
			   " started_ms = CASE WHEN ?3 = 1 THEN ?4 ELSE started_ms END,"
			   " ended_ms = CASE WHEN ?3 IN (1, 6) THEN ended_ms ELSE ?4 END,"
			   " text = coalesce(?6, ''), plan = coalesce(?7, plan)"
			   " WHERE id = ?1 AND state = ?2",
	[SQL_USE_PROOF] = "INSERT INTO proofs (contact, kind, value, forget_ms)"
			  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
	[SQL_PUT_CURSOR] = "INSERT OR REPLACE INTO cursors (mailbox, cursor) VALUES (?1, ?2)",
	[SQL_DISPOSE] = "INSERT INTO disposals (mailbox, ref, deed, target)"
			" VALUES (?1, ?2, ?3, coalesce(?4, ''))",
	[SQL_DISPOSED] = "DELETE FROM disposals WHERE id = ?1",
	[SQL_STRIKE] = "INSERT INTO strikes (contact, channel, at_ms) VALUES (?1, ?2, ?3)",
	[SQL_TOOK_TEXT] = "INSERT INTO heard (origin, ref, came_ms) VALUES (?1, ?2, ?3)"
			  " ON CONFLICT DO NOTHING",
	[SQL_KNOWS_TEXT] = "SELECT 1 FROM heard WHERE origin = ?1 AND ref = ?2",
	[SQL_ALL_SUPPRESSED] =
		"SELECT recipient, since_ms, why FROM suppressed"
		" WHERE recipient > ?1 AND " IS_SUPPRESSED " ORDER BY recipient LIMIT ?3",
	[SQL_CLEAR_CURSORS] = "DELETE FROM cursors",
	[SQL_CLEAR_DISPOSALS] = "DELETE FROM disposals",
	[SQL_CLEAR_STARTED] = "UPDATE runs SET state = 4, changed_ms = ?1, ended_ms = ?1,"
			      " text = ?2 WHERE state = 1",
	[SQL_CLEAR_ASKED] = "UPDATE runs SET state = 7, changed_ms = ?1, ended_ms = ?1"
			    " WHERE state = 6",
	[SQL_RUNS] = "SELECT id, token, rule, origin, ref, contact, identity, command, plan, state,"
		     " started_ms, ended_ms, expires_ms, code, text, changed_ms FROM runs"
		     " NOT INDEXED WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3",
	[SQL_CURSORS] = "SELECT mailbox, cursor FROM cursors ORDER BY mailbox",
	[SQL_DISPOSALS] = "SELECT id, mailbox, ref, deed, target FROM disposals ORDER BY id",
	[SQL_STRIKES] = "SELECT at_ms FROM strikes WHERE contact = ?1 AND channel = ?2"
			" AND at_ms >= ?3 LIMIT 100",
	[SQL_EXPIRE_RUNS] = "UPDATE runs SET state = 7, changed_ms = ?1, ended_ms = ?1"
			    " WHERE state = 6 AND expires_ms BETWEEN 1 AND ?1",
	[SQL_FORGET_RUNS] =
		"DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE identity IS NULL"
		" AND state IN (2, 3, 4, 5, 7) AND changed_ms < ?1 ORDER BY changed_ms LIMIT ?2)",
	[SQL_FORGET_KNOWN_RUNS] =
		"DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE identity IS NOT NULL"
		" AND state IN (2, 3, 4, 5, 7) AND changed_ms < ?1 AND NOT EXISTS"
		" (SELECT 1 FROM disposals d WHERE d.mailbox = runs.origin AND d.ref = runs.ref)"
		" ORDER BY changed_ms LIMIT ?2)",
	[SQL_FORGET_PROOFS] = "DELETE FROM proofs WHERE rowid IN"
			      " (SELECT rowid FROM proofs WHERE forget_ms < ?1 LIMIT ?2)",
	[SQL_FORGET_STRIKES] = "DELETE FROM strikes WHERE id IN"
			       " (SELECT id FROM strikes WHERE at_ms < ?1 LIMIT ?2)",
	[SQL_FORGET_TEXTS] = "DELETE FROM heard WHERE (origin, ref) IN"
			     " (SELECT origin, ref FROM heard WHERE came_ms < ?1 LIMIT ?2)",
	[SQL_FORGET_LIFTED] = "DELETE FROM suppressed WHERE recipient IN (SELECT recipient"
			      " FROM suppressed WHERE lifted_ms >= since_ms AND lifted_ms < ?1"
			      " LIMIT ?2)",

	[SQL_DUE_FIRST] = "SELECT message, next_ms FROM deliveries WHERE state = 2 AND route = ?1"
			  " AND priority = ?2 AND next_ms <= ?3 ORDER BY next_ms, id LIMIT 1",
	[SQL_DUE_NEXT] = "SELECT next_ms FROM deliveries WHERE state = 2 AND route = ?1"
			 " AND priority = ?2 AND next_ms > ?3 ORDER BY next_ms LIMIT 1",
	[SQL_DUE_MESSAGE] = "SELECT body, created_ms, uid, priority, sender, spec, content_size,"
			    " content, first_delivery, deliveries FROM messages WHERE id = ?1",
	/* not by the index: a message's deliveries stand together */
	[SQL_DUE_DELIVERIES] =
		"SELECT id, recipient, attempt_no, expires_ms, fallback FROM deliveries"
		" NOT INDEXED WHERE id BETWEEN ?1 AND ?2 AND state = 2"
		" AND route = ?3 AND next_ms <= ?4 ORDER BY id LIMIT ?5",
	/* the same text to the same number, of which nobody knows whether it went out */
	[SQL_DUE_TWIN] = "SELECT 1 FROM tracked t CROSS JOIN deliveries d ON d.id = t.delivery"
			 " AND d.state = 12 CROSS JOIN messages o ON o.id = d.message"
			 " CROSS JOIN messages m ON m.id = ?2 WHERE t.recipient = ?1"
			 " AND o.id <> m.id AND o.content IS m.content"
			 " AND o.subject IS m.subject LIMIT 1",
	[SQL_DUE_LATER] = "UPDATE deliveries SET next_ms = ?2 WHERE id = ?1",

	[SQL_TAKEN] = "SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
		      " ON m.id = d.message WHERE d.state = 3"
		      " AND (d.claim_owner = ?1 OR d.lease_until < ?2)"
		      " AND (d.bundle = 0 OR d.bundle = d.id) LIMIT ?3",
	[SQL_LAPSED] = "SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
		       " ON m.id = d.message WHERE d.state = 3 AND d.lease_until < ?2"
		       " AND d.claim_owner <> ?1 AND (d.bundle = 0 OR d.bundle = d.id) LIMIT ?3",
	[SQL_EXPIRED] = "SELECT " SUBJECT_COLUMNS " FROM deliveries d CROSS JOIN messages m"
			" ON m.id = d.message WHERE d.state = 2 AND d.expires_ms BETWEEN 1 AND ?1"
			" ORDER BY d.expires_ms LIMIT ?2",
	[SQL_FORGETTABLE] = "SELECT id, body, content_size, first_delivery, deliveries"
			    " FROM messages WHERE live = 0 AND finished_ms < ?1"
			    " ORDER BY finished_ms LIMIT ?2",
	[SQL_FORGET_EVENTS] = "DELETE FROM events WHERE id BETWEEN ?1 AND ?2",
	[SQL_FORGET_DELIVERIES] = "DELETE FROM deliveries WHERE id BETWEEN ?1 AND ?2",
	[SQL_FORGET_TRACKED] = "DELETE FROM tracked WHERE delivery BETWEEN ?1 AND ?2",
	[SQL_FORGET_MESSAGE] = "DELETE FROM messages WHERE id = ?1",
	[SQL_LAST_MESSAGE] = "SELECT max(id) FROM messages",
	[SQL_LAST_DELIVERY] = "SELECT max(id) FROM deliveries",
	[SQL_LAST_BODY] = "SELECT max(body) FROM messages WHERE body > 0",
	[SQL_NEXT_CHUNK] = "SELECT min(id) FROM chunks WHERE id >= ?1",
	[SQL_BODY_OWNER] = "SELECT id FROM messages WHERE body = ?1 AND body > 0",
	[SQL_ALL_STATES] = "SELECT id, route, state FROM deliveries NOT INDEXED",
	[SQL_PAUSED] = "SELECT transport, reason FROM paused ORDER BY transport",

	[SQL_WALK] = "SELECT " DELIVERY_COLUMNS ", " MESSAGE_COLUMNS
		     " FROM deliveries d NOT INDEXED CROSS JOIN messages m ON m.id = d.message"
		     " WHERE d.id BETWEEN ?1 AND ?2 ORDER BY d.id LIMIT ?3",
	[SQL_RANGE] = "SELECT first_delivery, deliveries FROM messages WHERE id = ?1",
	[SQL_SHOW_MESSAGE] = "SELECT " MESSAGE_COLUMNS ", m.spec, m.first_delivery, m.deliveries"
			     " FROM messages m WHERE m.id = ?1",
	[SQL_SHOW_DELIVERIES] = "SELECT " DELIVERY_COLUMNS " FROM deliveries d"
				" WHERE d.id BETWEEN ?1 AND ?2 ORDER BY d.id",
	[SQL_SHOW_EVENTS] =
		"SELECT e.id, e.at_ms, e.delivery, e.from_state, e.to_state, e.attempt_no, e.code,"
		" coalesce(d.recipient, ''), e.transport, e.enhanced, e.text FROM events e"
		" LEFT JOIN deliveries d ON d.id = e.delivery"
		" WHERE e.id BETWEEN ?1 AND ?2 ORDER BY e.id DESC LIMIT ?3",
	[SQL_LOG] =
		"SELECT e.id, e.at_ms, e.delivery, e.from_state, e.to_state, e.attempt_no, e.code,"
		" coalesce(d.recipient, ''), e.transport, e.enhanced, e.text, m.uid FROM events e"
		" CROSS JOIN messages m ON m.id = e.id >> 20"
		" LEFT JOIN deliveries d ON d.id = e.delivery"
		" WHERE e.id BETWEEN ?1 AND ?2 ORDER BY e.id LIMIT ?3",
	[SQL_READ_CHUNK] = "SELECT bytes FROM chunks WHERE id = ?1",
	[SQL_OWED] = "SELECT message FROM deliveries WHERE notice = 1 AND state IN (7, 8, 9)"
		     " AND message > 0 ORDER BY message LIMIT 1",
	/* since when it waits follows a clock that was set, when it was created doesn't; the oldest
	 * are slow first, so that more of them need no look */
	[SQL_SLOW] = "SELECT m.id FROM messages m WHERE m.id IN (SELECT id FROM messages"
		     " WHERE slow = 1 AND live > 0 AND created_ms < ?1 ORDER BY created_ms"
		     " LIMIT 1000) AND EXISTS (SELECT 1 FROM deliveries d NOT INDEXED"
		     " WHERE d.id BETWEEN m.first_delivery AND m.first_delivery + m.deliveries - 1"
		     " AND d.state IN (1, 2, 3, 4, 12) AND (d.expires_ms = 0 OR d.life_ms = 0"
		     " OR d.expires_ms - d.life_ms < ?1)) LIMIT 1",
	[SQL_OWED_MESSAGE] = "SELECT " MESSAGE_COLUMNS ", m.spec, m.first_delivery, m.deliveries,"
			     " m.content FROM messages m WHERE m.id = ?1",
	/* of larger content the first chunk: no text is made of more */
	[SQL_TRACKED] = "SELECT d.id, d.message, m.uid, d.state, d.attempt_no, t.since_ms,"
			" CASE WHEN d.bundle > 0 THEN (SELECT CASE WHEN min(o.expires_ms) = 0"
			" THEN 0 ELSE max(o.expires_ms) END FROM deliveries o"
			" WHERE o.bundle = d.bundle AND o.bundle > 0) ELSE d.expires_ms END,"
			" t.recipient, t.remote_id, coalesce(b.spec, m.spec),"
			" CASE d.state WHEN 12 THEN coalesce(b.content, m.content,"
			" (SELECT bytes FROM chunks c WHERE c.id = m.body << 20)) END"
			" FROM tracked t CROSS JOIN deliveries d ON d.id = t.delivery"
			" CROSS JOIN messages m ON m.id = d.message"
			" LEFT JOIN bundles b ON b.lead = d.bundle WHERE t.transport = ?1"
			" AND t.next_ms > 0 AND t.next_ms <= ?2 AND d.state IN (4, 5, 12)"
			" ORDER BY t.next_ms LIMIT ?3",
	[SQL_TRACKED_BY] = "SELECT transport FROM tracked WHERE next_ms > 0 AND transport > ?1"
			   " ORDER BY transport LIMIT 1",
	[SQL_STRAYS] = "SELECT " SUBJECT_COLUMNS " FROM tracked t CROSS JOIN deliveries d"
		       " ON d.id = t.delivery CROSS JOIN messages m ON m.id = d.message"
		       " WHERE t.transport = ?1 AND t.next_ms > 0 AND t.since_ms <= ?2"
		       " AND d.state IN (4, 5, 12) LIMIT ?3",
	[SQL_TRACKED_OWNED] = "SELECT remote_id FROM tracked WHERE recipient = ?1"
			      " AND delivery <> ?2 AND remote_id <> '' ORDER BY delivery DESC"
			      " LIMIT ?3",
	[SQL_TRACKED_NEXT] =
		"SELECT next_ms FROM tracked WHERE transport = ?1 AND next_ms > 0 AND next_ms > ?2"
		" ORDER BY next_ms LIMIT 1",
	[SQL_OLDEST] = "SELECT d.id, m.created_ms FROM deliveries d NOT INDEXED"
		       " CROSS JOIN messages m ON m.id = d.message"
		       " WHERE d.id >= ?1 AND d.route = ?2 AND d.state IN (2, 3)"
		       " ORDER BY d.id LIMIT 1",
	[SQL_RECENT] = "SELECT id, uid, created_ms, content_size FROM messages WHERE id < ?1"
		       " ORDER BY id DESC LIMIT ?2",
	/* ?1 now, ?2 by how much it was set; what was put with a date has not been tried, and
	 * waits from the beginning for more than the moment it was put: that moment follows, for
	 * the next jump. When an attempt began is what a text is looked for by; one that is sent
	 * may yet have to go once more */
	[SQL_JUMP_LIVING] =
		"UPDATE deliveries SET next_ms = CASE WHEN state NOT IN (1, 2) THEN next_ms"
		" WHEN attempt_no > 0 OR throttled THEN ?1 ELSE min(changed_ms + ?2, ?1) END,"
		" expires_ms = CASE WHEN expires_ms = 0 OR life_ms = 0 THEN expires_ms"
		" ELSE min(expires_ms + ?2, ?1 + life_ms) END,"
		" changed_ms = CASE WHEN state IN (1, 2, 3) THEN changed_ms + ?2 ELSE changed_ms END"
		" WHERE state IN (3, 4, 12)"
		" OR state IN (1, 2) AND (attempt_no > 0 OR throttled OR next_ms <= changed_ms)"
		" OR state = 5 AND id IN (SELECT delivery FROM tracked WHERE next_ms > 0)",
	[SQL_JUMP_DATED] = "UPDATE deliveries SET expires_ms = ?1 + life_ms WHERE state = 2"
			   " AND attempt_no = 0 AND next_ms > changed_ms AND next_ms <= ?1"
			   " AND expires_ms > 0 AND expires_ms < ?1 + life_ms",
	[SQL_JUMP_FINISHED] = "UPDATE messages SET finished_ms = finished_ms + ?1 WHERE live = 0",
	[SQL_JUMP_RUNS] = "UPDATE runs SET changed_ms = changed_ms + ?1, expires_ms ="
			  " CASE WHEN expires_ms = 0 THEN 0 ELSE expires_ms + ?1 END",
	/* never earlier: what was used ahead of time is valid when that time comes */
	[SQL_JUMP_PROOFS] = "UPDATE proofs SET forget_ms = forget_ms + max(?1, 0)",
	[SQL_JUMP_STRIKES] = "UPDATE strikes SET at_ms = at_ms + ?1",
	[SQL_JUMP_STANDBY] = "UPDATE deliveries SET next_ms = next_ms + ?1 WHERE state = 13",
	[SQL_JUMP_TRACKED] = "UPDATE tracked SET since_ms = since_ms + ?1,"
			     " next_ms = next_ms + ?1 WHERE next_ms > 0",
	[SQL_JUMP_TEXTS] = "UPDATE texts SET at_ms = at_ms + ?1",
	[SQL_PAGES] = "PRAGMA page_count",
	[SQL_PAGES_FREE] = "PRAGMA freelist_count",
};

const char *statement_text(enum statement which)
{
	return texts[which];
}
