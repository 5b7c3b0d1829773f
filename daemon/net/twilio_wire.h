/* net/twilio_wire.h - Twilio's Messages resource (API version 2010-04-01) as bytes:
 * the form of a new message, URLs, and its JSON as structs. Pure. */
#ifndef NUNCIO_NET_TWILIO_WIRE_H
#define NUNCIO_NET_TWILIO_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct buf;
struct failure;

#define TWILIO_SID_SIZE 35   /* two letters, 32 hex digits, NUL */
#define TWILIO_BODY_MAX 1600 /* characters */

/* In the order a text goes through them: a status never goes back. */
enum twilio_status {
	TWILIO_STATUS_UNKNOWN,
	TWILIO_STATUS_ACCEPTED,
	TWILIO_STATUS_SCHEDULED,
	TWILIO_STATUS_QUEUED,
	TWILIO_STATUS_SENDING,
	TWILIO_STATUS_SENT,
	TWILIO_STATUS_PARTIALLY_DELIVERED,
	TWILIO_STATUS_DELIVERED,
	TWILIO_STATUS_UNDELIVERED,
	TWILIO_STATUS_READ,
	TWILIO_STATUS_FAILED,
	TWILIO_STATUS_CANCELED,
	TWILIO_STATUS_RECEIVING, /* of those that come in */
	TWILIO_STATUS_RECEIVED,
};
const char *twilio_status_name(enum twilio_status status);

struct twilio_message {
	char sid[TWILIO_SID_SIZE];
	enum twilio_status status;
	bool inbound;
	char *from, *to, *body;      /* owned; "" where null */
	int64_t created_ms, sent_ms; /* wall, of the server's clock; 0: null */
	int error_code;              /* 0: none */
	unsigned segments, media;
	char price[24]; /* "-0.00790 USD", or "" */
};
struct twilio_page {
	struct twilio_message *messages; /* owned, of n */
	size_t n;
	char *next; /* owned; path of the next page; NULL: this is the last */
};
#define TWILIO_TYPE_SIZE 128
struct twilio_media {
	char sid[TWILIO_SID_SIZE];
	char type[TWILIO_TYPE_SIZE]; /* "image/png", as they say it; "" */
};
struct twilio_media_list {
	struct twilio_media *media; /* owned, of n */
	size_t n;
	bool more; /* this was not all */
};
struct twilio_error {
	int code;
	char text[240]; /* one safe line */
};

/* -1 and FAILURE_LATER: it is not what the document says. Clear in either case. */
int twilio_read_message(const char *json, size_t len, struct twilio_message *ret,
			struct failure *f);
int twilio_read_page(const char *json, size_t len, struct twilio_page *ret, struct failure *f);
int twilio_read_media(const char *json, size_t len, struct twilio_media_list *ret,
		      struct failure *f);
/* Always gives something: code 0 and the status where there is no error in it. */
void twilio_read_error(const char *json, size_t len, unsigned http_status,
		       struct twilio_error *ret);
void twilio_message_clear(struct twilio_message *m);
void twilio_page_clear(struct twilio_page *p);
void twilio_media_clear(struct twilio_media_list *l);

bool twilio_sid_is_good(const char *sid, const char *letters);
/* name=value&..., percent-encoded, of fields that are not NULL. */
void twilio_add_field(struct buf *form, const char *name, const char *value);
#endif
