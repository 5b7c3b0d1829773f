/* server/interface.h - io.nuncio as tables: the types, parameters and errors of
 * common/io.nuncio.varlink, each type written as it stands there, and the check of
 * a request against them. A test holds tables and text together. Pure. */
#ifndef NUNCIO_SERVER_INTERFACE_H
#define NUNCIO_SERVER_INTERFACE_H
#include <jansson.h>
#include <stddef.h>

/* "string", "?int", "[]string", "?[]Attachment": as in the interface text. */
struct param {
	const char *name, *type;
};
struct named_type {
	const char *name;
	const struct param *members; /* ended by a NULL name */
};

enum error_id {
	ERROR_BAD_RECIPIENT,
	ERROR_BAD_MESSAGE,
	ERROR_NOT_PERMITTED,
	ERROR_OVER_LIMIT,
	ERROR_NO_SUCH_MESSAGE,
	ERROR_NO_SUCH_TRANSPORT,
	ERROR_KEY_CONFLICT,
	ERROR_NO_TRANSPORT,
	ERROR_LOGIN_REFUSED,
	ERROR_TRANSPORT_SETUP,
	ERROR_TRANSPORT_AWAY,
	ERROR_NOT_STORED,
	ERROR_OVERRUN,
	ERROR_NO_SUCH_RULE,
	ERROR_NO_SUCH_RUN,
	ERROR_NOT_RUN,
	/* org.varlink.service */
	ERROR_INTERFACE_NOT_FOUND,
	ERROR_METHOD_NOT_FOUND,
	ERROR_INVALID_PARAMETER,
	ERROR_EXPECTED_MORE,
	ERROR_COUNT,
};
struct error_kind {
	const char *name; /* "io.nuncio.BadRecipient" */
	const struct param *params;
};
const struct error_kind *interface_error(enum error_id id);

/* The types that parameters use, ended by a NULL name. */
const struct named_type *interface_types(void);
/* The parameters of each method, for methods.c. */
extern const struct param send_params[], submit_params[], list_params[], show_params[],
	log_params[], watch_params[], select_params[], pause_params[], transport_params[],
	no_params[], description_params[], rules_test_params[], rules_log_params[],
	rules_run_params[], run_params[];

/* What is wrong with a parameter: its name ("attachments[0].name") and a sentence
 * that says what would be right. */
struct complaint {
	char parameter[200], reason[400];
};
/* Is object what params want? null stands for absent. 0, or -1 with *ret filled. */
int interface_check(const struct param *params, json_t *object, struct complaint *ret);

/* common/io.nuncio.varlink as it was at build time; interface_text_len is without
 * the NUL behind it. */
extern const char interface_text[];
extern const size_t interface_text_len;
#endif
