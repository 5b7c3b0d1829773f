/* transport/inquiry.h - questions about texts that a provider has, or may have, and
 * what it says; part of transport.h. */
#ifndef NUNCIO_TRANSPORT_INQUIRY_H
#define NUNCIO_TRANSPORT_INQUIRY_H
#include <stddef.h>
#include <stdint.h>
struct failure;
struct letter;

/* What the provider knows of texts that it has, or may have. */
struct inquiry {
	int64_t delivery;
	const char *remote_id; /* or "": is it there at all? */
	const char *recipient;
	const struct letter *letter; /* of those without remote_id, with its content */
	const char *content;
	size_t content_len;
	int64_t since_boot_ms;    /* of clock_boot_ms(): when the attempt began */
	const char *const *owned; /* NULL-ended: remote ids of other deliveries to that recipient */
};
enum finding {
	FINDING_NOTHING, /* not found out */
	FINDING_PENDING, /* the provider has it */
	FINDING_SENT,    /* it left the provider; receipts may follow */
	FINDING_DELIVERED,
	FINDING_UNDELIVERED,
	FINDING_FAILED,
	FINDING_EXPIRED,
	FINDING_CANCELED,
	FINDING_SUPPRESSED,
	FINDING_ABSENT, /* the provider's whole list has it not */
};
struct report {
	enum finding finding;
	unsigned
		resends; /* undelivered, failed: so often may it be tried again; UINT_MAX: always */
	int64_t resend_ms; /* and so much later */
	int code;
	int64_t cost;       /* millionths; -1: not known yet */
	unsigned segments;  /* 0: the same */
	char text[240];     /* one safe line: status, segments, price */
	char remote_id[80]; /* of the one found */
};
/* reports[i] is of inquiries[i]; why: nothing was found out. */
typedef void reported_fn(void *ctx, const struct report *reports, size_t n,
			 const struct failure *why);
#endif
