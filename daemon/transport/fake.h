/* transport/fake.h - the transport for tests and for trying things out: takes mail
 * and texts, delivers nowhere, answers as a file says, and writes down what it was
 * given: a line of JSON for each parcel,
 *   {"message":1,"sender":"box@example.com","message_id":"...","size":812,"sha256":"...",
 *    "recipients":[{"to":"ana@example.com","delivery":1,"attempt":1,"code":250}]} */
#ifndef NUNCIO_TRANSPORT_FAKE_H
#define NUNCIO_TRANSPORT_FAKE_H
struct transport_kind;

extern const struct transport_kind transport_fake;
#endif
