/* transport/twilio_codes.c - the table. Codes may be added by Twilio at any time: what
 * is not here has a default that neither loses a text nor sends it without end. */
#include "transport/twilio_codes.h"

/* clang-format off */
static const struct twilio_code codes[] = {
	{ 20429, TWILIO_REQUEST, TWILIO_BUSY,      BLAME_NOBODY, NULL },
	{ 20500, TWILIO_REQUEST, TWILIO_AMBIGUOUS, BLAME_NOBODY, NULL },
	{ 20503, TWILIO_REQUEST, TWILIO_AMBIGUOUS, BLAME_NOBODY, NULL },
	{ 20003, TWILIO_REQUEST, TWILIO_ACCOUNT,   BLAME_NOBODY, "check account_sid and auth_token (or api_key and api_secret)" },
	{ 20005, TWILIO_REQUEST, TWILIO_ACCOUNT,   BLAME_NOBODY, "the account is not active: see Twilio's console" },
	{ 30002, TWILIO_REQUEST, TWILIO_ACCOUNT,   BLAME_NOBODY, "the account is suspended: see Twilio's console" },
	{ 21211, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NUMBER, NULL },
	{ 21614, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NUMBER, NULL },
	{ 21612, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, NULL },
	{ 21408, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, "allow the recipient's country in Twilio's console, under geo permissions" },
	{ 21610, TWILIO_REQUEST, TWILIO_SUPPRESS,  BLAME_NUMBER, "the recipient has said STOP; START from that telephone ends it" },
	{ 21608, TWILIO_REQUEST, TWILIO_SETTINGS,  BLAME_NOBODY, "a trial account texts only numbers verified in Twilio's console" },
	{ 21606, TWILIO_REQUEST, TWILIO_SETTINGS,  BLAME_SENDER, "`from` is not a number of this account that can send texts" },
	{ 21603, TWILIO_REQUEST, TWILIO_SETTINGS,  BLAME_SENDER, "set `from` or `service`" },
	{ 21212, TWILIO_REQUEST, TWILIO_SETTINGS,  BLAME_SENDER, "`from` is not a valid number" },
	{ 21611, TWILIO_REQUEST, TWILIO_LATER,     BLAME_NOBODY, NULL },
	{ 21617, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, NULL },
	{ 21602, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, NULL },
	{ 21619, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, NULL },
	{ 21620, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, "of `media` each must be a URL that anybody can open" },
	{ 21621, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_SENDER, "`from` is not a number that can send pictures (MMS)" },
	{ 21622, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_SENDER, "the account may not send pictures (MMS): see Twilio's console" },
	{ 21623, TWILIO_REQUEST, TWILIO_REFUSED,   BLAME_NOBODY, NULL },
	{ 11200, TWILIO_DELIVERY, TWILIO_ONCE,     BLAME_NOBODY, "Twilio could not open a URL of `media`" },
	{ 11751, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NOBODY, "`media` are too large: 5 MB in all" },
	{ 12300, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NOBODY, "a URL of `media` leads to a type that Twilio does not take" },
	{ 30001, TWILIO_DELIVERY, TWILIO_RESEND,   BLAME_NOBODY, NULL },
	{ 30002, TWILIO_DELIVERY, TWILIO_ACCOUNT,  BLAME_NOBODY, "the account is suspended: see Twilio's console" },
	{ 30003, TWILIO_DELIVERY, TWILIO_TWICE,    BLAME_NOBODY, NULL },
	{ 30004, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NUMBER, NULL },
	{ 30005, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NUMBER, NULL },
	{ 30006, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NUMBER, NULL },
	{ 30007, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_SENDER, "carriers filter what this sender texts" },
	{ 30008, TWILIO_DELIVERY, TWILIO_ONCE,     BLAME_NOBODY, NULL },
	{ 30009, TWILIO_DELIVERY, TWILIO_ONCE,     BLAME_NOBODY, NULL },
	{ 30011, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NOBODY, "this number gets no pictures (MMS)" },
	{ 30019, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NOBODY, "it is too large for the recipient's carrier" },
	{ 30034, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_SENDER, "register the sender (A2P 10DLC) in Twilio's console" },
	{ 30036, TWILIO_DELIVERY, TWILIO_EXPIRED,  BLAME_NOBODY, NULL },
	{ 30450, TWILIO_DELIVERY, TWILIO_REFUSED,  BLAME_NOBODY, NULL },
	{ 30500, TWILIO_DELIVERY, TWILIO_ONCE,     BLAME_NOBODY, NULL },
	{ 21610, TWILIO_DELIVERY, TWILIO_SUPPRESS, BLAME_NUMBER, "the recipient has said STOP" },
};
/* clang-format on */
#define NCODES (sizeof(codes) / sizeof(*codes))

static enum twilio_class class_of_status(unsigned http_status)
{
	if (http_status == 429 || http_status == 425)
		return TWILIO_BUSY;
	/* Request Timeout: what is between us and Twilio may have passed it on */
	if (http_status == 408)
		return TWILIO_AMBIGUOUS;
	if (http_status == 401 || http_status == 403)
		return TWILIO_ACCOUNT;
	/* 2xx with an answer that can't be read: it was processed; 3xx is no answer of Twilio's */
	return http_status < 400 || http_status >= 500 ? TWILIO_AMBIGUOUS : TWILIO_REFUSED;
}

struct twilio_code twilio_code_find(enum twilio_moment moment, int code, unsigned http_status)
{
	struct twilio_code ret = {.code = code, .moment = moment, .class = TWILIO_ONCE};

	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].code == code && codes[i].moment == moment)
			return codes[i];
	if (moment == TWILIO_REQUEST)
		ret.class = class_of_status(http_status);
	return ret;
}

const struct twilio_code *twilio_codes(size_t *ret_n)
{
	*ret_n = NCODES;
	return codes;
}
