/* rules/authres.c - does the mailbox's own provider vouch for the domain in From?
 *
 * Each station puts its lines on top of what it received, so that trust ends where the
 * sender's own lines begin. Going down from the top we stop at the first Received that was
 * not written by the provider (`received_by`; where that is not said, by the authserv-id
 * itself). Above it, the first Authentication-Results with the provider's id, and those
 * that follow without a gap, are its word.
 *
 * A sender can write such a line as the first of his mail, and then it stands right under
 * the genuine one. RFC 8601 5 wants providers to strip it; not all do. So the word ends
 * with the first line that judges the mail (SPF, DKIM, or DMARC other than "none"), or that
 * can't be read: a sender has ways to make it long or odd. What follows in the block may
 * only spoil. The genuine line is always the upper one.
 *
 * Alignment is stricter than RFC 7489 3.1: the signing domain is that of From, or one
 * above it with at least two labels. Who can publish keys in the parent owns the child
 * anyway, so this way round is safe without a public suffix list; the other one
 * (mail.example.com signs for example.com) is where such a list, its updates and libpsl
 * would be needed. Senders who do that publish DMARC, and the provider, who has the list,
 * then says dmarc=pass. */
#include "rules/authres.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "message/parse.h"
#include "text.h"

enum {
	BLOCK_MAX = 32, /* fields of it */
	NAME_SIZE = 256,
};

/* What the block said so far. */
struct word {
	char *domain; /* owned; of From, in A-labels */
	bool spoken;  /* a field of the provider was there */
	bool judged;  /* and one of them judged the mail: later ones only spoil */
	bool dmarc_pass, dmarc_fail, dkim_pass;
	char seen[120]; /* the results that count, for people */
};

static bool field_is(const struct mail_field *field, const char *name)
{
	return field->name_len == strlen(name) &&
	       strncasecmp(field->name, name, field->name_len) == 0;
}

/* Past a comment; its end where it does not end. */
static size_t comment_end(const char *text, size_t at, size_t len)
{
	size_t depth = 0;

	for (; at < len; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '(')
			depth++;
		else if (text[at] == ')' && --depth == 0)
			return at + 1;
	}
	return len;
}

/* The next word of a Received at *at; "" at its end or where its clauses end (';'). */
static void next_word(const struct mail_field *f, size_t *at, char word[NAME_SIZE])
{
	size_t n = 0;

	word[0] = '\0';
	while (*at < f->value_len &&
	       (isspace((unsigned char)f->value[*at]) || f->value[*at] == '('))
		*at = f->value[*at] == '(' ? comment_end(f->value, *at, f->value_len) : *at + 1;
	for (; *at < f->value_len && !isspace((unsigned char)f->value[*at]); ++*at) {
		if (strchr("(;", f->value[*at]))
			break;
		if (n + 1 < NAME_SIZE)
			word[n++] = f->value[*at];
	}
	word[n] = '\0';
}

/* Received: [from NAME] by NAME ...; a NAME that is "by" is none's. */
static void received_by(const struct mail_field *field, char name[NAME_SIZE])
{
	size_t at = 0;

	next_word(field, &at, name);
	if (text_equal_nocase(name, "from")) {
		next_word(field, &at, name);
		do
			next_word(field, &at, name);
		while (*name && !text_equal_nocase(name, "by"));
	}
	if (text_equal_nocase(name, "by"))
		next_word(field, &at, name);
	else
		name[0] = '\0';
}

static bool is_own_relay(const struct provider *provider, const struct mail_field *field)
{
	char name[NAME_SIZE];

	received_by(field, name);
	if (!*name)
		return false;
	if (!provider->received_by)
		return text_matches(provider->authserv, name);
	for (const char *const *relay = provider->received_by; *relay; relay++) {
		if (text_matches(*relay, name))
			return true;
	}
	return false;
}

static const char *property(const struct authres_result *result, const char *name)
{
	for (unsigned i = 0; i < result->n; i++) {
		if (text_equal_nocase(result->at[i].ptype, "header") &&
		    text_equal_nocase(result->at[i].property, name))
			return result->at[i].value;
	}
	return NULL;
}

/* The domain of "example.com", "@example.com" or "ana@example.com". */
static char *domain_of(const char *text)
{
	const char *at = strrchr(text, '@');

	text = at ? at + 1 : text;
	return domain_to_ascii(text, strlen(text));
}

static bool is_domain(const char *value, const char *domain)
{
	AUTO(free) char *ascii = value ? domain_of(value) : NULL;

	return ascii && strcmp(ascii, domain) == 0;
}

/* Does the signature of value's domain stand for domain? */
static bool is_aligned(const char *value, const char *domain)
{
	AUTO(free) char *signer = value ? domain_of(value) : NULL;
	size_t len = strlen(domain), signer_len = signer ? strlen(signer) : 0;

	if (!signer || signer_len > len)
		return false;
	if (signer_len == len)
		return strcmp(signer, domain) == 0;
	return strchr(signer, '.') && domain[len - signer_len - 1] == '.' &&
	       strcmp(domain + len - signer_len, signer) == 0;
}

