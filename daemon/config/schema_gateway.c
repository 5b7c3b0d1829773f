/* config/schema_gateway.c - the table of settings: gateways of telephone carriers. */
#include "config/schema_room.h"

/* clang-format off */
static const struct setting gateway_settings[] = {
	{ "names", SETTING_NAMES, AT(gateway, names), .required = true, .help = "What it is called." },
	{ "title", SETTING_TEXT, AT(gateway, title), .required = true,
	  .help = "What it is called in sentences." },
	{ "code", SETTING_TEXT, AT(gateway, code), .initial = "1",
	  .help = "Country code of its numbers." },
	{ "sms", SETTING_TEXT, AT(gateway, sms), .required = true, .help = "Where texts go." },
	{ "mms", SETTING_TEXT, AT(gateway, mms), .help = "Where longer texts and attachments go." },
	{ "characters", SETTING_NUMBER, AT(gateway, characters), .initial = "160", .min = 20,
	  .max = 1600, .help = "Most of one text." },
	{ "ends", SETTING_TEXT, AT(gateway, ends), .help = "From when on it takes nothing." },
	{ "note", SETTING_TEXT, AT(gateway, note), .help = "What else is known of its end." },
};
static const struct table gateway_table = TABLE("carriers", gateway, 0, gateway_settings);

static const struct setting gateways_settings[] = {
	{ "carriers", SETTING_ROWS, AT(gateways, rows), AT(gateways, nrows), .min = 1, .max = 1000,
	  .required = true, .table = &gateway_table, .help = "The carriers." },
};
/* clang-format on */
const struct table schema_gateways = TABLE("", gateways, 0, gateways_settings);
