/* config/secret_ref.c - where secrets are, and reading them when they are needed.
 * No sentence ever shows one. */
#include "config/secret_ref.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "config/document.h"
#include "config/secret_setting.h"
#include "config/value.h"
#include "failure.h"
#include "secret.h"
#include "text.h"

struct secret_box {
	struct secret *value; /* owned; NULL: not yet, or why */
	struct failure why;
	secret_doubted_fn *doubted;
	void *ctx;
};

#define COMMAND_MAX 64 /* elements */

static int read_inline(struct document *doc, const config_setting_t *setting,
		       struct secret_ref *ref)
{
	unsigned line;
	const struct source_file *file = document_file(doc, setting, &line);
	const char *text = config_setting_get_string(setting);

	if (!text[0]) {
		document_problem(doc, setting, "is empty");
		return -1;
	}
	if (file->mode & S_IROTH) {
		document_problem(doc, setting,
				 "a secret stands here and everyone may read the file: "
				 "chmod 0640 %s",
				 file->path);
		return -1;
	}
	ref->kind = SECRET_INLINE;
	ref->value = secret_new(text, strlen(text));
	return 0;
}

/* The file may come later; then only reading it fails. */
static void warn_of_file(struct document *doc, const config_setting_t *setting, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		document_warn(doc, setting, "%s cannot be read now: %s", path, strerror(errno));
	else if (st.st_mode & (S_IROTH | S_IWOTH))
		document_warn(doc, setting, "everyone may read or write %s: chmod 0640 %s", path,
			      path);
}

static bool is_credential_name(const char *name)
{
	return name[0] && name[0] != '.' && strlen(name) <= 255 &&
	       !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_.-")];
}

/* The element, or NULL: said in doc's problems. */
static const char *command_element(struct document *doc, const config_setting_t *command, int i)
{
	const char *text = config_setting_get_string_elem(command, i);

	if (!text || !text_is_utf8(text, strlen(text)) || !text_is_one_line(text, strlen(text)))
		document_problem(doc, command, "takes texts of one line");
	else if (i == 0 && text[0] != '/')
		document_problem(doc, command, "begins with the absolute path of a program");
	else
		return text;
	return NULL;
}

static int read_command(struct document *doc, const config_setting_t *setting,
			struct secret_ref *ref)
{
	const config_setting_t *command = config_setting_get_member(setting, "command");
	int n = config_setting_length(command);
	unsigned line;

	if (n < 1 || n > COMMAND_MAX) {
		document_problem(doc, command,
				 "takes a program and its arguments, like "
				 "[\"/usr/bin/pass\", \"show\", \"smtp\"]; %d at most",
				 COMMAND_MAX);
		return -1;
	}
	ref->kind = SECRET_COMMAND;
	ref->command = xcalloc((size_t)n + 1, sizeof(*ref->command));
	ref->box = xcalloc(1, sizeof(*ref->box));
	ref->name = document_name(setting);
	const struct source_file *file = document_file(doc, setting, &line);

	ref->place = xprintf("%s:%u", file->path, line);
	for (int i = 0; i < n; i++) {
		const char *text = command_element(doc, command, i);

		if (!text)
			return -1;
		ref->command[i] = xstrdup(text);
	}
	return 0;
}

static bool is_list(const config_setting_t *setting)
{
	return setting && (config_setting_is_array(setting) || config_setting_is_list(setting));
}

int secret_setting_read(struct document *doc, const config_setting_t *setting,
			const struct setting *row, void *place)
{
	struct secret_ref *ref = place;

	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return read_inline(doc, setting, ref);
	const char *path = setting_text(setting, "file");
	const char *credential = setting_text(setting, "credential");

	bool alone = config_setting_is_group(setting) && config_setting_length(setting) == 1;

	if (alone && is_list(config_setting_get_member(setting, "command")))
		return read_command(doc, setting, ref);
	if (!alone || (!path && !credential))
		return value_wrong(doc, setting, row);
	if (path && path[0] != '/') {
		document_problem(doc, setting, "file takes an absolute path, like \"/etc/secret\"");
		return -1;
	}
	if (credential && !is_credential_name(credential)) {
		document_problem(doc, setting,
				 "credential takes the name of a systemd credential: letters, "
				 "digits, _ . and -");
		return -1;
	}
	if (path)
		warn_of_file(doc, setting, path);
	ref->kind = path ? SECRET_FILE : SECRET_CREDENTIAL;
	ref->name = xstrdup(path ? path : credential);
	return 0;
}

void secret_setting_clear(void *place)
{
	struct secret_ref *ref = place;

	free(ref->name);
	secret_free(ref->value);
	free(ref->place);
	for (size_t i = 0; ref->command && ref->command[i]; i++)
		free(ref->command[i]);
	free(ref->command);
	if (ref->box)
		secret_free(ref->box->value);
	free(ref->box);
	*ref = (struct secret_ref){SECRET_NONE};
}

static int credential_get(const char *name, struct secret **ret, struct failure *f)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (!directory || directory[0] != '/')
		return failure_set(f, FAILURE_SETUP,
				   "credential %s: $CREDENTIALS_DIRECTORY is not set; the unit "
				   "needs LoadCredential=%s:FILE",
				   name, name);
	AUTO(free) char *path = xprintf("%s/%s", directory, name);

	if (secret_read_file(path, ret, f) < 0)
		return failure_wrap(f, "credential %s", name);
	return 0;
}

static int box_get(const struct secret_ref *ref, struct secret **ret, struct failure *f)
{
	const struct secret_box *box = ref->box;

	if (box->value) {
		*ret = secret_new(secret_bytes(box->value), secret_len(box->value));
		return 0;
	}
	*f = box->why;
	if (f->kind == FAILURE_NONE)
		failure_set(f, FAILURE_LATER, "%s: its command has not answered yet", ref->name);
	return -1;
}

void secret_ref_take(const struct secret_ref *ref, const char *value, size_t len)
{
	secret_free(ref->box->value);
	ref->box->value = secret_new(value, len);
}

void secret_ref_fail(const struct secret_ref *ref, const struct failure *why)
{
	secret_free(TAKE(ref->box->value));
	ref->box->why = *why;
}

void secret_ref_doubt(const struct secret_ref *ref)
{
	if (ref->kind != SECRET_COMMAND || !ref->box->value)
		return;
	secret_ref_fail(ref, &(struct failure){.kind = FAILURE_NONE});
	if (ref->box->doubted)
		ref->box->doubted(ref->box->ctx, ref);
}

void secret_ref_on_doubt(const struct secret_ref *ref, secret_doubted_fn *doubted, void *ctx)
{
	ref->box->doubted = doubted;
	ref->box->ctx = ctx;
}

int secret_ref_get(const struct secret_ref *ref, struct secret **ret, struct failure *f)
{
	switch (ref->kind) {
	case SECRET_NONE:
		*ret = NULL;
		return 0;
	case SECRET_INLINE:
		*ret = secret_new(secret_bytes(ref->value), secret_len(ref->value));
		return 0;
	case SECRET_FILE:
		return secret_read_file(ref->name, ret, f);
	case SECRET_CREDENTIAL:
		return credential_get(ref->name, ret, f);
	case SECRET_COMMAND:
		return box_get(ref, ret, f);
	}
	return failure_set(f, FAILURE_SETUP, "a secret is of no known kind");
}
