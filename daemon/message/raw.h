/* message/raw.h - a raw RFC 5322 message as a program submits it: its header is
 * read and put right when it is taken; its body passes through untouched. Pure. */
#ifndef NUNCIO_MESSAGE_RAW_H
#define NUNCIO_MESSAGE_RAW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct address;
struct buf;
struct failure;
struct letter;
struct raw;

#define RAW_HEADER_MAX (256 * 1024)

/* from: default for a missing From, and for one without a domain ("root"), whose name it gets; message_id, date_ms, marker: for missing
 * Message-ID and Date and for the marker header (an X-Nuncio-Id that came with the
 * mail goes out). letter gets subject (decoded), from, to, cc for lists, the
 * Message-ID that counts, and at raw_end() size and the raw_ flags. */
struct raw *raw_new(struct letter *letter);
void raw_free(struct raw *r);
AUTO_DEFINE(struct raw, raw_free)
/* Feeds bytes as they come. What is to be stored is added to out: nothing until
 * the header is whole, then the mended header (Bcc and Resent-Bcc dropped, Date,
 * Message-ID, From, To-less mails left so; one leading mbox "From " line dropped),
 * then the body. Line ends become CRLF. Fields stay byte for byte; where they
 * can't go out so, outgoing.h sees to it. -1 and FAILURE_REFUSED: header too large, a
 * header line that is none, NUL bytes in the header, two From or an unreadable one. */
int raw_feed(struct raw *r, const void *bytes, size_t len, struct buf *out, struct failure *f);
int raw_end(struct raw *r, struct buf *out, struct failure *f);
/* Besides From: all addresses of Sender, Resent-From and Resent-Sender, known at
 * raw_end(). Such a field that can't be read goes out; a From about which readers could
 * differ (a second bare @ in it) is written anew. */
const struct address *raw_claims(const struct raw *r, size_t *ret_n);
#endif
