/* queue/store_data.h - what the store keeps, as rows: messages, deliveries,
 * events; and which deliveries are meant (a filter). */
#ifndef NUNCIO_QUEUE_STORE_DATA_H
#define NUNCIO_QUEUE_STORE_DATA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "queue/state.h"

#define STORE_CHUNK_BYTES 65536
#define STORE_INLINE_BYTES 8192 /* content up to this goes with put_message */
#define STORE_PAGE_MAX 500

struct message_row {
	int64_t id; /* given by the store */
	int64_t created_ms;
	uint32_t uid;
	int32_t pid;
	const char *key;     /* or NULL; unique per uid */
	const char *digest;  /* of what was asked, for key: hex */
	const char *dedup;   /* or NULL */
	const char *sender;  /* envelope */
	const char *subject; /* for people, or NULL */
	const char *message_id;
	unsigned priority; /* 0 urgent, 1 high, 2 normal, 3 low */
	const char *spec;  /* message/letter.h */
	uint64_t content_size;
	const void *content; /* whole, when content_size <= STORE_INLINE_BYTES */
	int64_t body;        /* else where its chunks are */
	unsigned repeats;    /* how often its dedup came again */
	bool tell_delay;     /* when it waits long, its sender is to hear so, once */
};
/* Is the sender to hear of it when the delivery fails? Stored as these numbers. */
enum notice { NOTICE_NONE = 0, NOTICE_WANTED = 1, NOTICE_TOLD = 2 };
struct delivery_row {
	int64_t id; /* given by the store */
	int64_t message;
	const char *recipient; /* ASCII form, E.164 */
	const char *route;     /* "#mail", "#sms", or a transport's name */
	enum delivery_state state;
	int64_t next_ms, expires_ms, changed_ms;
	unsigned attempt_no; /* attempts made so far, the present one included */
	int code;
	const char *enhanced, *text; /* last answer, or "" */
	const char *transport;       /* the last that tried, or "" */
	const char *remote_id;       /* or "" */
	enum notice notice;
	int64_t bundle; /* the delivery whose text it went by, or that took others along; 0: neither */
	/* The delivery that stands by for it; below 0: the one that it stands by for, for
	 * fallback_ms. When it is put: how many rows further on, or, below 0, back. */
	int64_t fallback, fallback_ms;
	const char *fallback_for; /* the recipient it stands by for, or NULL */
	unsigned bundled;         /* how many others went by that text */
};
struct event_row {
	int64_t id, at_ms, message, delivery; /* delivery 0: of the message */
	uint32_t uid;                         /* whose message */
	enum delivery_state from, to;         /* from 0: it was put */
	unsigned attempt_no;
	int code;
	const char *recipient, *transport, *enhanced, *text;
};

/* Which deliveries: all that it says must hold. */
struct filter {
	int64_t message, delivery;     /* 0: any */
	int64_t uid;                   /* -1: any */
	unsigned states;               /* bits 1 << state; 0: any */
	const char *route, *recipient; /* NULL: any; recipient is a text_matches() pattern */
};
#endif
