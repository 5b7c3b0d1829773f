/* config/secret_ref.h - where a secret is, and its value when it is needed. */
#ifndef NUNCIO_CONFIG_SECRET_REF_H
#define NUNCIO_CONFIG_SECRET_REF_H
#include <stddef.h>
struct failure;
struct secret;
struct secret_box;

struct secret_ref {
	enum { SECRET_NONE, SECRET_INLINE, SECRET_FILE, SECRET_CREDENTIAL, SECRET_COMMAND } kind;
	char *name;             /* path, the credential's name, or "transports.mail.password" */
	struct secret *value;   /* SECRET_INLINE */
	char **command;         /* the next too: SECRET_COMMAND; an argv, NULL-ended */
	char *place;            /* "FILE:LINE" */
	struct secret_box *box; /* owned; what the command said, once it did */
};

/* Reads the secret where it is now. SECRET_NONE: *ret = NULL. FAILURE_LATER: its command
 * has not answered yet. Caller frees. */
int secret_ref_get(const struct secret_ref *ref, struct secret **ret, struct failure *f);

/* Whoever has the commands run (only the runner runs any) says here what they said, or why
 * not; the value is copied. It is kept for as long as its configuration. */
void secret_ref_take(const struct secret_ref *ref, const char *value, size_t len);
void secret_ref_fail(const struct secret_ref *ref, const struct failure *why);
/* Somebody was refused with it: the command is asked again before the next use. Where it is
 * no command's, or never came: nothing. */
void secret_ref_doubt(const struct secret_ref *ref);
typedef void secret_doubted_fn(void *ctx, const struct secret_ref *ref);
void secret_ref_on_doubt(const struct secret_ref *ref, secret_doubted_fn *doubted, void *ctx);
#endif
