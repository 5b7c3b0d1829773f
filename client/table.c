/* client/table.c - see table.h. */
#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "alloc.h"
#include "clock.h"
#include "duration.h"
#include "text.h"

static void add_cell(struct table *t, char *text)
{
	if (t->ncells == t->allocated) {
		t->allocated = t->allocated ? t->allocated * 2 : 64;
		t->cells = xrealloc(t->cells, t->allocated * sizeof(*t->cells));
	}
	t->cells[t->ncells++] = text;
}

void table_init(struct table *t, ...)
{
	va_list heads;
	const char *head;

	memset(t, 0, sizeof(*t));
	va_start(heads, t);
	while ((head = va_arg(heads, const char *)) && t->columns < TABLE_COLUMNS) {
		add_cell(t, xstrdup(head));
		t->columns++;
	}
	va_end(heads);
}

void table_add(struct table *t, const char *fmt, ...)
{
	char raw[1024], safe[1024];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(raw, sizeof(raw), fmt, arguments);
	va_end(arguments);
	add_cell(t, xstrdup(text_safe_line(safe, sizeof(safe), raw, strlen(raw))));
}

void table_add_words(struct table *t, const json_t *list)
{
	char words[400] = "";
	json_t *word;
	size_t i, used = 0;

	json_array_foreach(list, i, word)
	{
		if (used < sizeof(words))
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 i ? " " : "", json_string_value(word));
	}
	table_add(t, "%s", words);
}

static size_t shown_width(const char *text)
{
	wchar_t wide[1024];
	size_t n = mbstowcs(wide, text, sizeof(wide) / sizeof(*wide) - 1);

	if (n == (size_t)-1)
		return strlen(text);
	wide[n] = 0;
	int width = wcswidth(wide, n);
	return width < 0 ? n : (size_t)width;
}

static void print_row(const struct table *t, const size_t *widths, size_t row)
{
	for (size_t c = 0; c < t->columns; c++) {
		const char *cell = t->cells[row * t->columns + c];
		bool last = c + 1 == t->columns;

		printf("%s%*s", cell, last ? 0 : (int)(widths[c] + 2 - shown_width(cell)), "");
	}
	putchar('\n');
}

void table_print(struct table *t)
{
	size_t widths[TABLE_COLUMNS] = {0};
	size_t rows = t->ncells / t->columns;

	for (size_t i = 0; i < t->ncells; i++) {
		size_t width = shown_width(t->cells[i]);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	for (size_t row = 0; rows > 1 && row < rows; row++)
		print_row(t, widths, row);
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}

char *time_print(char *out, size_t size, int64_t ms)
{
	time_t then = (time_t)(ms / 1000), now = (time_t)(clock_wall_ms() / 1000);
	struct tm a, b;

	localtime_r(&then, &a);
	localtime_r(&now, &b);
	if (!ms)
		snprintf(out, size, "-");
	else if (a.tm_yday == b.tm_yday && a.tm_year == b.tm_year)
		strftime(out, size, "%H:%M:%S", &a);
	else
		strftime(out, size, "%Y-%m-%d %H:%M", &a);
	return out;
}

char *time_distance(char *out, size_t size, int64_t ms)
{
	int64_t away = ms - clock_wall_ms();
	char length[32];

	if (!ms)
		snprintf(out, size, "-");
	else if (away > -1000 && away < 1000)
		snprintf(out, size, "now");
	else if (away > 0)
		snprintf(out, size, "in %s", duration_print(length, sizeof(length), away));
	else
		snprintf(out, size, "%s ago", duration_print(length, sizeof(length), -away));
	return out;
}
