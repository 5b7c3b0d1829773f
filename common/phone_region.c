/* common/phone_region.c - the table. It says how long numbers are and what is dialled
 * before them, not which of them are in use: that changes by the week and is the
 * carrier's to say. A few lines of data, where a library of every country's ranges
 * (libphonenumber: C++, megabytes) would have to be kept up to date on every machine. */
#include "phone_region.h"

#include <string.h>

#include "text.h"

#define NANP(iso)                                                                                  \
	{                                                                                          \
		iso, "1", "1", TRUNK_OPTIONAL, "011", 10, 10, "23456789", "900"                    \
	}

/* clang-format off */
static const struct phone_region regions[] = {
	/* iso  code   trunk                  abroad                     min max lead        premium */
	NANP("US"), NANP("CA"), NANP("PR"), NANP("DO"), NANP("JM"), NANP("BS"), NANP("BB"),
	NANP("TT"), NANP("BM"), NANP("GU"), NANP("VI"), NANP("KY"),
	{ "RU", "7",   "8",   TRUNK_OPTIONAL, "810",                      10, 10, "",         "" },
	{ "KZ", "7",   "8",   TRUNK_OPTIONAL, "810",                      10, 10, "",         "" },
	{ "EG", "20",  "0",   TRUNK_NEEDED,   "00",                        8, 10, "",         "" },
	{ "ZA", "27",  "0",   TRUNK_NEEDED,   "00",                        9,  9, "123456789", "" },
	{ "GR", "30",  "",    TRUNK_NONE,     "00",                       10, 10, "",         "90" },
	{ "NL", "31",  "0",   TRUNK_NEEDED,   "00",                        7, 11, "123456789", "900 906 909" },
	{ "BE", "32",  "0",   TRUNK_NEEDED,   "00",                        8,  9, "123456789", "90" },
	{ "FR", "33",  "0",   TRUNK_NEEDED,   "00",                        9,  9, "123456789", "89" },
	{ "ES", "34",  "",    TRUNK_NONE,     "00",                        9,  9, "56789",    "803 806 807" },
	{ "HU", "36",  "06",  TRUNK_NEEDED,   "00",                        8,  9, "123456789", "90" },
	{ "IT", "39",  "",    TRUNK_NONE,     "00",                        6, 11, "",         "89" },
	{ "VA", "39",  "",    TRUNK_NONE,     "00",                        6, 11, "",         "89" },
	{ "RO", "40",  "0",   TRUNK_NEEDED,   "00",                        9,  9, "23456789", "90" },
	{ "CH", "41",  "0",   TRUNK_NEEDED,   "00",                        9,  9, "123456789", "900 901 906" },
	{ "AT", "43",  "0",   TRUNK_NEEDED,   "00",                        4, 13, "123456789", "900 901 930 931" },
	{ "GB", "44",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "123456789", "9" },
	{ "GG", "44",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "123456789", "9" },
	{ "IM", "44",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "123456789", "9" },
	{ "JE", "44",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "123456789", "9" },
	{ "DK", "45",  "",    TRUNK_NONE,     "00",                        8,  8, "23456789", "90" },
	{ "SE", "46",  "0",   TRUNK_NEEDED,   "00",                        7, 13, "123456789", "900 939 944" },
	{ "NO", "47",  "",    TRUNK_NONE,     "00",                        8,  8, "23456789", "82" },
	{ "PL", "48",  "",    TRUNK_NONE,     "00",                        9,  9, "",         "70" },
	{ "DE", "49",  "0",   TRUNK_NEEDED,   "00",                        6, 13, "123456789", "900 137" },
	{ "PE", "51",  "0",   TRUNK_OPTIONAL, "00",                        8,  9, "",         "" },
	{ "MX", "52",  "",    TRUNK_NONE,     "00",                       10, 11, "",         "" },
	{ "AR", "54",  "0",   TRUNK_OPTIONAL, "00",                       10, 11, "",         "" },
	{ "BR", "55",  "0",   TRUNK_OPTIONAL, "0014 0015 0021 0031 0041", 10, 11, "123456789", "" },
	{ "CL", "56",  "",    TRUNK_NONE,     "00",                        9,  9, "",         "" },
	{ "CO", "57",  "",    TRUNK_NONE,     "00",                       10, 10, "",         "" },
	{ "VE", "58",  "0",   TRUNK_OPTIONAL, "00",                       10, 10, "",         "" },
	{ "MY", "60",  "0",   TRUNK_NEEDED,   "00",                        8, 10, "",         "" },
	{ "AU", "61",  "0",   TRUNK_NEEDED,   "0011",                      9,  9, "12345678", "19" },
	{ "ID", "62",  "0",   TRUNK_NEEDED,   "001 007 008",               8, 12, "",         "" },
	{ "PH", "63",  "0",   TRUNK_NEEDED,   "00",                        8, 10, "",         "" },
	{ "NZ", "64",  "0",   TRUNK_NEEDED,   "00",                        8, 10, "",         "900" },
	{ "SG", "65",  "",    TRUNK_NONE,     "001 002 008 018 019",       8,  8, "",         "" },
	{ "TH", "66",  "0",   TRUNK_NEEDED,   "001",                       8,  9, "",         "" },
	{ "JP", "81",  "0",   TRUNK_NEEDED,   "010",                       9, 10, "123456789", "990" },
	{ "KR", "82",  "0",   TRUNK_NEEDED,   "001 002 00700",             8, 10, "",         "" },
	{ "VN", "84",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "",         "" },
	{ "CN", "86",  "0",   TRUNK_OPTIONAL, "00",                       10, 11, "123456789", "" },
	{ "TR", "90",  "0",   TRUNK_OPTIONAL, "00",                       10, 10, "2345689",  "900" },
	{ "IN", "91",  "0",   TRUNK_OPTIONAL, "00",                       10, 10, "123456789", "" },
	{ "PK", "92",  "0",   TRUNK_NEEDED,   "00",                        9, 10, "",         "" },
	{ "LK", "94",  "0",   TRUNK_NEEDED,   "00",                        9,  9, "",         "" },
	{ "MA", "212", "0",   TRUNK_NEEDED,   "00",                        9,  9, "",         "" },
	{ "TN", "216", "",    TRUNK_NONE,     "00",                        8,  8, "",         "" },
	{ "NG", "234", "0",   TRUNK_NEEDED,   "009",                       8, 10, "",         "" },
	{ "KE", "254", "0",   TRUNK_NEEDED,   "000",                       9,  9, "",         "" },
	{ "GI", "350", "",    TRUNK_NONE,     "00",                        8,  8, "",         "" },
	{ "PT", "351", "",    TRUNK_NONE,     "00",                        9,  9, "",         "" },
	{ "LU", "352", "",    TRUNK_NONE,     "00",                        5, 11, "",         "90" },
	{ "IE", "353", "0",   TRUNK_NEEDED,   "00",                        7, 10, "123456789", "" },
	{ "IS", "354", "",    TRUNK_NONE,     "00",                        7,  9, "",         "" },
	{ "AL", "355", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "MT", "356", "",    TRUNK_NONE,     "00",                        8,  8, "",         "5" },
	{ "CY", "357", "",    TRUNK_NONE,     "00",                        8,  8, "",         "90" },
	{ "FI", "358", "0",   TRUNK_NEEDED,   "00 990 994 999",            5, 12, "123456789", "600 700" },
	{ "AX", "358", "0",   TRUNK_NEEDED,   "00 990 994 999",            5, 12, "123456789", "600 700" },
	{ "BG", "359", "0",   TRUNK_NEEDED,   "00",                        7,  9, "",         "90" },
	{ "LT", "370", "0 8", TRUNK_NEEDED,   "00",                        8,  8, "",         "90" },
	{ "LV", "371", "",    TRUNK_NONE,     "00",                        8,  8, "",         "90" },
	{ "EE", "372", "",    TRUNK_NONE,     "00",                        7,  8, "",         "90" },
	{ "MD", "373", "0",   TRUNK_NEEDED,   "00",                        8,  8, "",         "90" },
	{ "AM", "374", "0",   TRUNK_NEEDED,   "00",                        8,  8, "",         "90" },
	{ "BY", "375", "8 80", TRUNK_NEEDED,  "810",                       9,  9, "",         "" },
	{ "AD", "376", "",    TRUNK_NONE,     "00",                        6,  9, "",         "" },
	{ "MC", "377", "",    TRUNK_NONE,     "00",                        8,  9, "",         "" },
	{ "SM", "378", "",    TRUNK_NONE,     "00",                        6, 10, "",         "" },
	{ "UA", "380", "0",   TRUNK_NEEDED,   "00",                        9,  9, "123456789", "900" },
	{ "RS", "381", "0",   TRUNK_NEEDED,   "00",                        7, 12, "",         "90" },
	{ "ME", "382", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "HR", "385", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "6" },
	{ "SI", "386", "0",   TRUNK_NEEDED,   "00",                        8,  8, "",         "90" },
	{ "BA", "387", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "MK", "389", "0",   TRUNK_NEEDED,   "00",                        8,  8, "",         "" },
	{ "CZ", "420", "",    TRUNK_NONE,     "00",                        9,  9, "",         "90" },
	{ "SK", "421", "0",   TRUNK_NEEDED,   "00",                        9,  9, "123456789", "900" },
	{ "LI", "423", "",    TRUNK_NONE,     "00",                        7,  9, "",         "" },
	{ "CR", "506", "",    TRUNK_NONE,     "00",                        8,  8, "",         "" },
	{ "PA", "507", "",    TRUNK_NONE,     "00",                        7,  8, "",         "" },
	{ "EC", "593", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "UY", "598", "0",   TRUNK_OPTIONAL, "00",                        8,  8, "",         "" },
	{ "HK", "852", "",    TRUNK_NONE,     "001",                       8,  8, "",         "900" },
	{ "BD", "880", "0",   TRUNK_NEEDED,   "00",                        8, 10, "",         "" },
	{ "TW", "886", "0",   TRUNK_NEEDED,   "002",                       8,  9, "",         "" },
	{ "SA", "966", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "AE", "971", "0",   TRUNK_NEEDED,   "00",                        8,  9, "",         "" },
	{ "IL", "972", "0",   TRUNK_NEEDED,   "00 012 013 014 018",        8,  9, "123456789", "" },
	{ "AZ", "994", "0",   TRUNK_NEEDED,   "00",                        9,  9, "",         "" },
	{ "GE", "995", "0",   TRUNK_NEEDED,   "00",                        9,  9, "",         "" },
};
/* clang-format on */
#define NREGIONS (sizeof(regions) / sizeof(*regions))

const struct phone_region *phone_region_find(const char *iso)
{
	for (size_t i = 0; i < NREGIONS; i++)
		if (text_equal_nocase(regions[i].iso, iso))
			return &regions[i];
	return NULL;
}

const struct phone_region *phone_region_of(const char *digits)
{
	for (size_t i = 0; i < NREGIONS; i++)
		if (strncmp(digits, regions[i].code, strlen(regions[i].code)) == 0)
			return &regions[i];
	return NULL;
}

size_t phone_prefix(const char *prefixes, const char *digits)
{
	size_t longest = 0;

	while (*prefixes) {
		size_t len = strcspn(prefixes, " ");

		if (len > longest && strncmp(prefixes, digits, len) == 0)
			longest = len;
		prefixes += len;
		prefixes += strspn(prefixes, " ");
	}
	return longest;
}
