/* common/address.c - reads one mailbox and brings its domain into the form that
 * goes over the wire. Grammar (RFC 5321 4.1.2, RFC 5322 3.4, RFC 6531 3.3):
 *
 *   address = [ *( atom / "." / quoted ) ] "<" mailbox ">" / mailbox
 *   mailbox = local "@" ( domain / "[" IPv4 "]" / "[IPv6:" IPv6 "]" )
 *   local   = atom *( "." atom ) / quoted
 *   atom    = 1*( atext / UTF8-non-ascii )
 *   quoted  = DQUOTE *( qtext / UTF8-non-ascii / "\" %d32-126 ) DQUOTE
 *
 * Not taken: comments, groups, source routes. Whether a domain exists is for DNS. */
#include "address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <idn2.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "text.h"

enum {
	LOCAL_MAX = 64,
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
	MAILBOX_MAX = 254,
	NAME_MAX_BYTES = 256,
};

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_atom_byte(char c)
{
	if ((unsigned char)c >= 0x80 || is_letter_or_digit(c))
		return true;
	return c && strchr("!#$%&'*+-/=?^_`{|}~", c);
}

static size_t atom_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_atom_byte(text[n]))
		n++;
	return n;
}

/* Bytes of the quoted string at the start of text, quotes included; 0: none, or
 * it does not end. */
static size_t quoted_len(const char *text, size_t len)
{
	if (!len || text[0] != '"')
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		if (text[i] != '\\')
			continue;
		i++;
		if (i < len && (unsigned char)text[i] >= 0x80)
			return 0;
	}
	return 0;
}

/* The reason why text is not a domain of LDH labels, or NULL. */
static const char *check_host_name(const char *text, size_t len)
{
	size_t label = 0; /* where the present one begins */
	bool numeric = true;

	if (len > DOMAIN_MAX)
		return "the domain is longer than 253 characters";
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '.') {
			if (!is_letter_or_digit(text[i]) && text[i] != '-')
				return "the domain has a character that no host name has";
			continue;
		}
		if (i == label)
			return "the domain has an empty part";
		if (i - label > LABEL_MAX)
			return "a part of the domain is longer than 63 characters";
		if (text[label] == '-' || text[i - 1] == '-')
			return "a part of the domain begins or ends with '-'";
		numeric = strspn(text + label, "0123456789") >= i - label;
		label = i + 1;
	}
	return numeric ? "the domain ends in a number; an IP address is written in brackets" : NULL;
}

/* IDNA 2008 with the mapping of UTS 46, nontransitional. */
static const char *map_domain(const char *domain, size_t len, char **ret)
{
	char *lower = xstrndup(domain, len);
	char *mapped = NULL;

	if (text_is_ascii(domain, len)) {
		for (char *c = lower; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		*ret = lower;
		return NULL;
	}
	int result = idn2_to_ascii_8z(lower, &mapped, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);

	free(lower);
	if (result != IDN2_OK)
		return "the domain is not a valid international name";
	*ret = xstrdup(mapped);
	idn2_free(mapped);
	return NULL;
}

static const char *read_domain(const char *domain, size_t len, char **ret)
{
	char *ascii = NULL;
	/* four bytes of UTF-8 are one character at least */
	const char *why =
		len > 4 * DOMAIN_MAX ? "the domain is too long" : map_domain(domain, len, &ascii);

	if (!why)
		why = check_host_name(ascii, strlen(ascii));
	if (why) {
		free(ascii);
		return why;
	}
	*ret = ascii;
	return NULL;
}

char *domain_to_ascii(const char *domain, size_t len)
{
	char *ascii = NULL;

	if (!text_is_utf8(domain, len) || !text_is_one_line(domain, len))
		return NULL;
	return read_domain(domain, len, &ascii) ? NULL : ascii;
}

static const char *read_literal(const char *text, size_t len, char **ret)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char inner[INET6_ADDRSTRLEN + 8] = "";
	bool good = false;

	if (len > 2 && text[len - 1] == ']' && len - 2 < sizeof(inner)) {
		memcpy(inner, text + 1, len - 2);
		good = text_starts_nocase(inner, "IPv6:")
			       ? inet_pton(AF_INET6, inner + 5, binary) == 1
			       : inet_pton(AF_INET, inner, binary) == 1;
	}
	if (!good)
		return "in brackets goes an address, as [192.0.2.1] or [IPv6:2001:db8::1]";
	*ret = xstrndup(text, len);
	return NULL;
}

/* The reason why no local part stands at the start of text, or NULL. */
static const char *check_local(const char *text, size_t len, size_t *ret_len)
{
	size_t at = quoted_len(text, len);

	if (!at && len && text[0] == '"')
		return "the quotes before the @ do not end";
	while (!at || (text[0] != '"' && at < len && text[at] == '.')) {
		size_t dot = at ? 1 : 0;
		size_t atom = atom_len(text + at + dot, len - at - dot);

		if (!atom)
			return at ? "a dot stands before the @ or beside another one"
				  : "there is nothing before the @ that could be a name";
		at += dot + atom;
	}
	if (at > LOCAL_MAX)
		return "what stands before the @ is longer than 64 bytes";
	*ret_len = at;
	return NULL;
}

