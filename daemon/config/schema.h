/* config/schema.h - what can be set: one table, from which settings are read,
 * given their defaults, checked, freed and described in the manual. */
#ifndef NUNCIO_CONFIG_SCHEMA_H
#define NUNCIO_CONFIG_SCHEMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"

enum setting_type {                    /* stored as */
		    SETTING_TEXT,      /* char * */
		    SETTING_NAME,      /* char *: [A-Za-z0-9_-]{1,32} */
		    SETTING_PATH,      /* char *: absolute */
		    SETTING_DIGEST,    /* char *: 64 hex digits, lower case */
		    SETTING_PHONE,     /* char *: E.164 */
		    SETTING_WORD,      /* char *: one of choices */
		    SETTING_CHOICE,    /* enum or unsigned: value of one of choices */
		    SETTING_NUMBER,    /* unsigned: min..max */
		    SETTING_BOOL,      /* bool */
		    SETTING_WANTED,    /* enum wanted: by true or false */
		    SETTING_BITS,      /* unsigned: octal, as text */
		    SETTING_DURATION,  /* int64_t: milliseconds, 0 only if min is 0 */
		    SETTING_SIZE,      /* uint64_t: bytes */
		    SETTING_RATE,      /* struct rate */
		    SETTING_THROTTLE,  /* struct throttle */
		    SETTING_FALLBACK,  /* struct fallback */
		    SETTING_MONEY,     /* int64_t: millionths, up to max */
		    SETTING_ADDRESS,   /* struct address */
		    SETTING_SECRET,    /* struct secret_ref */
		    SETTING_TEXTS,     /* char **: NULL-ended; of choices, if there are some */
		    SETTING_NAMES,     /* char **: NULL-ended */
		    SETTING_FLAGS,     /* unsigned: values of choices, or-ed */
		    SETTING_ADDRESSES, /* struct address *, count beside it */
		    SETTING_GROUP,     /* members of the same struct */
		    SETTING_ROWS,      /* array of the table's struct, count beside it */
};

struct choice {
	const char *name; /* NULL ends a list of choices */
	unsigned value;
};

/* Checked as its type says but not stored here: check.c reads it. */
#define SCHEMA_NOWHERE ((size_t)-1)

struct table;

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;       /* of the place in the struct */
	size_t count;        /* of the size_t beside a SETTING_ADDRESSES, _ROWS */
	const char *initial; /* default as written in the file; NULL: none */
	int64_t min, max;    /* numbers, durations (ms), sizes; elements of _ROWS */
	const struct choice *choices;
	const struct table *table; /* of _GROUP and _ROWS */
	const char *only;          /* stands only in rows of this `type`; NULL: in all */
	bool required;
	bool single;      /* of a list: one element may stand without it */
	const char *help; /* a sentence for the manual */
};

struct table {
	const char *name; /* "transports": as the manual calls it */
	size_t size;      /* of the struct */
	size_t line;      /* offset of an unsigned for the row's line; 0: none */
	const struct setting *settings;
	size_t nsettings;
};

extern const struct table schema_config;
extern const struct table schema_transport;
extern const struct table schema_mailbox;
extern const struct table schema_rule;
extern const struct table schema_runner;
extern const struct table schema_contact;
extern const struct table schema_alias;
extern const struct table schema_access;
extern const struct table schema_providers; /* of struct providers, providers.conf */
extern const struct table schema_gateways;  /* of struct gateways, carriers.conf */

/* Of several of that name the one for rows of type `only`; NULL: none has it. */
const struct setting *schema_find(const struct table *table, const char *name, const char *only);
/* The known name most like the wrong one, or NULL. only: see above, or NULL. */
const char *schema_nearest(const struct table *table, const char *name, const char *only);
bool schema_belongs(const struct setting *setting, const char *only);
/* "takes ...": what a setting accepts, with an example. Returns out. */
char *schema_accepts(const struct setting *setting, char *out, size_t size);
#endif
