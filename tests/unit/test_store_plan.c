/* No statement walks a table, except those that are meant to: what it costs
 * must not grow with the queue. */
#include "queue/store_sql.h"

#include <sqlite3.h>

#include "expect.h"
#include "store_hand.h"

static void plan_of(struct hand *h, enum statement which, char *ret, size_t size)
{
	char text[4000];
	sqlite3_stmt *row;
	sqlite3 *db;
	size_t len = 0;

	snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", statement_text(which));
	expect_int(sqlite3_open(h->database, &db), SQLITE_OK);
	expect_int(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
	*ret = '\0';
	while (sqlite3_step(row) == SQLITE_ROW)
		len += (size_t)snprintf(ret + len, size - len, "%s\n",
					(const char *)sqlite3_column_text(row, 3));
	sqlite3_finalize(row);
	sqlite3_close(db);
}

TEST(no_statement_scans_or_sorts)
{
	struct hand *h = hand_new();
	char plan[2000];

	for (enum statement which = 0; which < NSTATEMENTS; which++) {
		/* once when the clock was set; once at the start; when it was put back; what was in flight at the end; a table of a few rows */
		if (which == SQL_ALL_STATES || which == SQL_TAKEN || which == SQL_PAUSED ||
		    which == SQL_CURSORS || which == SQL_DISPOSALS ||
		    (which >= SQL_CLEAR_CURSORS && which <= SQL_CLEAR_ASKED) ||
		    (which >= SQL_JUMP_LIVING && which <= SQL_JUMP_TEXTS))
			continue;
		/* these are no queries */
		if (which <= SQL_UNDO)
			continue;
		plan_of(h, which, plan, sizeof(plan));
		if (strstr(plan, "SCAN ") || strstr(plan, "TEMP B-TREE"))
			expect_stop(__FILE__, __LINE__, "%s\n%s", statement_text(which), plan);
	}
	hand_free(h);
}

TEST(what_is_due_is_found_by_its_index_alone)
{
	struct hand *h = hand_new();
	char plan[2000];

	plan_of(h, SQL_DUE_FIRST, plan, sizeof(plan));
	expect_contains(plan, "deliveries_due (route=? AND priority=? AND next_ms<?)");
	plan_of(h, SQL_DUE_NEXT, plan, sizeof(plan));
	expect_contains(plan, "deliveries_due (route=? AND priority=? AND next_ms>?)");
	plan_of(h, SQL_EXPIRED, plan, sizeof(plan));
	expect_contains(plan, "deliveries_expiring (expires_ms>? AND expires_ms<?)");
	plan_of(h, SQL_FORGETTABLE, plan, sizeof(plan));
	expect_contains(plan, "messages_finished (finished_ms<?)");
	hand_free(h);
}

RUN_TESTS()
