/* message/mime.c - starts GMime, and reads header values with it. */
#include "message/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "buf.h"
#include "message/parse_room.h"
#include "text.h"

enum { GROUPS_MAX = 500, PARAMETER_NAME_MAX = 60 };

void mime_begin(void)
{
	static gsize begun;

	if (g_once_init_enter(&begun)) {
		static const char *charsets[] = {"utf-8", "windows-1252", "iso-8859-1", NULL};

		g_mime_init();
		g_mime_parser_options_set_fallback_charsets(g_mime_parser_options_get_default(),
							    charsets);
		g_once_init_leave(&begun, 1);
	}
}

/* Without control characters; those that are white space are blanks. */
static char *one_line(const char *text)
{
	size_t size = strlen(text) + 4;
	char *line = xmalloc(size);
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\t' || *c == '\r' || *c == '\n')
			*c = ' ';
	text_safe_line(line, size, copy, size - 4);
	free(copy);
	return line;
}

/* What is not UTF-8 as windows-1252, or, where an octet is none of that, as ISO 8859-1. GMime's
 * own way takes quadratic time. */
static char *from_8bit(const char *text, size_t len)
{
	static const char *const charsets[] = {"utf-8", "windows-1252", "iso-8859-1"};
	char *utf8 = NULL;

	for (size_t i = 0; !utf8 && i < sizeof(charsets) / sizeof(*charsets); i++)
		utf8 = g_convert(text, (gssize)len, "UTF-8", charsets[i], NULL, NULL, NULL);
	return utf8 ? utf8 : g_strdup("");
}

char *mime_unfold(const char *value, size_t len)
{
	char *unfolded = xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = value[i] == '\t' ? ' ' : value[i];

		if (c != '\r' && c != '\n' && (n || c != ' '))
			unfolded[n++] = c;
	}
	while (n && unfolded[n - 1] == ' ')
		n--;
	unfolded[n] = '\0';
	if (text_is_utf8(unfolded, n) && text_is_one_line(unfolded, n))
		return unfolded;
	mime_begin();
	char *utf8 = from_8bit(unfolded, n);
	char *line = one_line(utf8);

	g_free(utf8);
	free(unfolded);
	return line;
}

/* GMime reads encoded words that follow each other as one run of base64, and drops what stands
 * behind the first that is padded: with an empty word between, the run ends there. Owned. */
static char *part_words(const char *text)
{
	static const char between[] = " =?utf-8?q?"
				      "?=";
	struct buf out;

	buf_init(&out, strlen(text) * 8 + 64);
	for (const char *c = text; *c; c++) {
		buf_add(&out, c, 1);
		if (*c == '=' && c > text + 1 && c[-1] == '?' && c[-2] == '=' && c[1] == ' ' &&
		    strncmp(c + 1 + strspn(c + 1, " "), "=?", 2) == 0)
			buf_add_text(&out, between);
	}
	return buf_take(&out, NULL);
}

/* GMime calls itself for each group inside of a group, as deep as a mail wants. */
InternetAddressList *mime_addresses(const char *value)
{
	unsigned colons = 0;

	for (const char *c = value; *c; c++)
		colons += *c == ':';
	if (colons > GROUPS_MAX)
		return NULL;
	char *parted = part_words(value);

	mime_begin();
	InternetAddressList *list = internet_address_list_parse(NULL, parted);

	free(parted);
	return list;
}

/* ---- encoded words ---- */

/* strstr(), which with sanitizers reads the whole text each time. */
static const char *find_pair(const char *text, const char *pair)
{
	for (text = strchr(text, pair[0]); text && text[1] != pair[1];)
		text = strchr(text + 1, pair[0]);
	return text;
}

struct word {
	struct range charset, text;
	char encoding; /* 'B' or 'Q' */
	const char *end;
};

/* The one that begins at at ("=?"), RFC 2047 2; blanks in its text are borne. *no_end: no "?="
 * comes any more. */
