/* tests/fuzz/fuzz_config.c - any bytes as a configuration file: loaded or refused
 * with a sentence, and nothing else. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "failure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *ctx, const struct failure *problem)
{
	if (!problem->text[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	const struct config *config = NULL;
	struct failure f = {FAILURE_NONE};
	char path[64];

	if (fd < 0 || fchmod(fd, 0640) < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, &config, hear, NULL, &f) == 0)
		config_unref(config);
	else if (f.kind != FAILURE_SETUP || !f.text[0])
		abort();
	close(fd);
	return 0;
}
