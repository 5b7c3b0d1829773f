/* rules/note.c - decides what stands around the words of a rule: addresses, subject,
 * thread, marker, how long it is tried. */
#include "rules/note.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "message/letter.h"
#include "message/parse.h"
#include "queue/mailing.h"
#include "queue/queue.h"
#include "rules/audience.h"
#include "rules/received.h"
#include "text.h"
#include "transport/transport.h"

#define MAIL_LIFE_MS (4LL * 24 * 60 * 60 * 1000)
#define TEXT_LIFE_MS (4LL * 60 * 60 * 1000)
#define REFERENCES_KEPT 20
#define REFERENCE_MAX 300
#define SUBJECT_MAX 900
#define TEXT_MAX 1200 /* octets of a text message */
#define HEAD_MAX 400  /* of a forwarded mail, in a text message */

enum { PRIORITY_URGENT = 0, PRIORITY_NORMAL = 2 };

/* ---- the conversation ---- */

static bool is_id(const char *id)
{
	size_t len = strlen(id);

	return len && len <= REFERENCE_MAX && text_is_ascii(id, len) && text_is_one_line(id, len) &&
	       !strpbrk(id, " <>");
}

static void add_reference(struct buf *out, const char *id)
{
	if (is_id(id))
		buf_printf(out, "%s<%s>", out->len ? " " : "", id);
}

/* RFC 5322 3.6.4: its references, or what it answers, and itself. The first and the
 * newest are kept of a long conversation. */
static char *references_of(const struct parsed *mail)
{
	struct buf out;
	size_t n = 0;

	buf_init(&out, (REFERENCES_KEPT + 3) * (REFERENCE_MAX + 3));
	while (mail->references && mail->references[n])
		n++;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || i + REFERENCES_KEPT > n)
			add_reference(&out, mail->references[i]);
	if (!n && mail->in_reply_to)
		add_reference(&out, mail->in_reply_to);
	if (mail->message_id)
		add_reference(&out, mail->message_id);
	char *text = out.len ? buf_take(&out, NULL) : NULL;

	buf_clear(&out);
	return text;
}

void thread_of(struct thread *t, const struct parsed *mail)
{
	bool named = mail->message_id && is_id(mail->message_id);

	*t = (struct thread){.subject = mail->subject ? xstrdup(mail->subject) : NULL,
			     .message_id = named ? xstrdup(mail->message_id) : NULL,
			     .references = references_of(mail)};
}

void thread_clear(struct thread *t)
{
	free(t->subject);
	free(t->message_id);
	free(t->references);
	*t = (struct thread){0};
}

static void put(json_t *object, const char *key, const char *value)
{
	json_t *text = value ? json_string(value) : NULL;

	if (text)
		json_object_set_new(object, key, text);
}

json_t *thread_to_json(const struct thread *t)
{
	json_t *object = json_object();

	put(object, "subject", t->subject);
	put(object, "message_id", t->message_id);
	put(object, "references", t->references);
	return object;
}

static char *get(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? xstrdup(value) : NULL;
}

void thread_from_json(struct thread *t, const json_t *object)
{
	*t = (struct thread){.subject = get(object, "subject"),
			     .message_id = get(object, "message_id"),
			     .references = get(object, "references")};
}

/* ---- the letter ---- */

static struct address address_copy(const struct address *a)
{
	return (struct address){.name = a->name ? xstrdup(a->name) : NULL,
				.mailbox = xstrdup(a->mailbox),
				.ascii = xstrdup(a->ascii),
				.needs_smtputf8 = a->needs_smtputf8};
}

static char *one_line(const char *text)
{
	char line[SUBJECT_MAX];

	return xstrdup(text_safe_line(line, sizeof(line), text, strlen(text)));
}

static char *subject_of(const struct note *note)
{
	const char *subject = note->answers ? note->answers->subject : note->subject;

	if (!note->answers)
		return subject ? one_line(subject) : NULL;
	while (subject && text_starts_nocase(subject, "re:"))
		subject += 3 + strspn(subject + 3, " \t");
	AUTO(free) char *whole = xprintf("Re: %s", subject ? subject : "");
	return one_line(whole);
}