static const char *read_mailbox(const char *text, size_t len, struct address *a)
{
	size_t local = 0;
	char *domain = NULL;
	const char *why = check_local(text, len, &local);

	if (why)
		return why;
	if (local == len)
		return "it has no @";
	if (text[local] != '@')
		return "before the @ stands a character that needs quotes";
	size_t at = local + 1;

	why = at < len && text[at] == '[' ? read_literal(text + at, len - at, &domain)
					  : read_domain(text + at, len - at, &domain);
	if (why)
		return why;
	a->ascii = xprintf("%.*s@%s", (int)local, text, domain);
	free(domain);
	a->mailbox = xstrndup(text, len);
	a->needs_smtputf8 = !text_is_ascii(text, local);
	if (len > MAILBOX_MAX || strlen(a->ascii) > MAILBOX_MAX)
		return "it is longer than 254 bytes";
	return NULL;
}

/* Adds a quoted string without its quotes and backslashes. */
static void add_unquoted(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 1; i + 1 < len; i++) {
		if (text[i] == '\\')
			i++;
		buf_add(out, text + i, 1);
	}
}

/* A word of a display name at the start of text into out. 0: there is none. */
static size_t read_word(const char *text, size_t len, struct buf *out)
{
	size_t quoted = quoted_len(text, len);

	if (quoted) {
		add_unquoted(out, text, quoted);
		return quoted;
	}
	size_t n = 0;

	while (n < len && (is_atom_byte(text[n]) || text[n] == '.'))
		n++;
	buf_add(out, text, n);
	return n;
}

static const char *read_name(const char *text, size_t len, struct address *a)
{
	struct buf name;
	size_t at = 0;

	if (len > 2 * NAME_MAX_BYTES)
		return "the name is too long";
	buf_init(&name, 2 * NAME_MAX_BYTES);
	while (at < len) {
		size_t blanks = strspn(text + at, " ");

		at += blanks;
		if (at >= len)
			break;
		if (blanks && name.len)
			buf_add_text(&name, " ");
		size_t word = read_word(text + at, len - at, &name);

		if (!word) {
			buf_clear(&name);
			return "the name has a character that needs quotes";
		}
		at += word;
	}
	size_t bytes = name.len;

	if (bytes)
		a->name = buf_take(&name, NULL);
	buf_clear(&name);
	return bytes > NAME_MAX_BYTES ? "the name is longer than 256 bytes" : NULL;
}

/* The first '<' outside quotes, or len. */
static size_t find_angle(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && text[at] != '<') {
		size_t quoted = quoted_len(text + at, len - at);

		at += quoted ? quoted : 1;
	}
	return at;
}

/* text is NUL-ended behind len. */
static const char *read_address(const char *text, size_t len, struct address *a)
{
	if (!text_is_utf8(text, len))
		return "it is not UTF-8";
	if (!text_is_one_line(text, len))
		return "it has a control character";
	for (; len && text[len - 1] == ' '; len--)
		;
	for (; len && text[0] == ' '; len--)
		text++;
	if (!len)
		return "it is empty";
	size_t angle = find_angle(text, len);

	if (angle == len)
		return read_mailbox(text, len, a);
	if (text[len - 1] != '>')
		return "something stands behind the '>', or there is none";
	const char *why = read_name(text, angle, a);

	return why ? why : read_mailbox(text + angle + 1, len - angle - 2, a);
}

int address_parse(const char *text, size_t len, struct address *ret, struct failure *f)
{
	struct address a = {0};
	char *copy = xmemdup(text, len);
	const char *why = read_address(copy, len, &a);

	free(copy);
	if (!why) {
		*ret = a;
		return 0;
	}
	char shown[100];

	address_clear(&a);
	text_safe_line(shown, sizeof(shown), text, len);
	return failure_set(f, FAILURE_REFUSED, "'%s' is not a mail address: %s", shown, why);
}

void address_clear(struct address *a)
{
	free(a->name);
	free(a->mailbox);
	free(a->ascii);
	*a = (struct address){0};
}

bool address_looks_like(const char *text)
{
	return strchr(text, '@') != NULL;
}

bool address_equal(const struct address *a, const struct address *b)
{
	/* a quoted local part may hold an '@', a domain may not */
	const char *a_domain = strrchr(a->ascii, '@');
	const char *b_domain = strrchr(b->ascii, '@');
	size_t local = (size_t)(a_domain - a->ascii);

	return local == (size_t)(b_domain - b->ascii) && !memcmp(a->ascii, b->ascii, local) &&
	       text_equal_nocase(a_domain, b_domain);
}
