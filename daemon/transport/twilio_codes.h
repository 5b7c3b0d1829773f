/* transport/twilio_codes.h - what an error of Twilio's means for a text: a table of data
 * (https://www.twilio.com/docs/api/errors). Pure. */
#ifndef NUNCIO_TRANSPORT_TWILIO_CODES_H
#define NUNCIO_TRANSPORT_TWILIO_CODES_H
#include <stddef.h>

enum twilio_class {
	/* of a request */
	TWILIO_BUSY,      /* not processed: the same again, soon */
	TWILIO_AMBIGUOUS, /* it may have been processed: find out first */
	TWILIO_ACCOUNT,   /* login or account: the transport's trouble, no text is touched */
	TWILIO_SETTINGS,  /* the same, by our configuration */
	TWILIO_LATER,     /* this text, in a while */
	/* of a request or a delivery */
	TWILIO_REFUSED,  /* never */
	TWILIO_SUPPRESS, /* the recipient wants none: never again */
	/* of a delivery */
	TWILIO_RESEND,  /* was not delivered: again, as often as it lives */
	TWILIO_TWICE,   /* again, twice at most, hours apart */
	TWILIO_ONCE,    /* again, once */
	TWILIO_EXPIRED, /* took too long at the provider */
};
enum twilio_moment { TWILIO_REQUEST, TWILIO_DELIVERY };
/* Whom it speaks against, besides the text. */
enum twilio_blame { BLAME_NOBODY, BLAME_NUMBER, BLAME_SENDER };

struct twilio_code {
	int code;
	enum twilio_moment moment;
	enum twilio_class class;
	enum twilio_blame blame;
	const char *hint; /* what to do, or NULL */
};
/* code 0: none was given. Unknown ones: of a request by its HTTP status (429 busy, 401 and
 * 403 the account's, 5xx ambiguous, else refused); of a delivery TWILIO_ONCE. */
struct twilio_code twilio_code_find(enum twilio_moment moment, int code, unsigned http_status);
const struct twilio_code *twilio_codes(size_t *ret_n); /* the table, for its tests and the manual */
#endif