static struct letter *make_letter(struct queue *q, const struct config *config,
				  const struct note *note)
{
	struct letter *l = letter_new();

	l->kind = LETTER_COMPOSED;
	l->date_ms = clock_wall_ms();
	l->from = address_copy(&config->from);
	l->to = xcalloc(note->to->nmail + 1, sizeof(*l->to));
	for (size_t i = 0; i < note->to->nmail; i++)
		l->to[l->nto++] = address_copy(&note->to->mail[i]);
	l->message_id = letter_make_message_id(&l->from, l->date_ms);
	l->boundary = letter_make_boundary();
	l->marker = xprintf("%s.%.*s", store_instance(queue_store(q)),
			    (int)strcspn(l->message_id, "@"), l->message_id);
	l->subject = subject_of(note);
	if (note->answers) {
		l->replied = true;
		l->in_reply_to =
			note->answers->message_id ? xstrdup(note->answers->message_id) : NULL;
		l->references =
			note->answers->references ? xstrdup(note->answers->references) : NULL;
	}
	l->has_text = true;
	return l;
}

static struct attachment *attach_one(struct letter *l, const char *name, size_t len)
{
	struct attachment *a = &l->attachments[l->nattachments++];

	a->name = attachment_name(name);
	a->type = xstrdup(attachment_type(name));
	a->size = len;
	return a;
}

static void attach(struct letter *l, const struct note *note)
{
	l->attachments = xcalloc(note->nmore + 1, sizeof(*l->attachments));
	if (note->attached_name)
		attach_one(l, note->attached_name, note->attached_len)->is_mail =
			note->attaches_mail &&
			attachment_is_mail(note->attached, note->attached_len);
	for (size_t i = 0; i < note->nmore; i++)
		attach_one(l, note->more[i].name, note->more[i].len);
}

/* The text, and what is attached behind it. */
static char *content_of(const struct note *note, size_t *ret_len)
{
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	buf_add_text(&out, note->text);
	if (note->attached_name)
		buf_add(&out, note->attached, note->attached_len);
	for (size_t i = 0; i < note->nmore; i++)
		buf_add(&out, note->more[i].bytes, note->more[i].len);
	return buf_take(&out, ret_len);
}

static void add(struct mailing *m, const struct letter *l, const struct note *note, char *content,
		size_t len, const struct delivery_row *rows, size_t n)
{
	AUTO(free) char *spec = letter_to_spec(l);
	struct message_row message = {
		.created_ms = l->date_ms,
		.uid = (uint32_t)geteuid(),
		.pid = (int32_t)getpid(),
		.digest = "",
		.sender = "",
		.subject = l->subject,
		.message_id = l->message_id,
		.priority = note->urgent ? PRIORITY_URGENT : PRIORITY_NORMAL,
		.spec = spec,
	};

	mailing_add(m, &message, content, len, rows, n);
}

static struct delivery_row delivery(const char *recipient, const char *route, int64_t now_ms,
				    int64_t life_ms)
{
	return (struct delivery_row){.recipient = recipient,
				     .route = route,
				     .state = STATE_QUEUED,
				     .next_ms = now_ms,
				     .expires_ms = now_ms + life_ms,
				     .changed_ms = now_ms,
				     .enhanced = "",
				     .text = "",
				     .transport = "",
				     .remote_id = ""};
}

static void add_mails(struct mailing *m, struct queue *q, const struct config *config,
		      const struct note *note)
{
	AUTO(letter_free) struct letter *l = make_letter(q, config, note);
	struct delivery_row *rows = xcalloc(note->to->nmail, sizeof(*rows));
	size_t len = 0;
	char *content = content_of(note, &len);

	l->text_size = strlen(note->text);
	if (note->attached_name || note->nmore)
		attach(l, note);
	for (size_t i = 0; i < note->to->nmail; i++)
		rows[i] = delivery(l->to[i].ascii, note->to->route ? note->to->route : "#mail",
				   l->date_ms, MAIL_LIFE_MS);
	add(m, l, note, content, len, rows, note->to->nmail);
	free(rows);
}

