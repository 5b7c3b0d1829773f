/* common/media.h - pictures and the like that a message names by their URLs, for the provider
 * to fetch: a text takes them along where it can (MMS), all else shows them as lines. Lists
 * are NULL-ended, or NULL: none. Pure. */
#ifndef NUNCIO_COMMON_MEDIA_H
#define NUNCIO_COMMON_MEDIA_H
#include <stddef.h>
struct failure;
struct json_t;

#define MEDIA_MAX 10       /* of one message, as Twilio has it */
#define MEDIA_URL_MAX 2048 /* octets */

/* Could a provider fetch it? FAILURE_REFUSED: the sentence says what would be right. */
int media_check(const char *url, struct failure *f);
size_t media_count(char *const *media);
void media_add(char ***media, const char *url); /* copied */
void media_free(char **media);
/* "https://a/1\nhttps://a/2": no LF behind the last. Owned by the caller. */
char *media_lines(char *const *media);
struct json_t *media_to_json(char *const *media);
/* -1: it is no list of such URLs; *ret may hold some all the same. */
int media_from_json(const struct json_t *list, char ***ret);
#endif
