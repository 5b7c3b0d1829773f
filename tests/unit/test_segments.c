/* Text messages: alphabet, units, segments, seams, look-alikes. */
#include "segments.h"

#include "buf.h"
#include "expect.h"

static struct segments count(const char *text, size_t most)
{
	struct segments s;

	segments_count(text, strlen(text), most, &s);
	return s;
}

static char *repeated(const char *piece, size_t times)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < times; i++)
		buf_add_text(&b, piece);
	return buf_take(&b, NULL);
}

static void expect_repeated(const char *piece, size_t times, enum sms_alphabet alphabet,
			    size_t units, size_t segments)
{
	char *text = repeated(piece, times);
	struct segments s = count(text, 0);

	expect_int(s.alphabet, alphabet);
	expect_int(s.units, units);
	expect_int(s.segments, segments);
	free(text);
}

TEST(seven_bits_are_160_and_153)
{
	expect_repeated("a", 0, SMS_GSM7, 0, 1);
	expect_repeated("a", 160, SMS_GSM7, 160, 1);
	expect_repeated("a", 161, SMS_GSM7, 161, 2);
	expect_repeated("a", 306, SMS_GSM7, 306, 2);
	expect_repeated("a", 307, SMS_GSM7, 307, 3);
}

TEST(sixteen_bits_are_70_and_67)
{
	expect_repeated("\u0436", 70, SMS_UCS2, 70, 1);
	expect_repeated("\u0436", 71, SMS_UCS2, 71, 2);
	expect_repeated("\u0436", 134, SMS_UCS2, 134, 2);
	expect_repeated("\u0436", 135, SMS_UCS2, 135, 3);
}

TEST(what_the_extension_table_has_takes_two_and_is_not_cut)
{
	expect_repeated("\u20ac", 80, SMS_GSM7, 160, 1);
	expect_repeated("\u20ac", 81, SMS_GSM7, 162, 2);
	/* 153 is odd: a seam stands before the pair, and 76 pairs go into a segment */
	expect_repeated("{", 152, SMS_GSM7, 304, 2);
	expect_repeated("{", 153, SMS_GSM7, 306, 3);
}

TEST(often_forgotten_characters)
{
	expect_int(count("@\u00a3$\u00a5\u00e8\u00c7\u00d8\u00f8\u0394_\u03a9\u00df\u00c9\u00a4", 0)
			   .alphabet,
		   SMS_GSM7);
	expect_int(count("\f", 0).units, 2);
	expect_int(count("\u00e7", 0).alphabet, SMS_UCS2);
	expect_int(count("\u00e1", 0).alphabet, SMS_UCS2);
	expect_int(count("`", 0).alphabet, SMS_UCS2);
	expect_int(count("\t", 0).alphabet, SMS_UCS2);
}

TEST(what_is_one_character_to_a_reader_stays_whole)
{
	/* 66 units, then a flag of four: it goes to the second segment as a whole */
	char *text = repeated("\u0436", 66);
	char whole[400];
	struct segments s;

	snprintf(whole, sizeof(whole), "%s\U0001F1E9\U0001F1EA\u0436\u0436", text);
	s = count(whole, 1);
	expect_int(s.segments, 2);
	expect_int(s.fits, 66 * 2);
	snprintf(whole, sizeof(whole), "%s\U0001F44D\U0001F3FD\u0436\u0436", text);
	expect_int(count(whole, 1).fits, 66 * 2);
	free(text);
}

TEST(how_much_fits_under_a_ceiling)
{
	char *text = repeated("a", 400);

	expect_int(count(text, 0).fits, 0);
	expect_int(count(text, 1).fits, 153);
	expect_int(count(text, 2).fits, 306);
	expect_int(count(text, 3).fits, 400);
	expect_int(count("hello", 1).fits, 5);
	free(text);
}

TEST(a_nul_is_in_no_alphabet_of_7_bits)
{
	struct segments s;

	segments_count("a\0b", 3, 0, &s);
	expect_int(s.alphabet, SMS_UCS2);
	expect_int(s.units, 3);
}

TEST(octets_that_are_no_utf_8_do_no_harm)
{
	expect_int(count("\xff\xc3", 1).units, 2);
	expect_int(count("\xf0\x9f", 1).alphabet, SMS_UCS2);
	expect_int(count("\xe2\x28\xa1", 1).units, 3);
}

static void expect_simplified(const char *text, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	expect_int(segments_simplify(text, strlen(text), &b), strcmp(text, want) != 0);
	expect_text(buf_bytes(&b), want);
	buf_clear(&b);
}

TEST(look_alikes_make_seven_bits)
{
	expect_simplified("plain", "plain");
	expect_simplified("\u201cIt\u2019s done\u201d \u2014 at\u00a05\u2026",
			  "\"It's done\" - at 5...");
	expect_simplified("a\tb`c", "a b'c");
}

TEST(text_that_needs_sixteen_bits_all_the_same_stays_as_it_is)
{
	expect_simplified("\u2019\u0436", "\u2019\u0436");
}

TEST(but_not_when_it_gets_shorter)
{
	char *text = repeated("\u0436", 70);
	char whole[300], want[300];

	snprintf(whole, sizeof(whole), "%s\u200b", text);
	snprintf(want, sizeof(want), "%s", text);
	expect_simplified(whole, want);
	free(text);
}

RUN_TESTS()