static bool read_word(const char *at, struct word *ret, bool *no_end)
{
	const char *charset = at + 2, *mark = charset + strcspn(charset, "? \"<>");
	const char *text, *end, *lang;

	if (*mark != '?' || mark == charset || !mark[1] || !strchr("bBqQ", mark[1]) ||
	    mark[2] != '?')
		return false;
	text = mark + 3;
	end = *no_end ? NULL : find_pair(text, "?=");
	if (!end) {
		*no_end = true;
		return false;
	}
	lang = memchr(charset, '*', (size_t)(mark - charset)); /* RFC 2231 5 */
	*ret = (struct word){.charset = {.at = charset, .end = lang ? lang : mark},
			     .text = {.at = text, .end = end},
			     .encoding = mark[1] == 'b' || mark[1] == 'B' ? 'B' : 'Q',
			     .end = end + 2};
	return true;
}

static bool same_charset(const struct word *a, const struct word *b)
{
	size_t len = (size_t)(a->charset.end - a->charset.at);

	return len == (size_t)(b->charset.end - b->charset.at) &&
	       strncasecmp(a->charset.at, b->charset.at, len) == 0;
}

static void add_octets(struct buf *octets, const struct word *word)
{
	size_t len;
	char *piece = word_decode(word->encoding, word->text, &len);

	buf_add(octets, piece, len);
	free(piece);
}

/* Words of one charset that follow each other are one text: a character may begin in one
 * and end in the next. Returns where they end. */
static const char *add_words(struct buf *out, struct word word, bool *no_end)
{
	struct word next = word;
	struct buf octets;
	unsigned flaws = 0;
	size_t len;

	buf_init(&octets, out->max);
	add_octets(&octets, &word);
	for (;;) {
		const char *ahead = word.end + strspn(word.end, " ");

		if (strncmp(ahead, "=?", 2) != 0 || !read_word(ahead, &next, no_end) ||
		    !same_charset(&word, &next))
			break;
		add_octets(&octets, &next);
		word = next;
	}
	char *charset = xstrndup(word.charset.at, (size_t)(word.charset.end - word.charset.at));
	char *text = body_text(buf_bytes(&octets), octets.len, charset, &len, &flaws);

	buf_add(out, text, len);
	free(text);
	free(charset);
	buf_clear(&octets);
	return word.end;
}

/* Blanks between encoded words are none of the text. */
static const char *skip_between(const char *at)
{
	const char *ahead = at + strspn(at, " ");

	return strncmp(ahead, "=?", 2) == 0 ? ahead : at;
}

char *mime_decode_text(const char *value, size_t len)
{
	char *unfolded = mime_unfold(value, len);
	const char *at = unfolded, *start = find_pair(unfolded, "=?"), *words_end = NULL;
	bool no_end = false;
	struct word word;
	struct buf out;

	if (!start)
		return unfolded;
	buf_init(&out, strlen(unfolded) * 8 + 64);
	for (; start; start = find_pair(start, "=?")) {
		if (!read_word(start, &word, &no_end)) {
			start += 2;
			continue;
		}
		if (!words_end || start != skip_between(words_end))
			buf_add(&out, at, (size_t)(start - at));
		at = start = words_end = add_words(&out, word, &no_end);
	}
	buf_add_text(&out, at);
	char *line = one_line(buf_bytes(&out));

	buf_clear(&out);
	free(unfolded);
	return line;
}

bool mime_drop_long_names(GMimeParamList *list)
{
	int before = g_mime_param_list_length(list);

	for (int i = before - 1; i >= 0; i--) {
		GMimeParam *parameter = g_mime_param_list_get_parameter_at(list, i);

		if (strlen(g_mime_param_get_name(parameter)) > PARAMETER_NAME_MAX)
			g_mime_param_list_remove_at(list, i);
	}
	return g_mime_param_list_length(list) < before;
}
