/* server/rights.h - who may do what: the rows of `access` against the caller the
 * kernel vouches for. Pure. */
#ifndef NUNCIO_SERVER_RIGHTS_H
#define NUNCIO_SERVER_RIGHTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
struct address;
struct config;

struct caller_group {
	gid_t gid;
	char *name; /* owned, or NULL: it has none */
};
struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool trusted;                /* root, or the daemon's own user: may do everything */
	bool named;                  /* user and groups were looked up */
	char *user;                  /* owned, or NULL: it has no name */
	struct caller_group *groups; /* owned; the primary one too */
	size_t ngroups;
};
void caller_clear(struct caller *c);

/* Do the rows ask for names or groups, so that callers must be looked up? */
bool rights_need_names(const struct config *config);
/* Of enum right. Without any row: Send and Submit, for everyone. */
unsigned rights_of(const struct config *config, const struct caller *caller);
/* How much, by the rows that let the caller send; 0: as much as it likes. */
struct allowance {
	uint32_t messages;    /* in an hour */
	uint64_t bytes;       /* in an hour */
	unsigned connections; /* at a time */
};
struct allowance rights_allowance(const struct config *config, const struct caller *caller);
/* May the caller, by this right, send to an address or number (in its ASCII form)? */
bool rights_allow_to(const struct config *config, const struct caller *caller, unsigned right,
		     const char *recipient);
/* May the caller write under this address? The default one: always. */
bool rights_allow_from(const struct config *config, const struct caller *caller,
		       const struct address *from);
#endif
