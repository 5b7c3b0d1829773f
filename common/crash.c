/* common/crash.c - counts passings of crash points and dies at the one that the
 * environment names. Only part of builds with -Dcrash_points=true. */
#include "crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char at_name[64]; /* "": nowhere */
static unsigned long at_count;
static atomic_ulong passed; /* of the points that at_name names */

static void read_environment(void)
{
	const char *at = getenv("NUNCIO_CRASH_AT");
	const char *colon = at ? strrchr(at, ':') : NULL;
	size_t len = colon ? (size_t)(colon - at) : 0;

	if (!len || len >= sizeof(at_name))
		return;
	memcpy(at_name, at, len);
	at_count = strtoul(colon + 1, NULL, 10);
}

void crash_point(const char *name)
{
	pthread_once(&once, read_environment);
	if (!at_name[0] || (strcmp(at_name, "*") != 0 && strcmp(at_name, name) != 0))
		return;
	if (atomic_fetch_add(&passed, 1) + 1 != at_count)
		return;
	kill(getpid(), SIGKILL);
	for (;;)
		pause(); /* the signal ends all threads, this one too */
}
