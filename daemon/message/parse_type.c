/* message/parse_type.c - Content-Type and Content-Disposition (RFC 2045 5.1, 2183), their
 * parameters in all the ways they are written (RFC 2231, and encoded words where none may be). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "auto.h"
#include "message/mime.h"
#include "message/parse_room.h"

enum { PARAMS_MAX = 16 * 1024 };

/* The length of the first word: up to a semicolon, or white space where one was forgotten. */
static size_t word_len(const char *value)
{
	return strcspn(value, "; \t");
}

/* The first word, lower case; owned. */
static char *first_word(const char *value)
{
	char *word = xstrndup(value, word_len(value));

	for (char *c = word; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return word;
}

/* "image/png", no more and no less than one slash. */
static bool is_type(const char *word)
{
	const char *slash = strchr(word, '/');

	if (!slash || slash == word || !slash[1] || strchr(slash + 1, '/'))
		return false;
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 127)
			return false;
	return true;
}

static char *param(GMimeParamList *list, const char *name)
{
	GMimeParam *found = g_mime_param_list_get_parameter(list, name);
	const char *value = found ? g_mime_param_get_value(found) : NULL;

	return value && *value ? xstrdup(value) : NULL;
}

static char *name_of(GMimeParamList *list, const char *name)
{
	char *raw = param(list, name);
	char *decoded = raw ? mime_decode_text(raw, strlen(raw)) : NULL;

	free(raw);
	if (decoded && !*decoded) {
		free(decoded);
		decoded = NULL;
	}
	return decoded;
}

/* Those behind the first word. */
static GMimeParamList *params(const char *value)
{
	value += word_len(value);
	value += strspn(value, "; \t");
	AUTO(free) char *some = xstrndup(value, PARAMS_MAX);

	mime_begin();
	return g_mime_param_list_parse(NULL, some);
}

void content_type_read(const struct mail_field *field, const char *initial,
		       struct content_type *ret)
{
	*ret = (struct content_type){0};
	if (!field) {
		ret->type = xstrdup(initial);
		return;
	}
	char *value = mime_unfold(field->value, field->value_len);
	GMimeParamList *list = params(value);

	ret->type = first_word(value);
	if (!is_type(ret->type)) {
		free(ret->type);
		ret->type = xstrdup("text/plain");
	}
	ret->boundary = param(list, "boundary");
	ret->charset = param(list, "charset");
	ret->name = name_of(list, "name");
	g_object_unref(list);
	free(value);
}

void content_type_clear(struct content_type *t)
{
	free(t->type);
	free(t->boundary);
	free(t->charset);
	free(t->name);
}

char *disposition_read(const struct mail_field *field, char **ret_filename)
{
	if (!field)
		return NULL;
	char *value = mime_unfold(field->value, field->value_len);
	GMimeParamList *list = params(value);
	char *word = first_word(value);

	*ret_filename = name_of(list, "filename");
	g_object_unref(list);
	free(value);
	return word;
}