static void note(struct word *word, const char *method, const char *result)
{
	size_t used = strlen(word->seen);
	char part[70];

	snprintf(part, sizeof(part), "%s%.20s=%.20s", used ? " " : "", method, result);
	if (used + strlen(part) < sizeof(word->seen))
		strcpy(word->seen + used, part);
}

static void hear_result(struct word *word, const struct authres_result *result, bool may_pass)
{
	bool passes = text_equal_nocase(result->result, "pass");
	bool is_dmarc = text_equal_nocase(result->method, "dmarc");
	bool is_dkim = text_equal_nocase(result->method, "dkim");
	const char *signer = property(result, "d");

	if (is_dmarc && text_equal_nocase(result->result, "fail"))
		word->dmarc_fail = true;
	if (!is_dmarc && !is_dkim && !text_equal_nocase(result->method, "spf"))
		return;
	if (!is_dmarc || !text_equal_nocase(result->result, "none"))
		word->judged = true;
	note(word, result->method, result->result);
	if (!may_pass || !passes)
		return;
	if (is_dmarc && is_domain(property(result, "from"), word->domain))
		word->dmarc_pass = true;
	if (is_dkim && is_aligned(signer ? signer : property(result, "i"), word->domain))
		word->dkim_pass = true;
}

/* The block, from the top of the header. */
static void hear_provider(const struct parsed *mail, const struct provider *provider,
			  struct word *word)
{
	struct authres *said = xmalloc(sizeof(*said));
	unsigned n = 0;

	for (size_t i = 0; i < mail->nfields && n < BLOCK_MAX; i++) {
		const struct mail_field *field = &mail->fields[i];
		bool is_results = field_is(field, "Authentication-Results");
		bool is_whole = is_results && authres_parse(field->value, field->value_len, said);
		bool is_said = is_results && *said->authserv &&
			       text_matches(provider->authserv, said->authserv);

		if (word->spoken && !is_said)
			break;
		if (field_is(field, "Received") && !is_own_relay(provider, field))
			break;
		if (!is_said)
			continue;
		bool may_pass = !word->judged;
		word->spoken = true;
		n++;
		if (!is_whole) {
			word->judged = true;
			note(word, "all", "unreadable");
			continue;
		}
		for (unsigned r = 0; r < said->n; r++)
			hear_result(word, &said->at[r], may_pass);
	}
	free(said);
}

static enum authres_verdict fail(struct failure *why, const char *sentence)
{
	failure_set(why, FAILURE_REFUSED, "%s", sentence);
	return AUTHRES_FAILED;
}

static enum authres_verdict conclude(const struct word *word, const struct provider *provider,
				     struct failure *why)
{
	if (!word->spoken) {
		failure_set(why, FAILURE_REFUSED,
			    "no Authentication-Results of %s stands where only it can write",
			    provider->authserv);
		return AUTHRES_SILENT;
	}
	if (!word->dmarc_fail && (word->dmarc_pass || word->dkim_pass)) {
		failure_set(why, FAILURE_NONE, "%s says %s=pass for %s", provider->authserv,
			    word->dmarc_pass ? "dmarc" : "dkim", word->domain);
		return AUTHRES_VOUCHED;
	}
	failure_set(why, FAILURE_REFUSED, "%s does not vouch for %s (%s)", provider->authserv,
		    word->domain, *word->seen ? word->seen : "no results");
	return AUTHRES_FAILED;
}

enum authres_verdict authres_judge(const struct parsed *mail, const struct provider *provider,
				   struct failure *why)
{
	struct word word = {0};

	if (mail->flaws & FLAW_TWO_FROM)
		return fail(why,
			    "a field that may stand once (From, Subject, Date, Content-Type ...) "
			    "stands twice");
	if (mail->flaws & FLAW_DOUBTFUL)
		return fail(why, "its header is broken: the provider may have read other fields");
	if ((mail->flaws & FLAW_FROM_LIST) || mail->from.n != 1)
		return fail(why, "From does not name exactly one address");
	if (!provider->authserv) {
		failure_set(why, FAILURE_SETUP,
			    "the mailbox does not say whom to believe: authserv");
		return AUTHRES_SILENT;
	}
	if (text_equal_nocase(provider->authserv, "none")) {
		failure_set(why, FAILURE_NONE, "nobody is asked: authserv is \"none\"");
		return AUTHRES_VOUCHED;
	}
	if (strchr(mail->from.at[0].address, '@'))
		word.domain = domain_of(mail->from.at[0].address);
	if (!word.domain)
		return fail(why, "the address in From has no valid domain");
	hear_provider(mail, provider, &word);
	enum authres_verdict verdict = conclude(&word, provider, why);
	free(word.domain);
	return verdict;
}
