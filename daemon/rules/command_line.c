/* rules/command_line.c - finds the command line and the proof beside it, once for all
 * rules, and takes the proof out of what is to be shown. */
#include "rules/match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "message/parse.h"
#include "rules/question.h"
#include "secret.h"
#include "text.h"

enum {
	PROOF_MAX = 512, /* octets; longer ones are none */
	GAP_MAX = 64,    /* between the parts of a proof broken over two lines */
};

static const char mark[] = "***";

struct span {
	const char *at;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* What nobody sees at a line's ends, and programs that write mails leave there: U+00A0
 * of html, U+200B, and U+FEFF before a text. */
static const struct span unseen[] = {{"\xc2\xa0", 2}, {"\xe2\x80\x8b", 3}, {"\xef\xbb\xbf", 3}};

/* Octets of a blank or of what is not seen, at the begin or the end of s; 0: none. */
static size_t gap_at(struct span s, bool end)
{
	if (s.len && is_blank(end ? s.at[s.len - 1] : *s.at))
		return 1;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++) {
		size_t n = unseen[i].len;

		if (n <= s.len && !memcmp(end ? s.at + s.len - n : s.at, unseen[i].at, n))
			return n;
	}
	return 0;
}

static struct span trim(struct span s)
{
	size_t n;

	for (; (n = gap_at(s, false)); s.len -= n)
		s.at += n;
	while ((n = gap_at(s, true)))
		s.len -= n;
	return s;
}

/* The next line of rest, without its end; false: there is none. */
static bool next_line(struct span *rest, struct span *line)
{
	if (!rest->len)
		return false;
	const char *end = memchr(rest->at, '\n', rest->len);
	size_t len = end ? (size_t)(end - rest->at) : rest->len;
	*line = (struct span){rest->at, len};
	rest->at += len + (end != NULL);
	rest->len -= len + (end != NULL);
	return true;
}

/* Is this (trimmed) line `key: VALUE`? */
static bool is_key(struct span line, struct span *value)
{
	if (line.len < 4 || strncasecmp(line.at, "key:", 4) != 0)
		return false;
	*value = trim((struct span){line.at + 4, line.len - 4});
	return true;
}

/* One safe line: what is no UTF-8 or a control character can't be in a command, a run of
 * blanks and line ends is one blank. */
static char *one_line(struct span s)
{
	char *out = xmalloc(s.len + 1);
	size_t n = 0;

	s = trim(s);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (is_blank((char)c)) {
			if (out[n - 1] != ' ') /* the first is none */
				out[n++] = ' ';
		} else {
			out[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
		}
	}
	out[n] = '\0';
	for (size_t i = 0; i + 1 < n; i++) { /* U+0080 to U+009F */
		if (out[i] == '\xc2' && (unsigned char)out[i + 1] < 0xa0)
			out[i] = out[i + 1] = '?';
	}
	for (size_t i = text_is_utf8(out, n) ? n : 0; i < n; i++) {
		if ((unsigned char)out[i] >= 0x80)
			out[i] = '?';
	}
	return out;
}

static char *take_proof(struct span value)
{
	if (!value.len || value.len > PROOF_MAX || memchr(value.at, '\0', value.len))
		return NULL;
	return xstrndup(value.at, value.len);
}

static bool is_our_question(struct span line)
{
	size_t len = sizeof(QUESTION_OPENING) - 1;

	return line.len >= len && memcmp(line.at, QUESTION_OPENING, len) == 0;
}

static void find_in_mail(const struct parsed *mail, struct command_line *ret)
{
	struct span rest = {mail->text, mail->text ? mail->text_len : 0}, line, value;
	struct span first = {0}, proof = {0};
	unsigned keys = 0;

	while (next_line(&rest, &line)) {
		line = trim(line);
		if (line.len && *line.at == '>')
			continue;
		if (is_our_question(line))
			break;
		if (is_key(line, &value)) {
			proof = value;
			keys++;
		} else if (line.len && !first.at) {
			first = line;
		}
	}
	if (keys == 1)
		ret->proof = take_proof(proof);
	ret->ambiguous = keys > 1;
	struct span subject = {mail->subject, mail->subject ? strlen(mail->subject) : 0};
	subject = trim(subject);
	ret->text = one_line(subject.len ? subject : first);
}

