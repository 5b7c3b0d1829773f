/* runner/runner.h - the whole program behind its command line. */
#ifndef NUNCIO_RUNNER_RUNNER_H
#define NUNCIO_RUNNER_RUNNER_H
#include <stdbool.h>

struct runner_options {
	const char *config; /* NULL: the default place */
	bool verbose;
};
/* Both return a status of sysexits.h. */
int runner_run(const struct runner_options *options);
int runner_check(const struct runner_options *options);
#endif
