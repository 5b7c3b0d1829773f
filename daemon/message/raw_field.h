/* message/raw_field.h - one field of a raw mail's header as it is passed on. Pure. */
#ifndef NUNCIO_MESSAGE_RAW_FIELD_H
#define NUNCIO_MESSAGE_RAW_FIELD_H
#include <stdbool.h>
struct buf;
struct mail_field; /* mail_field.h */

/* Are 8-bit octets left in it, however it is encoded? */
bool raw_field_needs_smtputf8(const struct mail_field *field);
/* Has it 8-bit octets, or a line of more than 998? */
bool raw_field_is_odd(const struct mail_field *field);
/* Adds it to out as it is, or, where a line is too long or not ASCII, as it must
 * be. False: 8-bit octets are left in it. */
bool raw_field_pass(const struct mail_field *field, struct buf *out);
#endif
