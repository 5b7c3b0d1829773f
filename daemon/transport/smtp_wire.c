/* transport/smtp_wire.c - decides what is an SMTP reply and how commands look;
 * what follows from a reply is left to smtp_outcome.c and the session.
 *
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *                Reply-code [ SP textstring ] CRLF         (RFC 5321 4.2)
 *   textstring begins with class "." subject "." detail SP  (RFC 2034 4) */
#include "transport/smtp_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "text.h"

void smtp_parser_init(struct smtp_parser *p)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->text, SMTP_TEXT_MAX);
}

void smtp_parser_clear(struct smtp_parser *p)
{
	buf_clear(&p->text);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t len, size_t max)
{
	size_t n = 0;

	while (n < len && n < max && is_digit(text[n]))
		n++;
	return n;
}

/* The length of the enhanced code that text begins with, 0: none. Its class
 * must be the reply's own. */
static size_t enhanced_length(const char *text, size_t len, int code)
{
	size_t at = 2, n;

	if (len < 5 || text[0] != '0' + code / 100 || text[1] != '.' || code / 100 == 3)
		return 0;
	n = digits(text + at, len - at, 3);
	at += n;
	if (n == 0 || at == len || text[at] != '.')
		return 0;
	at++;
	n = digits(text + at, len - at, 3);
	at += n;
	if (n == 0 || (at < len && text[at] != ' '))
		return 0;
	return at;
}

static void keep_text(struct smtp_parser *p, const char *text, size_t len)
{
	size_t code = enhanced_length(text, len, p->code);

	if (code && p->lines == 0) {
		memcpy(p->enhanced, text, code);
		p->enhanced[code] = '\0';
	}
	if (code && code == strlen(p->enhanced) && memcmp(p->enhanced, text, code) == 0) {
		size_t skip = code < len ? code + 1 : code;

		text += skip;
		len -= skip;
	}
	if (p->text.len + len + 1 > SMTP_TEXT_MAX)
		return;
	if (p->lines > 0)
		buf_add(&p->text, "\n", 1);
	buf_add(&p->text, text, len);
}

static enum smtp_parsed bad_line(const char *what, const char *line, size_t len, struct failure *f)
{
	char shown[80];

	failure_set(f, FAILURE_LATER, "%s: '%s'", what,
		    text_safe_line(shown, sizeof(shown), line, len));
	return SMTP_PARSED_BAD;
}

static enum smtp_parsed take_line(struct smtp_parser *p, const char *line, size_t len,
				  struct failure *f)
{
	int code;

	if (len < 3 || digits(line, len, 3) != 3 || line[0] < '2' || line[0] > '5' ||
	    (len > 3 && line[3] != ' ' && line[3] != '-'))
		return bad_line("the server's answer is not SMTP", line, len, f);
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	if (p->lines > 0 && code != p->code)
		return bad_line("the server changed the code within a reply", line, len, f);
	if (p->lines == SMTP_LINES_MAX)
		return bad_line("the server's reply has too many lines", line, len, f);
	p->code = code;
	keep_text(p, line + (len > 3 ? 4 : 3), len - (len > 3 ? 4 : 3));
	p->lines++;
	return len > 3 && line[3] == '-' ? SMTP_PARSED_MORE : SMTP_PARSED_REPLY;
}

static void begin_reply(struct smtp_parser *p)
{
	p->lines = 0;
	p->code = 0;
	p->enhanced[0] = '\0';
	buf_drain(&p->text, p->text.len);
}

static void give_reply(struct smtp_parser *p, struct smtp_reply *ret)
{
	ret->code = p->code;
	memcpy(ret->enhanced, p->enhanced, sizeof(ret->enhanced));
	ret->text = buf_bytes(&p->text);
	ret->text_len = p->text.len;
	p->lines = 0;
}

enum smtp_parsed smtp_parser_feed(struct smtp_parser *p, const char *bytes, size_t len,
				  size_t *ret_used, struct smtp_reply *ret, struct failure *f)
{
	size_t used = 0;

	while (used < len) {
		const char *end = memchr(bytes + used, '\n', len - used);
		size_t n = (end ? (size_t)(end - bytes) : len) - used;
		enum smtp_parsed parsed;

		if (p->len + n > SMTP_LINE_MAX + 1)
			return bad_line("the server's answer has a line that is too long", p->line,
					p->len, f);
		memcpy(p->line + p->len, bytes + used, n);
		p->len += n;
		used += n + (end ? 1 : 0);
		if (!end)
			break;
		if (p->len > 0 && p->line[p->len - 1] == '\r')
			p->len--;
		if (p->lines == 0)
			begin_reply(p);
		parsed = take_line(p, p->line, p->len, f);
		p->len = 0;
		if (parsed != SMTP_PARSED_MORE) {
			*ret_used = used;
			if (parsed == SMTP_PARSED_REPLY)
				give_reply(p, ret);
			return parsed;
		}
	}
	*ret_used = used;
	return SMTP_PARSED_MORE;
}

static void add_mechanisms(struct smtp_caps *caps, const char *list, size_t len)
{
	size_t have = strlen(caps->auth);

	if (have + 1 + len >= sizeof(caps->auth) || !text_is_one_line(list, len))
		return;
	if (have > 0)
		caps->auth[have++] = ' ';
	memcpy(caps->auth + have, list, len);
	caps->auth[have + len] = '\0';
}

