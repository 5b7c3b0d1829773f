/* runner/child.h - the last steps of this program's code in a run's process: who it is,
 * what it may use, what it sees; then it becomes the program. */
#ifndef NUNCIO_RUNNER_CHILD_H
#define NUNCIO_RUNNER_CHILD_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
struct action_config;
struct failure;

#define IDENTITY_GROUPS_MAX 256

/* Whom a program runs as. */
struct identity {
	bool switched; /* another than the runner's own */
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS_MAX];
	int ngroups;
	char *name, *home; /* owned */
};
/* user: a name or number; NULL: the runner's own. FAILURE_REFUSED: there is none such,
 * or only root's runner could become it. */
int identity_find(const char *user, struct identity *ret, struct failure *f);
void identity_clear(struct identity *who);

struct child {
	char *const *argv; /* this and the next: NULL-ended, not owned */
	char *const *environment;
	const struct identity *who;
	const char *directory;
	uint64_t memory; /* RLIMIT_AS; 0: none */
	int output;      /* becomes stdout and, unless there are errors, stderr */
	int errors;      /* becomes stderr; 0: none */
	int complain; /* closed on exec; struct child_complaint goes into it when there is none */
	int go;       /* a byte comes when the program may begin; its end: it may not; 0: at once */
	pid_t parent;
};
struct child_complaint {
	char step[32];
	int error; /* 0: it was not to begin */
};
_Noreturn void child_become(const struct child *c);
/* Waits at the reading end of complain, until the program is there or says why it can't be. */
bool child_complained(int fd, struct child_complaint *ret);

/* What a program finds in its environment: of fixed values, nothing else of ours but
 * what the rule names. NULL-ended; environment_free() */
struct environment_facts {
	const char *run, *rule, *attachments;
};
char **environment_make(const struct environment_facts *facts, const struct action_config *action,
			const struct identity *who);
void environment_free(char **environment);
#endif
