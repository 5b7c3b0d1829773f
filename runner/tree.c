/* runner/tree.c - removal by descriptors: a path could be made to lead elsewhere between
 * looking and removing. */
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 64

static void remove_at(int parent, const char *name, unsigned depth);

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

static void empty_dir(int parent, const char *name, unsigned depth)
{
	DIR *dir = depth < DEPTH_MAX ? open_dir(parent, name) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!is_itself(entry->d_name))
			remove_at(dirfd(dir), entry->d_name, depth + 1);
	if (dir)
		closedir(dir);
}

static void remove_at(int parent, const char *name, unsigned depth)
{
	if (unlinkat(parent, name, 0) == 0)
		return;
	empty_dir(parent, name, depth);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void tree_remove(int parent, const char *name)
{
	remove_at(parent, name, 0);
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
