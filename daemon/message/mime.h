/* message/mime.h - GMime, begun when it is first needed: what mail from outside is
 * read with. Everything in this room that hands bytes to GMime's parsers calls
 * mime_begin() before. */
#ifndef NUNCIO_MESSAGE_MIME_H
#define NUNCIO_MESSAGE_MIME_H
#include <stdbool.h>
#include <stddef.h>
struct _GMimeParamList;
struct _InternetAddressList;

void mime_begin(void);
/* A header value as it came: unfolded, 8-bit octets taken for UTF-8 where they
 * are, else for windows-1252. UTF-8 without control characters; owned by the caller. */
char *mime_unfold(const char *value, size_t len);
/* mime_unfold() with its encoded words (RFC 2047) read. */
char *mime_decode_text(const char *value, size_t len);
/* A list of addresses (RFC 5322 3.4), unfolded, for g_object_unref(); NULL: it can't be
 * read, or groups stand in groups deeper than GMime's stack could bear. */
struct _InternetAddressList *mime_addresses(const char *value);
/* Takes out what nobody means and GMime's encoder would write for ever: parameters whose
 * names are about as long as its lines. true: there were some. The list must not belong
 * to an object, which would be encoded anew with each that goes. */
bool mime_drop_long_names(struct _GMimeParamList *list);
#endif
