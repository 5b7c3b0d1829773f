/* client/program.c - see program.h. */
#include "program.h"

#include <stdio.h>
#include <unistd.h>

void program_become(const char *name, const char *installed, char **argv)
{
	char here[4096];
	ssize_t len = readlink("/proc/self/exe", here, sizeof(here));

	while (len > 0 && here[len - 1] != '/')
		len--;
	if (len > 0 && (size_t)snprintf(here + len, sizeof(here) - (size_t)len, "%s", name) <
			       sizeof(here) - (size_t)len)
		execv(here, argv);
	execvp(installed, argv);
}
