/* config/schema_room.h - how the tables of settings are written, for the files that have
 * some. */
#ifndef NUNCIO_CONFIG_SCHEMA_ROOM_H
#define NUNCIO_CONFIG_SCHEMA_ROOM_H
#include "config/schema.h"

#define AT(type, member) offsetof(struct type, member)
#define TABLE(name, type, line, settings)                                                          \
	{                                                                                          \
		name, sizeof(struct type), line, settings, sizeof(settings) / sizeof(*(settings))  \
	}
#define KIB 1024LL
#define MIB (1024 * KIB)
#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

extern const struct choice schema_mechanisms[]; /* of SASL */
extern const struct choice schema_tls_modes[];
#endif
