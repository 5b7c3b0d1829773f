/* queue/store_rows.c - columns into structs, in the order of store_sql.c. */
#include "queue/store_rows.h"

#include <sqlite3.h>

const char *row_text(struct sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

void row_delivery(struct sqlite3_stmt *row, int at, struct delivery_row *ret)
{
	*ret = (struct delivery_row){
		.id = sqlite3_column_int64(row, at),
		.message = sqlite3_column_int64(row, at + 1),
		.recipient = row_text(row, at + 2),
		.route = row_text(row, at + 3),
		.state = (enum delivery_state)sqlite3_column_int(row, at + 4),
		.next_ms = sqlite3_column_int64(row, at + 5),
		.expires_ms = sqlite3_column_int64(row, at + 6),
		.changed_ms = sqlite3_column_int64(row, at + 7),
		.attempt_no = (unsigned)sqlite3_column_int(row, at + 8),
		.code = sqlite3_column_int(row, at + 9),
		.enhanced = row_text(row, at + 10),
		.text = row_text(row, at + 11),
		.transport = row_text(row, at + 12),
		.remote_id = row_text(row, at + 13),
		.notice = (enum notice)sqlite3_column_int(row, at + 14),
		.bundle = sqlite3_column_int64(row, at + 15),
		.bundled = (unsigned)sqlite3_column_int(row, at + 16),
		.fallback = sqlite3_column_int64(row, at + 17),
		.fallback_for = row_text(row, at + 18),
	};
}

void row_message(struct sqlite3_stmt *row, int at, struct message_row *ret)
{
	*ret = (struct message_row){
		.id = sqlite3_column_int64(row, at),
		.created_ms = sqlite3_column_int64(row, at + 1),
		.uid = (uint32_t)sqlite3_column_int64(row, at + 2),
		.pid = sqlite3_column_int(row, at + 3),
		.key = row_text(row, at + 4),
		.digest = row_text(row, at + 5),
		.dedup = row_text(row, at + 6),
		.sender = row_text(row, at + 7),
		.subject = row_text(row, at + 8),
		.message_id = row_text(row, at + 9),
		.priority = (unsigned)sqlite3_column_int(row, at + 10),
		.content_size = (uint64_t)sqlite3_column_int64(row, at + 11),
		.body = sqlite3_column_int64(row, at + 12),
		.repeats = (unsigned)sqlite3_column_int(row, at + 13),
	};
}

void keep_delivery(struct arena *a, struct delivery_row *d)
{
	d->recipient = arena_text(a, d->recipient);
	d->route = arena_text(a, d->route);
	d->enhanced = arena_text(a, d->enhanced);
	d->text = arena_text(a, d->text);
	d->transport = arena_text(a, d->transport);
	d->remote_id = arena_text(a, d->remote_id);
	d->fallback_for = arena_text(a, d->fallback_for);
}

void keep_message(struct arena *a, struct message_row *m)
{
	m->key = arena_text(a, m->key);
	m->digest = arena_text(a, m->digest);
	m->dedup = arena_text(a, m->dedup);
	m->sender = arena_text(a, m->sender);
	m->subject = arena_text(a, m->subject);
	m->message_id = arena_text(a, m->message_id);
	m->spec = arena_text(a, m->spec);
}
