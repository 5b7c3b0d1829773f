/* runner/tree.c - removal by descriptors: a path could be made to lead elsewhere between
 * looking and removing. What lies deep is lifted to the top first, so that few are open
 * at a time however deep it goes. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define PASSES_MAX 100000 /* somebody may make it deeper meanwhile */
#define NAMES_MAX 1000    /* somebody may have taken them */

struct removal {
	int top;
	unsigned name;   /* the next for what is lifted */
	unsigned lifted; /* in this pass */
};

static void remove_at(struct removal *r, int parent, const char *name, unsigned depth);

static DIR *open_dir(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static bool is_itself(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void empty(struct removal *r, DIR *dir, unsigned depth)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (!is_itself(entry->d_name))
			remove_at(r, dirfd(dir), entry->d_name, depth + 1);
}

static void lift(struct removal *r, int parent, const char *name)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char up[16];

		snprintf(up, sizeof(up), "~%u", r->name++);
		if (renameat2(parent, name, r->top, up, RENAME_NOREPLACE) == 0) {
			r->lifted++;
			return;
		}
		if (errno != EEXIST)
			return;
	}
}

static void remove_at(struct removal *r, int parent, const char *name, unsigned depth)
{
	DIR *dir;

	if (unlinkat(parent, name, 0) == 0 || unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return;
	if (depth == DEPTH_MAX) {
		lift(r, parent, name);
		return;
	}
	dir = open_dir(parent, name);
	if (!dir)
		return;
	empty(r, dir, depth);
	closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void tree_remove(int parent, const char *name)
{
	struct removal r = {0};
	DIR *dir;

	if (unlinkat(parent, name, 0) == 0)
		return;
	for (unsigned i = 0; i < PASSES_MAX && (dir = open_dir(parent, name)); i++) {
		r.top = dirfd(dir);
		r.lifted = 0;
		empty(&r, dir, 0);
		closedir(dir);
		if (!r.lifted)
			break;
	}
	unlinkat(parent, name, AT_REMOVEDIR);
}

void tree_sweep(int parent)
{
	DIR *dir = open_dir(parent, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] == '.' && !is_itself(entry->d_name))
			tree_remove(parent, entry->d_name);
	if (dir)
		closedir(dir);
}