/* The last word, if it is #VALUE. */
static void find_in_text(const char *body, struct command_line *ret)
{
	struct span all = trim((struct span){body, strlen(body)});
	size_t word = all.len;

	while (word && !is_blank(all.at[word - 1]))
		word--;
	if (word < all.len && all.at[word] == '#' && all.len - word > 1) {
		ret->proof = take_proof((struct span){all.at + word + 1, all.len - word - 1});
		all.len = word;
	}
	ret->text = one_line(all);
}

void command_line_find(const struct incoming *in, struct command_line *ret)
{
	*ret = (struct command_line){0};
	if (in->is_text)
		find_in_text(in->body ? in->body : "", ret);
	else
		find_in_mail(in->mail, ret);
}

void command_line_clear(struct command_line *c)
{
	if (c->proof)
		secret_wipe(c->proof, strlen(c->proof));
	free(c->proof);
	free(c->text);
	*c = (struct command_line){0};
}

/* A line end inside a proof: "=" of a soft one, CR, LF, and marks of quotation. */
static size_t gap_len(const char *text)
{
	size_t n = *text == '=';

	while (n < GAP_MAX && (text[n] == ' ' || text[n] == '\t' || text[n] == '\r'))
		n++;
	if (text[n] != '\n')
		return 0;
	while (n < GAP_MAX && text[n] && strchr("> \t\r\n", text[n]))
		n++;
	return n;
}

/* Octets of text that are the proof, broken or whole; 0: it does not stand here. Lines
 * are broken between octets, or at a blank, which is then gone. */
static size_t proof_len(const char *text, const char *proof)
{
	size_t n = 0;

	for (size_t i = 0; proof[i]; i++) {
		size_t gap = i && text[n] != proof[i] ? gap_len(text + n) : 0;

		n += gap;
		if (text[n] == proof[i])
			n++;
		else if (!gap || proof[i] != ' ')
			return 0;
	}
	return n;
}

/* What may stand before a `key:`: blanks, what is not seen, marks of quotation. */
static size_t marks_len(const char *text)
{
	size_t n = 0, more;

	do {
		more = strspn(text + n, "> \t");
		if (!more && text[n] != '\n')
			more = gap_at((struct span){text + n, strnlen(text + n, 3)}, false);
		n += more;
	} while (more);
	return n;
}

/* Octets of the value of a `key:` that begins a line here, quoted or not; also where there
 * are two, or it is not the right one. */
static size_t key_len(const char *text, size_t *ret_value)
{
	size_t n = marks_len(text);

	if (strncasecmp(text + n, "key:", 4) != 0)
		return 0;
	n += 4;
	n += strspn(text + n, " \t");
	*ret_value = n;
	return n + strcspn(text + n, "\r\n");
}

void command_line_redact(const struct command_line *c, char *text)
{
	const char *from = text;
	char *to = text;
	bool begins = true;

	while (*from) {
		size_t value = 0, len = begins ? key_len(from, &value) : 0;

		memmove(to, from, value);
		to += value;
		from += value;
		len -= value;
		/* A proof that goes on in the next line ends after the key's own. */
		size_t proof = c->proof && *c->proof ? proof_len(from, c->proof) : 0;
		len = proof > len ? proof : len;
		if (len) {
			size_t shown = len < sizeof(mark) - 1 ? len : sizeof(mark) - 1;

			memcpy(to, mark, shown);
			to += shown;
			from += len;
			begins = false;
			continue;
		}
		begins = *from == '\n';
		if (*from)
			*to++ = *from++;
	}
	secret_wipe(to, (size_t)(from - to));
	*to = '\0';
}
