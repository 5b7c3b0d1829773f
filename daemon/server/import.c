/* server/import.c - decides when to look into the drop directory, how many mails are
 * under way at a time, and what becomes of a file after the answer. A file is removed only
 * when its mail is on disk; until then its key sees to it that it is not sent twice. */
#include "server/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/folder.h"
#include "base/worker.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "server/drop_file.h"
#include "server/drop_talk.h"
#include "server/import_notice.h"
#include "server/interface.h"
#include "server/room.h"

#define LOOK_MS (60 * 1000) /* also without being told of an arrival */
#define MAILS_MAX 8         /* under way at a time */
#define REFUSED_MAX 50      /* recipients of a mail; with more it goes to nobody */

struct look {
	struct job job; /* first */
	struct import *import;
	char **names; /* owned, of n; from at on not begun */
	size_t n, at;
	bool more;
};

enum deed { DEED_READ, DEED_REMOVE, DEED_ASIDE };

struct mail {
	struct job job; /* first */
	struct import *import;
	const char *name; /* the look's */
	enum deed deed;
	uint64_t max_bytes;
	struct drop_mail content;
	struct drop_talk *talk;  /* owned; or NULL */
	struct refused *refused; /* owned, of nrefused: recipients left out */
	size_t nrefused;
	char aside[64];
	struct failure why;        /* of the deed */
	struct failure refusal;    /* why it is set aside */
	struct mail *next, **link; /* of the import */
};

struct import {
	struct server *server;
	struct drop drop; /* owned */
	struct folder folder;
	struct deadline again;
	struct worker *worker; /* owned */
	struct look look;
	bool looking, arrived, stopping;
	struct mail *mails; /* owned, of struct mail, by .next */
	unsigned running;
	size_t imported, put_away, stayed; /* since the look */
	struct log log;
};

static void look_soon(struct import *i);
static void go_on(struct import *i);

/* ---- one file ---- */

static void deed_run(struct job *job)
{
	struct mail *m = (struct mail *)job;
	const struct drop *drop = &m->import->drop;

	switch (m->deed) {
	case DEED_READ:
		drop_read(drop, m->name, m->max_bytes, &m->content, &m->why);
		break;
	case DEED_REMOVE:
		drop_remove(drop, m->name, &m->why);
		break;
	case DEED_ASIDE:
		drop_set_aside(drop, m->name, m->aside, &m->why);
		break;
	}
}

static void mail_free(struct mail *m)
{
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
	m->import->running--;
	drop_talk_free(m->talk);
	for (size_t i = 0; i < m->nrefused; i++) {
		free(m->refused[i].recipient);
		free(m->refused[i].reason);
	}
	free(m->refused);
	drop_mail_clear(&m->content);
	free(m);
}

static void mail_end(struct mail *m)
{
	struct import *i = m->import;

	mail_free(m);
	go_on(i);
}

static void do_deed(struct mail *m, enum deed deed)
{
	m->deed = deed;
	m->why = (struct failure){0};
	worker_do(m->import->worker, &m->job);
}

static void set_aside(struct mail *m, const char *reason)
{
	failure_set(&m->refusal, FAILURE_REFUSED, "%s", reason);
	do_deed(m, DEED_ASIDE);
}

/* It stays where it is; so does all that the look has found besides. */
static void leave(struct mail *m, const char *reason)
{
	struct import *i = m->import;

	log_warn(&i->log, "%s waits in the drop directory: %s", m->name, reason);
	i->look.at = i->look.n;
	mail_end(m);
}

/* It stays, and the others go on: for one who may send no more just now. */
static void stay(struct mail *m, const char *reason)
{
	struct import *i = m->import;

	if (i->stayed++ == 0)
		log_warn(&i->log, "%s waits in the drop directory: %s", m->name, reason);
	mail_end(m);
}

static const char *reason_of(const char *error, json_t *parameters)
{
	const char *reason = json_string_value(json_object_get(parameters, "reason"));

	return reason ? reason : error;
}

static bool is_error(const char *error, enum error_id id)
{
	return strcmp(error, interface_error(id)->name) == 0;
}

/* Was there no room, for now, for anybody's mail? */
static bool is_full(const char *error, json_t *parameters)
{
	const char *field = json_string_value(json_object_get(parameters, "field"));

	if (!error)
		return false;
	if (is_error(error, ERROR_NOT_STORED) || is_error(error, ERROR_NO_TRANSPORT))
		return true;
	return is_error(error, ERROR_OVER_LIMIT) && field &&
	       (strcmp(field, "queue") == 0 || strcmp(field, "queue_bytes") == 0);
}

