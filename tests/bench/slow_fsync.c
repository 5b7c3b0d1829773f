/* slow_fsync.c - preloaded into a program, makes each fsync and fdatasync take
 * 5 ms longer: a disk that is slower than this machine's. */
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#define DELAY_MS 5

int fsync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	poll(NULL, 0, DELAY_MS);
	return real(fd);
}

int fdatasync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	poll(NULL, 0, DELAY_MS);
	return real(fd);
}
