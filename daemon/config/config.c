/* config/config.c - the whole way from a file to a counted, constant struct. */
#include "config/config.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "config/load.h"
#include "config/schema.h"
#include "failure.h"
#include "pattern.h"

struct config_file {
	char *path; /* owned */
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

static void take_files(struct config *config, const struct source *source)
{
	config->files = xcalloc(source->nfiles + 1, sizeof(*config->files));
	for (; config->nfiles < source->nfiles; config->nfiles++) {
		const struct source_file *file = &source->files[config->nfiles];

		config->files[config->nfiles] = (struct config_file){xstrdup(file->path), file->dev,
								     file->ino, file->changed};
	}
}

bool config_is_stale(const struct config *config)
{
	struct stat st;

	for (size_t i = 0; i < config->nfiles; i++) {
		const struct config_file *file = &config->files[i];

		if (stat(file->path, &st) < 0 || st.st_dev != file->dev || st.st_ino != file->ino ||
		    st.st_ctim.tv_sec != file->changed.tv_sec ||
		    st.st_ctim.tv_nsec != file->changed.tv_nsec)
			return true;
	}
	return false;
}

static void mailbox_clear(struct mailbox_config *mailbox)
{
	free(mailbox->fingerprint);
	free(mailbox->imap.host);
	free(mailbox->imap.hint);
}

static void rule_clear(struct rule_config *rule)
{
	pattern_free(rule->when.subject_pattern);
	pattern_free(rule->when.body_pattern);
	pattern_free(rule->when.command_pattern);
	for (size_t i = 0; i < rule->when.nheaders; i++)
		pattern_free(rule->when.headers[i].pattern);
	free(rule->dispose_folder);
}

static void config_free(struct config *config)
{
	for (size_t i = 0; i < config->ntransports; i++) {
		struct transport_config *transport = &config->transports[i];

		free(transport->fingerprint);
		free(transport->smtp.host);
		free(transport->smtp.hint);
	}
	for (size_t i = 0; i < config->nmailboxes; i++)
		mailbox_clear(&config->mailboxes[i]);
	for (size_t i = 0; i < config->nrules; i++)
		rule_clear(&config->rules[i]);
	load_clear(&schema_gateways, &config->gateways);
	load_clear(&schema_config, config);
	for (size_t i = 0; i < config->nfiles; i++)
		free(config->files[i].path);
	free(config->files);
	free(config->path);
	free(config);
}

int config_load(const char *path, const struct config **ret, config_problem_fn *also, void *ctx,
		struct failure *f)
{
	struct problems problems = {.also = also, .ctx = ctx};
	struct document doc = {0};
	struct config *config = xcalloc(1, sizeof(*config));

	config->references = 1;
	config->path = xstrdup(path);
	if (document_open(&doc, path, &problems) == 0) {
		take_files(config, &doc.source);
		check_region(&doc);
		load_group(&doc, config_root_setting(&doc.tree), &schema_config, config);
		if (!problems_any(&problems))
			check_config(&doc, config);
	}
	document_close(&doc);
	if (problems_any(&problems)) {
		config_free(config);
		if (f)
			*f = problems.first;
		return -1;
	}
	*ret = config;
	return 0;
}

/* The count is the one thing that changes in a loaded configuration. */
const struct config *config_ref(const struct config *config)
{
	((struct config *)config)->references++;
	return config;
}

void config_unref(const struct config *config)
{
	struct config *mine = (struct config *)config;

	if (!mine)
		return;
	assert(mine->references > 0);
	if (--mine->references == 0)
		config_free(mine);
}

const struct alias_config *config_alias(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->naliases; i++)
		if (!strcmp(config->aliases[i].name, name))
			return &config->aliases[i];
	return NULL;
}

const struct contact_config *config_contact(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->ncontacts; i++)
		if (!strcmp(config->contacts[i].name, name))
			return &config->contacts[i];
	return NULL;
}

const struct contact_config *config_owner(const struct config *config, const char *number)
{
	for (size_t i = 0; i < config->ncontacts; i++) {
		const struct contact_config *contact = &config->contacts[i];

		if (contact->sms && contact->nmail && strcmp(contact->sms, number) == 0)
			return contact;
	}
	return NULL;
}

const struct transport_config *config_transport(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->ntransports; i++)
		if (!strcmp(config->transports[i].name, name))
			return &config->transports[i];
	return NULL;
}

const struct mailbox_config *config_mailbox(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nmailboxes; i++)
		if (!strcmp(config->mailboxes[i].name, name))
			return &config->mailboxes[i];
	return NULL;
}

const struct rule_config *config_rule(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nrules; i++)
		if (!strcmp(config->rules[i].name, name))
			return &config->rules[i];
	return NULL;
}

const struct action_config *rule_run(const struct rule_config *rule)
{
	for (size_t i = 0; i < rule->nactions; i++)
		if (rule->actions[i].kind == ACTION_RUN)
			return &rule->actions[i];
	return NULL;
}

bool config_runs_programs(const struct config *config)
{
	for (size_t i = 0; i < config->nrules; i++)
		if (rule_run(&config->rules[i]))
			return true;
	return false;
}