static void add_texts(struct mailing *m, struct queue *q, const struct config *config,
		      const struct note *note)
{
	AUTO(letter_free) struct letter *l = make_letter(q, config, note);
	struct delivery_row *rows = xcalloc(note->to->ntexts, sizeof(*rows));
	const char *text = note->short_text ? note->short_text : note->text;
	size_t len = text_whole(text, strnlen(text, TEXT_MAX));
	char *content = xstrndup(text, len);

	/* what answers a text says by itself what it answers */
	if (note->answers && !note->answers->message_id)
		free(TAKE(l->subject));
	l->text_size = len;
	for (size_t i = 0; i < note->to->ntexts; i++)
		rows[i] = delivery(note->to->texts[i], note->to->route ? note->to->route : "#sms",
				   l->date_ms, TEXT_LIFE_MS);
	add(m, l, note, content, len, rows, note->to->ntexts);
	free(rows);
}

/* Who is reached how, as things stand. */
static void settle_ways(struct audience *a, struct queue *q, const struct config *config)
{
	if (!a->ntexts || queue_carries(q, CARRIES_TEXTS))
		return;
	size_t n = a->ntexts, lost = audience_without_texts(a, config);

	log_warn(NULL,
		 "rules: no transport carries texts: %zu of %zu recipients get a mail instead",
		 n - lost, n);
}

static void add_ways(struct mailing *m, struct queue *q, const struct config *config,
		     const struct note *note)
{
	if (note->to->nmail)
		add_mails(m, q, config, note);
	if (note->to->ntexts)
		add_texts(m, q, config, note);
}

static void audience_copy(struct audience *ret, const struct audience *a)
{
	json_t *object = audience_to_json(a);

	audience_from_json(ret, object);
	json_decref(object);
}

void note_add(struct mailing *m, struct queue *q, const struct config *config,
	      const struct note *note)
{
	struct audience to;
	struct note settled = *note;

	audience_copy(&to, note->to);
	settle_ways(&to, q, config);
	settled.to = &to;
	add_ways(m, q, config, &settled);
	audience_clear(&to);
}

/* ---- a mail that goes on ---- */

static char *without_proof(const struct received *what, const char *text)
{
	char *copy = xstrdup(text ? text : "");

	command_line_redact(&what->command, copy);
	return copy;
}

/* Beside the subject. */
static char *head_of(const struct received *what)
{
	const struct parsed *mail = what->mail;
	AUTO(free) char *text = without_proof(what, mail->text);
	const char *from = mail->from.n ? mail->from.at[0].address : "?";
	size_t len = strlen(text);
	char head[HEAD_MAX];

	while (len && strchr(" \n", text[len - 1]))
		text[--len] = '\0';
	for (char *end = text; (end = strchr(end, '\n'));)
		*end = ' ';
	return xprintf("%s: %s", from, text_safe_line(head, sizeof(head), text, len));
}

static void forward_mail(struct mailing *m, struct queue *q, const struct config *config,
			 const struct audience *to, const struct received *what)
{
	const struct parsed *mail = what->mail;
	AUTO(free) char *title = without_proof(what, mail->subject);
	AUTO(free) char *subject = xprintf("Fwd: %s", title);
	AUTO(free) char *head = head_of(what);
	AUTO(free)
	char *text = xprintf("A mail from %s, as it came, is attached.\n",
			     mail->from.n ? mail->from.at[0].address : "nobody who can be read");
	struct note note = {.to = to,
			    .subject = subject,
			    .text = text,
			    .short_text = head,
			    .attached_name = "forwarded.eml",
			    .attaches_mail = true,
			    .attached = mail->bytes,
			    .attached_len = mail->len};

	note_add(m, q, config, &note);
}

static void forward_text(struct mailing *m, struct queue *q, const struct config *config,
			 const struct audience *to, const struct received *what)
{
	const struct contact_config *contact = match_sender(config, &what->in);
	AUTO(free) char *body = xstrdup(what->body);
	AUTO(free)
	char *subject = contact ? xprintf("Text from %s (%s)", contact->name, what->from)
				: xprintf("Text from %s", what->from);
	AUTO(free) char *head = NULL;

	command_line_redact(&what->command, body);
	head = xprintf("%s: %s", contact ? contact->name : what->from, body);
	note_add(m, q, config,
		 &(struct note){.to = to,
				.subject = subject,
				.text = body,
				.short_text = head,
				.more = what->attachments,
				.nmore = what->nattachments});
}

void note_add_forward(struct mailing *m, struct queue *q, const struct config *config,
		      const struct audience *to, const struct received *what)
{
	if (what->mail)
		forward_mail(m, q, config, to, what);
	else
		forward_text(m, q, config, to, what);
}
