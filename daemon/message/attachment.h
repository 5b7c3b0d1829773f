/* message/attachment.h - what an attachment may be called and what it may be;
 * attachment_name(), attachment_type() and attachment_is_mail() are declared in letter.h. Pure. */
#ifndef NUNCIO_MESSAGE_ATTACHMENT_H
#define NUNCIO_MESSAGE_ATTACHMENT_H
#include <stdbool.h>

#define ATTACHMENT_NAME_MAX 255

bool attachment_name_is_valid(const char *name); /* what attachment_name() could return */
bool attachment_type_is_valid(const char *type); /* token "/" token (RFC 2045), not too long */
const char *attachment_ending(const char *type); /* of a file of that type; NULL: unknown */
/* What is written for type (NULL: unknown): a message or a multipart may not be
 * base64 (RFC 2046), which attachments are here; they go as plain octets. */
const char *attachment_type_to_write(const char *type);
#endif