/* Has its owner no share left, for now? What is too large for ever has no time in its
 * answer. */
static bool is_over_share(const char *error, json_t *parameters)
{
	const char *field = json_string_value(json_object_get(parameters, "field"));

	return error && is_error(error, ERROR_OVER_LIMIT) &&
	       (json_object_get(parameters, "free") ||
		(field && strcmp(field, "connections") == 0));
}

/* true: the answer is none, or no room for now, and the mail stays where it is. */
static bool waits(struct mail *m, const char *error, json_t *parameters)
{
	if (!error && !parameters)
		leave(m, "there was no answer");
	else if (is_full(error, parameters))
		leave(m, reason_of(error, parameters));
	else if (is_over_share(error, parameters))
		stay(m, reason_of(error, parameters));
	else
		return false;
	return true;
}

/* ---- what its sender is told ---- */

static void refuse(struct mail *m, size_t at, const char *reason)
{
	struct spool *s = &m->content.spool;

	m->refused = xrealloc(m->refused, (m->nrefused + 1) * sizeof(*m->refused));
	m->refused[m->nrefused++] =
		(struct refused){.recipient = s->recipients[at], .reason = xstrdup(reason)};
	s->nrecipients--;
	memmove(s->recipients + at, s->recipients + at + 1,
		(s->nrecipients - at) * sizeof(*s->recipients));
}

/* Of a notice that was given before its key tells. */
static void told(void *ctx, const char *error, json_t *parameters)
{
	struct mail *m = ctx;

	if (waits(m, error, parameters))
		return;
	if (error && !is_error(error, ERROR_KEY_CONFLICT))
		set_aside(m, m->refused[0].reason);
	else
		do_deed(m, DEED_REMOVE);
}

/* In the name of its owner, who may write to the sender or may not. */
static void tell_sender(struct mail *m)
{
	struct import *i = m->import;
	json_t *notice =
		import_notice(&m->content, &i->server->config->from, m->refused, m->nrefused);

	if (!notice) {
		set_aside(m, m->refused[0].reason);
		return;
	}
	log_info(&i->log, "%s of the drop directory: its sender is told that %s: %s", m->name,
		 m->refused[0].recipient, m->refused[0].reason);
	drop_talk_free(m->talk);
	m->talk = drop_talk_new(i->server, &m->content.caller, "io.nuncio.Submit", notice, -1, told,
				m);
	if (!m->talk)
		leave(m, strerror(errno));
}

/* ---- submitting ---- */

static void submit(struct mail *m);

/* One recipient is none: the others get it. */
static void refuse_one(struct mail *m, json_t *parameters)
{
	const char *field = json_string_value(json_object_get(parameters, "field"));
	size_t at;

	if (!field || sscanf(field, "to[%zu]", &at) != 1 || at >= m->content.spool.nrecipients) {
		set_aside(m, reason_of("it is refused", parameters));
		return;
	}
	refuse(m, at, reason_of("it is refused", parameters));
	if (!m->content.spool.nrecipients)
		tell_sender(m);
	else if (m->nrefused == REFUSED_MAX)
		set_aside(m, "too many of its recipients are none");
	else
		submit(m);
}

static void answered(void *ctx, const char *error, json_t *parameters)
{
	struct mail *m = ctx;

	CRASH_POINT("import.answered");
	if (waits(m, error, parameters))
		return;
	if (!error && m->nrefused)
		tell_sender(m);
	else if (!error)
		do_deed(m, DEED_REMOVE);
	else if (is_error(error, ERROR_BAD_RECIPIENT))
		refuse_one(m, parameters);
	else
		set_aside(m, reason_of(error, parameters));
}

static void add_text(json_t *request, const char *name, const char *value)
{
	if (value)
		json_object_set_new(request, name, json_string(value));
}

static json_t *make_request(const struct spool *spool)
{
	json_t *to = json_array();
	json_t *request =
		json_pack("{s:o, s:i, s:s}", "to", to, "descriptor", 0, "key", spool->key);

	for (size_t i = 0; i < spool->nrecipients; i++)
		json_array_append_new(to, json_string(spool->recipients[i]));
	add_text(request, "from", spool->sender);
	add_text(request, "notify", spool->notify);
	add_text(request, "ret", spool->ret);
	add_text(request, "envid", spool->envid);
	return request;
}

static void submit(struct mail *m)
{
	drop_talk_free(m->talk);
	m->talk = drop_talk_new(m->import->server, &m->content.caller, "io.nuncio.Submit",
				make_request(&m->content.spool), m->content.memfd, answered, m);
	if (!m->talk)
		leave(m, strerror(errno));
}

