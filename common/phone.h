/* common/phone.h - telephone numbers: E.164 out of what people write. Pure. How a country
 * writes its numbers is data (phone_region.h); whether a number exists only a carrier knows. */
#ifndef NUNCIO_COMMON_PHONE_H
#define NUNCIO_COMMON_PHONE_H
#include <stdbool.h>
#include <stddef.h>
struct failure;

#define PHONE_SIZE 17 /* '+', 15 digits, NUL */

/* It is meant as a number: "tel:" or "+" before digits; or no letter, and more digits than a
 * name would have. */
bool phone_looks_like(const char *text);
/* '+' and 8 to 15 digits. Blanks, dashes (of any kind), dots, slashes and parentheses are
 * passed over, so are "tel:" and a "(0)" where it can't be meant. "00" stands for the "+".
 * Without region (NULL; two letters, ISO 3166) only such numbers are taken; with one also
 * what is dialled there, "030 901820" in "DE". Refused, with a sentence: extensions, letters,
 * short codes, what callers pay for, what is too short or long for its country.
 * -1 and FAILURE_REFUSED. */
int phone_parse_in(const char *region, const char *text, char ret[PHONE_SIZE], struct failure *f);
int phone_parse(const char *text, char ret[PHONE_SIZE], struct failure *f); /* without region */
#endif
