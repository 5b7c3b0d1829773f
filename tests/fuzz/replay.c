/* tests/fuzz/replay.c - main() of a fuzz target in builds without libFuzzer: runs
 * each file named, or each file of a folder and those below it, through it once. */
#include <ftw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;

static int replay(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type != FTW_F)
		return 0;
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return -1;
	}
	/* of its own size, so that a byte too far is seen */
	uint8_t *data = xmalloc((size_t)st->st_size);
	size_t size = fread(data, 1, (size_t)st->st_size, file);

	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS) != 0) {
			fprintf(stderr, "%s: can't be read\n", argv[i]);
			return 1;
		}
	printf("%u inputs replayed\n", files);
	return files ? 0 : 1;
}
