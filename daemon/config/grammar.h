/* config/grammar.h - the pre-scan: finds what libconfig would only call "syntax
 * error", or would silently take wrong, and says what would be right. Pure. */
#ifndef NUNCIO_CONFIG_GRAMMAR_H
#define NUNCIO_CONFIG_GRAMMAR_H
#include <stddef.h>

enum {
	GRAMMAR_MAX_DEPTH = 16,
	GRAMMAR_MAX_SETTINGS = 256,   /* in one group */
	GRAMMAR_MAX_ELEMENTS = 10000, /* in one list */
};

struct mistake {
	unsigned line;     /* of the whole text */
	char setting[128]; /* path of the setting, "" where there is none */
	char text[160];
};

/* 0: libconfig will take the text. -1: the first mistake is in *ret. */
int grammar_check(const char *text, size_t len, struct mistake *ret);
#endif