static uint64_t number(const char *text, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len && is_digit(text[i]); i++) {
		if (n > (UINT64_MAX - 9) / 10)
			return 0;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	return n;
}

static bool keyword_is(const char *line, size_t len, const char *keyword)
{
	size_t n = strlen(keyword);

	return len >= n && text_starts_nocase(line, keyword) &&
	       (len == n || line[n] == ' ' || line[n] == '=');
}

/* One line of the reply to EHLO; "AUTH=" is what servers said before RFC 2554. */
static void take_keyword(struct smtp_caps *caps, const char *line, size_t len)
{
	if (keyword_is(line, len, "PIPELINING"))
		caps->pipelining = true;
	else if (keyword_is(line, len, "8BITMIME"))
		caps->eight_bit = true;
	else if (keyword_is(line, len, "SMTPUTF8"))
		caps->smtputf8 = true;
	else if (keyword_is(line, len, "STARTTLS"))
		caps->starttls = true;
	else if (keyword_is(line, len, "AUTH") && len > 5)
		add_mechanisms(caps, line + 5, len - 5);
	else if (keyword_is(line, len, "SIZE")) {
		caps->size = true;
		caps->size_max = len > 5 ? number(line + 5, len - 5) : 0;
	}
}

void smtp_caps_parse(const struct smtp_reply *ehlo, struct smtp_caps *ret)
{
	const char *at = memchr(ehlo->text, '\n', ehlo->text_len);
	const char *end = ehlo->text + ehlo->text_len;

	memset(ret, 0, sizeof(*ret));
	while (at) { /* the first line is the server's name */
		const char *line = at + 1;

		at = memchr(line, '\n', (size_t)(end - line));
		take_keyword(ret, line, (size_t)((at ? at : end) - line));
	}
}

static int add_line(struct buf *out, const char *command, size_t max)
{
	size_t len = strlen(command);

	if (len + 2 > max || !text_is_one_line(command, len) || out->len + len + 2 > out->max)
		return -1;
	buf_add(out, command, len);
	return buf_add(out, "\r\n", 2);
}

/* Longer than any command but AUTH may be: what was cut is refused by add_line(). */
#define LINE_ROOM 1024

int smtp_add_hello(struct buf *out, const char *verb, const char *name)
{
	char line[LINE_ROOM];

	snprintf(line, sizeof(line), "%s %s", verb, name);
	return add_line(out, line, SMTP_COMMAND_MAX);
}

int smtp_add_auth(struct buf *out, const char *mechanism, const char *initial)
{
	char line[LINE_ROOM];

	if (!initial)
		snprintf(line, sizeof(line), "AUTH %s", mechanism);
	else /* RFC 4954 4: an empty one is said as "=" */
		snprintf(line, sizeof(line), "AUTH %s %s", mechanism, *initial ? initial : "=");
	return add_line(out, line, SMTP_COMMAND_MAX);
}

int smtp_add_response(struct buf *out, const char *base64)
{
	return add_line(out, base64, SMTP_RESPONSE_MAX);
}

int smtp_add_mail(struct buf *out, const struct smtp_mail_line *mail)
{
	char line[LINE_ROOM], size[32] = "";

	if (mail->size)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64, mail->size);
	snprintf(line, sizeof(line), "MAIL FROM:<%s>%s%s%s", mail->sender, size,
		 mail->eight_bit ? " BODY=8BITMIME" : "", mail->smtputf8 ? " SMTPUTF8" : "");
	return add_line(out, line, SMTP_MAIL_MAX);
}

int smtp_add_rcpt(struct buf *out, const char *address)
{
	char line[LINE_ROOM];

	snprintf(line, sizeof(line), "RCPT TO:<%s>", address);
	return add_line(out, line, SMTP_COMMAND_MAX);
}

char *smtp_hello_name(char *out, size_t size, const char *hostname)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strlen(hostname);
	const char *dot = strchr(hostname, '.');

	if (dot && dot > hostname && dot[1] && len < size && len < 255 &&
	    strspn(hostname, allowed) == len)
		snprintf(out, size, "%s", hostname);
	else
		snprintf(out, size, "[127.0.0.1]");
	return out;
}

int smtp_dots_add(struct smtp_dots *d, struct buf *out, const char *bytes, size_t len)
{
	size_t from = 0;

	if (len == 0)
		return 0;
	for (const char *dot = memchr(bytes, '.', len); dot;
	     dot = memchr(dot + 1, '.', (size_t)(bytes + len - dot - 1))) {
		size_t at = (size_t)(dot - bytes);

		if (at > 0 ? bytes[at - 1] != '\n' : d->inside_line)
			continue;
		if (buf_add(out, bytes + from, at - from) < 0 || buf_add(out, ".", 1) < 0)
			return -1;
		from = at;
	}
	d->last = bytes[len - 1];
	d->inside_line = d->last != '\n';
	return buf_add(out, bytes + from, len - from);
}

int smtp_dots_end(struct smtp_dots *d, struct buf *out)
{
	if (d->inside_line)
		return buf_add_text(out, d->last == '\r' ? "\n.\r\n" : "\r\n.\r\n");
	return buf_add_text(out, ".\r\n");
}
