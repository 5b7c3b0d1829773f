/* common/jitter.c - takes its bits from the kernel; without them waits are even. */
#include "jitter.h"

#include <sys/random.h>

uint32_t jitter(void)
{
	uint32_t bits;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		return UINT32_MAX / 2;
	return bits;
}
