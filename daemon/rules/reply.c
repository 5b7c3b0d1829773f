/* rules/reply.c - words, and to which of a contact's stored addresses they go. */
#include "rules/reply.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "log.h"
#include "queue/queue.h"
#include "rules/audience.h"
#include "rules/lockout.h"
#include "rules/note.h"
#include "rules/question.h"
#include "rules/received.h"
#include "rules/room.h"
#include "text.h"
#include "transport/transport.h"

/* A command may be long. */
#define COMMAND_SHOWN 2000
#define COMMAND_SHOWN_SHORT 60

static int shown(const char *command, size_t most)
{
	return (int)text_whole(command, strnlen(command, most));
}

void reply_refusal(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const struct received *what,
		   const char *why)
{
	const char *command = what->command.text ? what->command.text : "";
	struct audience to = {0};
	struct thread thread;

	AUTO(free)
	char *text = xprintf("%.*s\n\nThis was not obeyed: %s.\nNothing was run.\n",
			     shown(command, COMMAND_SHOWN), command, why);
	AUTO(free)
	char *short_text =
		xprintf("%.*s: not obeyed: %s", shown(command, COMMAND_SHOWN_SHORT), command, why);
	audience_add_contact(&to, config, contact, what->in.is_text ? BY_SMS : BY_MAIL);
	received_thread(what, &thread);
	note_add(m, e->queue, config,
		 &(struct note){
			 .to = &to, .answers = &thread, .text = text, .short_text = short_text});
	thread_clear(&thread);
	audience_clear(&to);
}

void reply_lockout(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const char *channel)
{
	struct audience to = {0};
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	AUTO(free)
	char *text =
		xprintf("Commands with %d wrong proofs came within 15 minutes, by %s, under "
			"the name of %s.\n\nUntil the last 15 minutes had fewer, no command "
			"of %s by %s is obeyed, also with the right proof. If these were not "
			"yours, %s.\n",
			LOCKOUT_STRIKES, channel, contact->name, contact->name, channel,
			strcmp(channel, "sms") == 0
				? "somebody can text under your number"
				: "somebody can write under your address: change its password");
	AUTO(free) char *subject = xprintf("nuncio on %s: %s is locked out", host, contact->name);
	audience_add_contact(&to, config, contact, BY_MAIL);
	note_add(m, e->queue, config,
		 &(struct note){.to = &to, .subject = subject, .text = text, .urgent = true});
	audience_clear(&to);
}

/* The code goes by the channel that the command did not come by, where there is one. */
static enum by other_channel(struct engine *e, const struct contact_config *contact,
			     const struct received *what)
{
	if (what->in.is_text)
		return contact->nmail ? BY_MAIL : BY_SMS;
	return contact->sms && queue_carries(e->queue, CARRIES_TEXTS) ? BY_SMS : BY_MAIL;
}

static char *question_text(const struct received *what, const char *command, const char *code)
{
	return xprintf(QUESTION_OPENING
		       "\n\n  %.*s\n\nTo have it obeyed, "
		       "send within 10 minutes %s\n\n%s%s\n\nIf it is not yours, do nothing.\n",
		       shown(command, COMMAND_SHOWN), command,
		       what->in.is_text ? "a text from your number that says:"
					: "a mail from your address with this line in its text:",
		       what->in.is_text ? "#" : "key: ", code);
}

int reply_question(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const struct received *what,
		   const char *code)
{
	const char *command = what->command.text ? what->command.text : "";
	struct audience to = {0};

	audience_add_contact(&to, config, contact, other_channel(e, contact, what));
	if (audience_is_empty(&to))
		return -1;
	AUTO(free) char *text = question_text(what, command, code);
	AUTO(free)
	char *short_text =
		xprintf("%s%s (10 min) confirms: %.*s", what->in.is_text ? "#" : "key: ", code,
			shown(command, COMMAND_SHOWN_SHORT), command);
	note_add(m, e->queue, config,
		 &(struct note){.to = &to,
				.subject = "Is this command yours?",
				.text = text,
				.short_text = short_text,
				.urgent = true});
	audience_clear(&to);
	return 0;
}