static void read_done(struct mail *m)
{
	if (m->why.kind == FAILURE_NONE)
		submit(m);
	else if (m->why.kind == FAILURE_REFUSED)
		set_aside(m, m->why.text);
	else
		leave(m, m->why.text);
}

static void put_away(struct mail *m)
{
	struct import *i = m->import;

	if (m->why.kind != FAILURE_NONE) {
		leave(m, m->why.text);
		return;
	}
	i->put_away++;
	if (m->deed == DEED_REMOVE)
		i->imported++;
	else
		log_warn(&i->log, "%s of the drop directory is now rejected/%s: %s", m->name,
			 m->aside, m->refusal.text);
	mail_end(m);
}

static void deed_done(struct job *job)
{
	struct mail *m = (struct mail *)job;

	if (m->import->stopping)
		mail_end(m);
	else if (m->deed == DEED_READ)
		read_done(m);
	else
		put_away(m);
}

static void begin(struct import *i, const char *name)
{
	struct mail *m = xcalloc(1, sizeof(*m));

	m->job = (struct job){.run = deed_run, .done = deed_done};
	m->import = i;
	m->name = name;
	m->max_bytes = i->server->config->max_message_bytes;
	m->content.memfd = -1;
	m->next = i->mails;
	m->link = &i->mails;
	if (m->next)
		m->next->link = &m->next;
	i->mails = m;
	i->running++;
	do_deed(m, DEED_READ);
}

/* ---- looking ---- */

static void look_clear(struct look *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
	l->names = NULL;
	l->n = l->at = 0;
}

static void look_over(struct import *i)
{
	/* what could not be put away would be found again at once */
	bool again = i->arrived || ((i->look.more || i->stayed) && i->put_away);

	if (i->imported)
		log_info(&i->log, "%zu mails came from the drop directory", i->imported);
	look_clear(&i->look);
	i->looking = i->arrived = false;
	if (again)
		look_soon(i);
	else
		deadline_set(&i->again, LOOK_MS);
}

static void go_on(struct import *i)
{
	struct look *l = &i->look;

	while (!i->stopping && i->running < MAILS_MAX && l->at < l->n)
		begin(i, l->names[l->at++]);
	if (!i->stopping && i->looking && !i->running)
		look_over(i);
}

static void look_run(struct job *job)
{
	struct look *l = (struct look *)job;

	l->n = drop_list(&l->import->drop, clock_wall_ms(), &l->names, &l->more);
}

static void looked(struct job *job)
{
	go_on(((struct look *)job)->import);
}

static void look_soon(struct import *i)
{
	i->arrived = i->looking;
	if (i->looking || i->stopping)
		return;
	i->looking = true;
	i->imported = i->put_away = i->stayed = 0;
	deadline_unset(&i->again);
	worker_do(i->worker, &i->look.job);
}

static void arrived(void *ctx)
{
	look_soon(ctx);
}

/* ---- the door ---- */

static void watch_drop(struct import *i, const char *state)
{
	AUTO(free) char *path = xprintf("%s/drop", state);

	if (folder_watch(&i->folder, i->server->loop, path, arrived, i) < 0)
		log_warn(&i->log, "%s is looked at every minute, as it can't be watched: %s", path,
			 strerror(errno));
}

int import_new(struct server *s, const char *state, struct import **ret, struct failure *f)
{
	struct import *i = xcalloc(1, sizeof(*i));
	bool mode_missing;

	i->server = s;
	i->folder.fd = -1;
	log_init(&i->log, "import");
	if (drop_open(&i->drop, state, &mode_missing, f) < 0) {
		free(i);
		return -1;
	}
	if (mode_missing)
		log_warn(&i->log,
			 "%s/drop can't be given mode 3733: other users' mails wait for "
			 "someone who can",
			 state);
	i->worker = worker_new(s->loop, "import", 1, NULL, NULL);
	i->look.job = (struct job){.run = look_run, .done = looked};
	i->look.import = i;
	deadline_init(&i->again, s->loop, arrived, i);
	watch_drop(i, state);
	look_soon(i);
	*ret = i;
	return 0;
}

void import_stop(struct import *i)
{
	if (!i)
		return;
	i->stopping = true;
	folder_clear(&i->folder);
	deadline_unset(&i->again);
}

void import_free(struct import *i)
{
	if (!i)
		return;
	import_stop(i);
	worker_free(i->worker);
	while (i->mails)
		mail_free(i->mails);
	look_clear(&i->look);
	deadline_clear(&i->again);
	drop_close(&i->drop);
	free(i);
}
