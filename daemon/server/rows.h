/* server/rows.h - what the store and the queue tell, as the JSON of the interface. */
#ifndef NUNCIO_SERVER_ROWS_H
#define NUNCIO_SERVER_ROWS_H
#include <jansson.h>
#include <stdint.h>
struct delivery_row;
struct event_row;
struct mailbox_status;
struct message_row;
struct show_result;
struct stats_result;
struct transport_status;

json_t *reply_text(const char *text); /* a text, whatever its bytes are */
json_t *reply_some(const char *text); /* null for NULL and "" */
json_t *reply_number(int64_t number); /* null for 0 */
json_t *reply_delivery(const struct delivery_row *d, const struct message_row *m);
json_t *reply_event(const struct event_row *e);
json_t *reply_message(const struct show_result *shown);
json_t *reply_transport(const struct transport_status *t);
json_t *reply_mailbox(const struct mailbox_status *m);
json_t *reply_routes(const struct stats_result *stats);
json_t *reply_counts(const struct stats_result *stats);

/* "urgent" 0, "high" 1, "normal" 2, "low" 3. */
const char *priority_name(unsigned priority);
int priority_parse(const char *name, unsigned *ret); /* -1: none of them */
#endif
