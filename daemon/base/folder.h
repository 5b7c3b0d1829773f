/* base/folder.h - a directory that is watched for what arrives in it. */
#ifndef NUNCIO_BASE_FOLDER_H
#define NUNCIO_BASE_FOLDER_H
#include "base/loop.h"

/* Embedded in its object. */
struct folder {
	int fd; /* owned; -1: the kernel watches nothing */
	struct watch watch;
	task_fn *arrived;
	void *ctx;
};
/* arrived comes from the loop when a name was put into the directory, once for many
 * that came together. -1 and errno: the kernel watches no more directories. */
int folder_watch(struct folder *f, struct loop *loop, const char *path, task_fn *arrived,
		 void *ctx);
void folder_clear(struct folder *f); /* fine twice, and when folder_watch() failed */
#endif
