/* queue/store_note.c - the counters as lines of text in the table `meta`: a route, the
 * first delivery that waits there, a number for each state. */
#include "queue/store_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "buf.h"
#include "queue/store_room.h"

#define NAME "counters"
#define NOTE_BYTES_MAX (COUNTS_ROUTES * 512)

static void print_route(struct buf *note, const struct counts_route *route)
{
	buf_printf(note, "%s\t%lld", route->name, (long long)route->oldest);
	for (size_t state = 0; state < COUNTS_STATES; state++)
		buf_printf(note, "\t%llu", (unsigned long long)route->by_state[state]);
	buf_add_text(note, "\n");
}

int note_end(struct writer *w)
{
	struct counts_route routes[COUNTS_ROUTES];
	size_t n = counts_read(w->counts, routes);
	struct buf note;
	int got;

	buf_init(&note, NOTE_BYTES_MAX);
	for (size_t i = 0; i < n; i++)
		print_route(&note, &routes[i]);
	got = sql_run(w->sql, SQL_PUT_META, "tt", NAME, buf_bytes(&note));
	buf_clear(&note);
	return got;
}

/* false: not as it was written. */
static bool read_route(char *line, struct counts_route *ret)
{
	char *at = strchr(line, '\t');

	if (!at || (size_t)(at - line) >= sizeof(ret->name))
		return false;
	*ret = (struct counts_route){0};
	memcpy(ret->name, line, (size_t)(at - line));
	ret->oldest = strtoll(at + 1, &at, 10);
	for (size_t state = 0; state < COUNTS_STATES; state++) {
		if (*at != '\t')
			return false;
		ret->by_state[state] = strtoull(at + 1, &at, 10);
	}
	return *at == '\0';
}

static bool read_routes(char *text, struct counts *counts)
{
	struct counts_route routes[COUNTS_ROUTES];
	size_t n = 0;
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (n == COUNTS_ROUTES || !read_route(line, &routes[n++]))
			return false;
	counts_put(counts, routes, n);
	return true;
}

int note_take(struct writer *w, bool *ret_taken)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_META, "t", NAME);
	int got = row ? sql_next(w->sql, row) : -1;
	char text[NOTE_BYTES_MAX];

	*ret_taken = false;
	if (got <= 0)
		return got;
	snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(row, 0));
	sql_done(row);
	*ret_taken = read_routes(text, w->counts);
	return sql_run(w->sql, SQL_DROP_META, "t", NAME);
}

bool note_is_there(struct sql *sql)
{
	struct failure f;
	char word[8];

	return sql_word(sql, "SELECT 'yes' FROM meta WHERE name = '" NAME "'", word, sizeof(word),
			&f) == 0 &&
	       strcmp(word, "yes") == 0;
}
