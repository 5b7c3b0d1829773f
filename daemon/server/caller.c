/* server/caller.c - decides what a uid is called and which groups it is in, on a
 * thread: nsswitch may ask a server. What that allows is rights.c's to say. */
#include "server/caller.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/worker.h"
#include "server/rights.h"

#define NAME_BYTES 16384 /* for one entry of passwd or group */
#define GROUPS_MAX 1024

struct caller_lookup {
	struct job job; /* first */
	struct caller caller;
	caller_done_fn *done; /* NULL: nobody waits any more */
	void *ctx;
};

static char *group_name(gid_t gid)
{
	AUTO(free) char *room = xmalloc(NAME_BYTES);
	struct group group, *found;

	if (getgrgid_r(gid, &group, room, NAME_BYTES, &found) != 0 || !found)
		return NULL;
	return xstrdup(found->gr_name);
}

static void find_groups(struct caller *caller)
{
	AUTO(free) char *room = xcalloc(GROUPS_MAX, sizeof(gid_t));
	gid_t *gids = (gid_t *)(void *)room;
	int n = GROUPS_MAX;

	if (getgrouplist(caller->user, caller->gid, gids, &n) < 0)
		n = GROUPS_MAX;
	caller->groups = xcalloc((size_t)n + 1, sizeof(*caller->groups));
	for (int i = 0; i < n; i++)
		caller->groups[caller->ngroups++] =
			(struct caller_group){.gid = gids[i], .name = group_name(gids[i])};
}

static void look(struct job *job)
{
	struct caller *caller = &((struct caller_lookup *)job)->caller;
	AUTO(free) char *room = xmalloc(NAME_BYTES);
	struct passwd user, *found;

	caller->named = true;
	if (getpwuid_r(caller->uid, &user, room, NAME_BYTES, &found) == 0 && found) {
		caller->user = xstrdup(found->pw_name);
		find_groups(caller);
		return;
	}
	caller->groups = xcalloc(1, sizeof(*caller->groups));
	caller->groups[0] =
		(struct caller_group){.gid = caller->gid, .name = group_name(caller->gid)};
	caller->ngroups = 1;
}

static void looked(struct job *job)
{
	struct caller_lookup *l = (struct caller_lookup *)job;

	if (l->done)
		l->done(l->ctx, &l->caller);
	caller_clear(&l->caller);
	free(l);
}

void caller_look_up_free(struct job *abandoned)
{
	while (abandoned) {
		struct caller_lookup *l = (struct caller_lookup *)abandoned;

		abandoned = abandoned->next;
		caller_clear(&l->caller);
		free(l);
	}
}

struct caller_lookup *caller_look_up(struct worker *worker, const struct caller *caller,
				     caller_done_fn *done, void *ctx)
{
	struct caller_lookup *l = xcalloc(1, sizeof(*l));

	l->job = (struct job){.run = look, .done = looked};
	l->caller = (struct caller){.uid = caller->uid,
				    .gid = caller->gid,
				    .pid = caller->pid,
				    .trusted = caller->trusted};
	l->done = done;
	l->ctx = ctx;
	worker_do(worker, &l->job);
	return l;
}

void caller_look_up_cancel(struct caller_lookup *l)
{
	if (l)
		l->done = NULL;
}
