/* common/phone_region.h - how telephone numbers are written in a country: a table of data
 * (ITU-T E.164 country codes, and what each national plan says of prefixes and lengths). */
#ifndef NUNCIO_COMMON_PHONE_REGION_H
#define NUNCIO_COMMON_PHONE_REGION_H
#include <stddef.h>

/* Between digits and country: "0" in 030 901820. */
enum phone_trunk {
	TRUNK_NONE,     /* there is none: a number is always written whole */
	TRUNK_NEEDED,   /* without it a number is local, its area unknown */
	TRUNK_OPTIONAL, /* a number is whole without it, too */
};

struct phone_region {
	const char *iso;   /* ISO 3166-1, two letters */
	const char *code;  /* country code; several regions may share one, the first leads */
	const char *trunk; /* prefixes, separated by blanks; "" for TRUNK_NONE */
	enum phone_trunk kind;
	const char *abroad;     /* prefixes before a country code, separated by blanks */
	unsigned char min, max; /* digits behind the country code */
	const char *lead;       /* what the first of these can be; "": anything */
	const char *premium;    /* beginnings of what callers pay for, separated by blanks */
};

/* In any case of letters. NULL: not in the table. */
const struct phone_region *phone_region_find(const char *iso);
/* Whose country code these digits begin with; NULL: not in the table. */
const struct phone_region *phone_region_of(const char *digits);
/* The longest of the prefixes (separated by blanks) that digits begin with: its length. */
size_t phone_prefix(const char *prefixes, const char *digits);
#endif
