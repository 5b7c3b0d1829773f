/* client/memfd.c - see memfd.h. */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "failure.h"
#include "fd.h"

int memfd_open(struct failure *f)
{
	int fd = memfd_create("nuncio", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? failure_errno(f, FAILURE_LATER, errno, "memfd_create") : fd;
}

int memfd_add(int fd, const void *bytes, size_t len, struct failure *f)
{
	if (fd_write(fd, bytes, len) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "keeping it in memory");
	return 0;
}

int memfd_seal(int fd, struct failure *f)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "sealing it");
	return 0;
}
