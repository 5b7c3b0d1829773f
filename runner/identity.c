/* runner/identity.c - decides whom a program runs as, and what it is told about that in
 * its environment. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "child.h"
#include "config/config.h"
#include "failure.h"

#define ENVIRONMENT_MAX 64

static const struct passwd *find_user(const char *user)
{
	char *end;
	const struct passwd *found = user ? getpwnam(user) : getpwuid(geteuid());

	if (found || !user || !*user || user[strspn(user, "0123456789")])
		return found;
	unsigned long number = strtoul(user, &end, 10);
	return number < (uid_t)-1 ? getpwuid((uid_t)number) : NULL;
}

static int take_groups(struct identity *who, const struct passwd *user, struct failure *f)
{
	who->ngroups = IDENTITY_GROUPS_MAX;
	if (getgrouplist(user->pw_name, user->pw_gid, who->groups, &who->ngroups) < 0)
		return failure_set(f, FAILURE_REFUSED, "user %s is in more than %d groups",
				   user->pw_name, IDENTITY_GROUPS_MAX);
	return 0;
}

int identity_find(const char *user, struct identity *ret, struct failure *f)
{
	const struct passwd *found = find_user(user);
	struct identity who = {.uid = geteuid(), .gid = getegid()};

	if (!found && user)
		return failure_set(f, FAILURE_REFUSED, "there is no user '%.60s' here", user);
	if (found) {
		who.switched = found->pw_uid != geteuid();
		who.uid = found->pw_uid;
		who.gid = found->pw_gid;
	}
	if (who.switched && geteuid() != 0)
		return failure_set(f, FAILURE_REFUSED,
				   "only a runner of root's can run a program as %.60s", user);
	if (who.switched && take_groups(&who, found, f) < 0)
		return -1;
	who.name = found ? xstrdup(found->pw_name) : xprintf("%u", (unsigned)who.uid);
	who.home = xstrdup(found && found->pw_dir[0] == '/' ? found->pw_dir : "/");
	*ret = who;
	return 0;
}

void identity_clear(struct identity *who)
{
	free(who->name);
	free(who->home);
	*who = (struct identity){0};
}

static void pass_on(char **to, size_t *n, const char *name)
{
	const char *value = getenv(name);

	if (value && *n < ENVIRONMENT_MAX)
		to[(*n)++] = xprintf("%s=%s", name, value);
}

char **environment_make(const struct environment_facts *facts, const struct action_config *action,
			const struct identity *who)
{
	char **to = xcalloc(ENVIRONMENT_MAX + 1, sizeof(*to));
	size_t n = 0;

	to[n++] = xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	to[n++] = xprintf("HOME=%s", who->home);
	to[n++] = xprintf("USER=%s", who->name);
	to[n++] = xprintf("LOGNAME=%s", who->name);
	to[n++] = xstrdup("LANG=C.UTF-8");
	if (facts->run) {
		to[n++] = xprintf("NUNCIO_RUN=%s", facts->run);
		to[n++] = xprintf("NUNCIO_RULE=%s", facts->rule);
		to[n++] = xprintf("NUNCIO_ATTACHMENTS=%s", facts->attachments);
	}
	for (size_t i = 0; action && action->environment && action->environment[i]; i++)
		pass_on(to, &n, action->environment[i]);
	return to;
}

void environment_free(char **environment)
{
	for (size_t i = 0; environment && environment[i]; i++)
		free(environment[i]);
	free(environment);
}
