/* client/table.h - columns for people: as wide as what is in them, by what a
 * terminal shows of UTF-8; nothing that came from outside can move the cursor. */
#ifndef NUNCIO_CLIENT_TABLE_H
#define NUNCIO_CLIENT_TABLE_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS 12

struct table {
	size_t columns;
	char **cells; /* owned, row by row; the first row is the head */
	size_t ncells, allocated;
};
/* Head cells until NULL. */
void table_init(struct table *t, ...) __attribute__((sentinel));
void table_add(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An array's texts, with blanks between. */
void table_add_words(struct table *t, const json_t *list);
void table_print(struct table *t); /* and clears it; only a head: prints nothing */

/* Wall time for people: "20:31:07" today, else "2026-11-22 20:31". "-" for 0. */
char *time_print(char *out, size_t size, int64_t ms);
/* "in 4 min", "3 h ago"; "now". "-" for 0. */
char *time_distance(char *out, size_t size, int64_t ms);
#endif
