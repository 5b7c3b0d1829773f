/* mailbox/imap_deed.c - what becomes of a mail, by its UID alone: flags, another folder,
 * deleted. A bare EXPUNGE would delete what others marked: it is never said. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/mailbox_config.h"
#include "mailbox/imap_steps.h"
#include "text.h"

static void finish(struct imap *m, const struct failure *why)
{
	imap_deed_finish(m->options.deeds, TAKE(m->deed), why);
	imap_go_on(m);
}

static void finish_refused(struct imap *m, const struct imap_reply *reply)
{
	struct failure why;

	if (text_equal_nocase(reply->code, "EXPUNGEISSUED")) {
		finish(m, NULL); /* it is there no more */
		return;
	}
	failure_set(&why, imap_is_passing(reply) ? FAILURE_LATER : FAILURE_REFUSED, "%s%.180s",
		    text_equal_nocase(reply->code, "TRYCREATE") ? "no such folder: " : "",
		    *reply->text ? reply->text : "the server says no");
	finish(m, &why);
}

/* --- which step is first --- */

static const struct {
	const char *target, *flag;
} flags[] = {
	{"seen", "\\Seen"},
	{"flagged", "\\Flagged"},
	{"answered", "\\Answered"},
};

static const char *flag_of(const struct imap_deed *deed)
{
	if (deed->deed != MAIL_FLAG)
		return "\\Deleted";
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (text_equal_nocase(deed->target, flags[i].target))
			return flags[i].flag;
	return deed->target;
}

static enum imap_step way_of_moving(const struct imap *m)
{
	return imap_can(m, IMAP_EXT_MOVE) ? STEP_MOVE : STEP_COPY;
}

/* -1: it can't be done at all. */
static int first_step(struct imap *m, enum imap_step *ret, struct failure *f)
{
	const struct imap_deed *deed = m->deed;
	const char *flag;

	if (deed->fetch) {
		*ret = STEP_READ;
		return 0;
	}
	if (m->read_only)
		return failure_set(f, FAILURE_REFUSED, "%s can only be read", m->config->folder);
	if (deed->deed == MAIL_MOVE) {
		if (!deed->target || !*deed->target)
			return failure_set(f, FAILURE_REFUSED, "no folder to move it to");
		*ret = *deed->target == '\\' ? STEP_FIND : way_of_moving(m);
		if (deed->copied)
			*ret = STEP_MARK;
		return 0;
	}
	if (deed->deed == MAIL_FLAG && !deed->target)
		return failure_set(f, FAILURE_REFUSED, "no flag");
	flag = flag_of(deed);
	if (!imap_is_atom(*flag == '\\' && flag != deed->target ? flag + 1 : flag))
		return failure_set(f, FAILURE_REFUSED, "no flag can be called '%.60s'", flag);
	*ret = STEP_MARK;
	return 0;
}

/* False: it is there no more, or was never here. */
static bool is_here(struct imap *m)
{
	const struct imap_deed *deed = m->deed;

	if (deed->home && deed->home != m->options.place->home) {
		log_warn(&m->log, "a mail of the account or folder this mailbox was before "
				  "stays as it is");
		return false;
	}
	return deed->validity == m->validity && deed->uid != 0;
}

bool imap_deed_begin(struct imap *m)
{
	struct failure why;
	enum imap_step step = STEP_PAUSE;

	while (!m->deed && (m->deed = imap_deeds_take(m->options.deeds))) {
		free(TAKE(m->folder));
		if (!is_here(m)) {
			imap_deed_finish(m->options.deeds, TAKE(m->deed), NULL);
		} else if (first_step(m, &step, &why) < 0) {
			imap_deed_finish(m->options.deeds, TAKE(m->deed), &why);
		} else {
			imap_step_to(m, step);
			return true;
		}
	}
	return false;
}

static void begin_uid(struct imap *m, const char *command)
{
	imap_begin(m, command);
	buf_printf(&m->out.bytes, " %u", (unsigned)m->deed->uid);
}

/* --- moving --- */

