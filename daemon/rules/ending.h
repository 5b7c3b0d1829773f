/* rules/ending.h - how a run ended, in words: a sentence for the ledger, a text for the one
 * who gave the command. Pure. */
#ifndef NUNCIO_RULES_ENDING_H
#define NUNCIO_RULES_ENDING_H
#include <stddef.h>
#include <stdint.h>
#include "queue/store_run.h"
struct run_result;

#define ENDING_INLINE (8 * 1024)      /* of the output, in the text of a report */
#define ENDING_ATTACHED (1024 * 1024) /* of it, as its attachment */

struct ending {
	enum run_state state;
	int code;
	char sentence[240];
	char *output;     /* owned; text in UTF-8 */
	size_t len, kept; /* kept: of the octets the program printed */
	uint64_t printed;
};
void ending_of(struct ending *e, const struct run_result *result);
void ending_clear(struct ending *e);
/* Owned by the caller. */
char *ending_text(const struct ending *e, const char *command);
char *ending_short_text(const struct ending *e, const char *command);
/* Is the output too long for the text, so that it goes along whole? */
bool ending_is_long(const struct ending *e);
#endif
