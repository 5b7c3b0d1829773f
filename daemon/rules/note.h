/* rules/note.h - a message that a rule sends: from the daemon, to an audience, by mail,
 * by text or both; made here, put on disk with the rest of its batch. */
#ifndef NUNCIO_RULES_NOTE_H
#define NUNCIO_RULES_NOTE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
struct audience;
struct config;
struct mail_attachment;
struct mailing;
struct parsed;
struct queue;
struct received;

/* The mail that is answered. */
struct thread {
	char *subject;    /* owned, or NULL */
	char *message_id; /* owned, or NULL; without <> */
	char *references; /* owned, or NULL: "<a@x> <b@x>" */
};
void thread_of(struct thread *t, const struct parsed *mail);
void thread_clear(struct thread *t);
json_t *thread_to_json(const struct thread *t);
void thread_from_json(struct thread *t, const json_t *object);

struct note {
	const struct audience *to;
	const struct thread *answers; /* its subject and place in the conversation; NULL: none */
	const char *subject;          /* where it answers nothing; NULL: none */
	const char *text;
	const char *short_text; /* for texts; NULL: as text */
	/* an attachment, or NULL */
	const char *attached_name, *attached;
	size_t attached_len;
	bool attaches_mail;                 /* that is a mail as it came */
	const struct mail_attachment *more; /* of nmore, besides that one or without it */
	size_t nmore;
	bool urgent;
};
/* One message for mails and one for texts. Where no transport carries texts, they go by
 * mail, which is logged. */
void note_add(struct mailing *m, struct queue *q, const struct config *config,
	      const struct note *note);
/* The whole mail as it came, attached to a few words; to those who read texts, its head. Of
 * a text what it says, and what came with it. No proof stands in head or text. */
void note_add_forward(struct mailing *m, struct queue *q, const struct config *config,
		      const struct audience *to, const struct received *what);
#endif
