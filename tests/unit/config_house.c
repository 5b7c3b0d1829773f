/* tests/unit/config_house.c - files made, loaded and removed. */
#include "config_house.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "config/config.h"
#include "failure.h"

static char folder[64];
static int before = -1; /* where the process stood */
static struct buf said, further;

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	abort();
}

void house_open(void)
{
	snprintf(folder, sizeof(folder), "%s", "/tmp/nuncio-config-XXXXXX");
	before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(before, "open .");
	must(mkdtemp(folder) ? 0 : -1, "mkdtemp");
	must(chdir(folder), folder);
	buf_init(&said, 64 * 1024);
	buf_init(&further, 64 * 1024);
}

void house_close(void)
{
	DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			must(unlink(entry->d_name), entry->d_name);
	if (dir)
		closedir(dir);
	must(fchdir(before), "fchdir");
	close(before);
	must(rmdir(folder), folder);
	buf_clear(&said);
	buf_clear(&further);
}

static void write_bytes(const char *name, const char *bytes, size_t len, mode_t mode)
{
	FILE *file = fopen(name, "we");

	must(file ? 0 : -1, name);
	must(fwrite(bytes, 1, len, file) == len ? 0 : -1, name);
	must(fclose(file), name);
	must(chmod(name, mode), name);
}

void house_write(const char *name, const char *text, mode_t mode)
{
	write_bytes(name, text, strlen(text), mode);
}

static char *read_bytes(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL;

	if (!file)
		return NULL;
	bytes = xcalloc(1, 64 * 1024);
	*ret_len = fread(bytes, 1, 64 * 1024 - 1, file);
	fclose(file);
	return bytes;
}

char *house_read(const char *path)
{
	size_t len;

	return read_bytes(path, &len);
}

void house_copy(const char *from)
{
	DIR *dir = opendir(from);

	must(dir ? 0 : -1, from);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		AUTO(free) char *path = xprintf("%s/%s", from, entry->d_name);
		size_t len = 0;
		AUTO(free) char *bytes = read_bytes(path, &len);

		must(bytes ? 0 : -1, path);
		write_bytes(entry->d_name, bytes, len, 0640);
	}
	closedir(dir);
}

static void hear(void *ctx, const struct failure *problem)
{
	const char *kind = problem->kind == FAILURE_NONE ? "warning: " : "";

	must(buf_printf(&further, "%s%s\n", kind, problem->text), "problems");
}

const struct config *house_load(const char *name)
{
	const struct config *config = NULL;
	struct failure f;

	buf_clear(&said);
	buf_clear(&further);
	if (config_load(name, &config, hear, NULL, &f) < 0) {
		config = NULL;
		must(buf_printf(&said, "%s\n", f.text), "problems");
	}
	must(buf_add(&said, buf_bytes(&further), further.len), "problems");
	return config;
}

const struct config *house_load_text(const char *text)
{
	house_write("nuncio.conf", text, 0640);
	return house_load("nuncio.conf");
}

const char *house_said(void)
{
	return buf_bytes(&said);
}