/* A folder by its use (RFC 6154); servers tell it to those who ask, or to all. */
void imap_say_find(struct imap *m)
{
	bool ask = imap_can(m, IMAP_EXT_SPECIAL_USE) && imap_can(m, CAP_LIST_EXTENDED);

	imap_say_simple(m, ask ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)" : "LIST \"\" \"*\"");
}

void imap_deed_data(struct imap *m, const struct imap_reply *reply)
{
	const char *at = reply->words, *word;
	size_t len;

	if (reply->kind == IMAP_FETCH && m->step == STEP_READ && reply->uid == m->deed->uid)
		m->deed->found |= imap_mail_hear(&m->deed->mail, reply, &m->parser,
						 m->options.max_mail_bytes);
	if (reply->kind != IMAP_LIST || m->step != STEP_FIND || m->folder)
		return;
	while ((word = imap_next_word(&at, &len)))
		if (strlen(m->deed->target) == len &&
		    strncasecmp(word, m->deed->target, len) == 0) {
			m->folder = xstrdup(reply->name);
			return;
		}
}

void imap_hear_find(struct imap *m, const struct imap_reply *reply)
{
	struct failure why;

	if (reply->status != IMAP_OK) {
		finish_refused(m, reply);
	} else if (!m->folder) {
		failure_set(&why, FAILURE_REFUSED, "no folder is for %s", m->deed->target);
		finish(m, &why);
	} else {
		imap_step_to(m, way_of_moving(m));
	}
}

static void say_to_folder(struct imap *m, const char *command)
{
	struct failure why;
	int bad;

	begin_uid(m, command);
	buf_add_text(&m->out.bytes, " ");
	/* m->folder came from the wire and goes back as it is */
	if (m->folder)
		bad = imap_add_string(&m->out, IMAP_LITERALS_WAIT, m->folder, strlen(m->folder));
	else
		bad = imap_add_folder(&m->out, m->deed->target, m->utf8);
	if (!bad) {
		imap_say(m);
		return;
	}
	m->tag--;
	imap_command_wipe(&m->out);
	failure_set(&why, FAILURE_REFUSED, "no folder can be called so");
	finish(m, &why);
}

void imap_say_copy(struct imap *m)
{
	say_to_folder(m, "UID COPY");
}

void imap_hear_copy(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK) {
		finish_refused(m, reply);
		return;
	}
	m->deed->copied = true;
	imap_step_to(m, STEP_MARK);
}

void imap_say_move(struct imap *m)
{
	say_to_folder(m, "UID MOVE");
}

/* --- flags, and the end --- */

void imap_say_mark(struct imap *m)
{
	begin_uid(m, "UID STORE");
	buf_printf(&m->out.bytes, " +FLAGS.SILENT (%s)", flag_of(m->deed));
	imap_say(m);
}

/* Without UIDPLUS it stays marked: to delete it alone is not possible. */
void imap_hear_mark(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		finish_refused(m, reply);
	else if (m->deed->deed != MAIL_FLAG && imap_can(m, IMAP_EXT_UIDPLUS))
		imap_step_to(m, STEP_EXPUNGE);
	else
		finish(m, NULL);
}

void imap_say_expunge(struct imap *m)
{
	begin_uid(m, "UID EXPUNGE");
	imap_say(m);
}

void imap_hear_deed(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		finish_refused(m, reply);
	else
		finish(m, NULL);
}

/* --- reading one again --- */

void imap_say_read(struct imap *m)
{
	begin_uid(m, "UID FETCH");
	buf_add_text(&m->out.bytes, " ");
	m->deed->asked = m->deed->mail.want;
	imap_parser_allow(&m->parser, imap_mail_ask(&m->out.bytes, m->deed->mail.want,
						    m->options.max_mail_bytes));
	imap_say(m);
}

void imap_hear_read(struct imap *m, const struct imap_reply *reply)
{
	struct imap_deed *deed = m->deed;

	if (reply->status != IMAP_OK) {
		finish_refused(m, reply);
		return;
	}
	if (deed->mail.want == deed->asked) /* nothing came: it is gone */
		deed->found = false;
	if (deed->found && deed->mail.want != IMAP_WANT_NOTHING)
		imap_step_to(m, STEP_READ);
	else
		finish(m, NULL);
}
