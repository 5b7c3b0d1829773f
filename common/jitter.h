/* common/jitter.h - 32 random bits, so that waits do not fall together. No secrets. */
#ifndef NUNCIO_COMMON_JITTER_H
#define NUNCIO_COMMON_JITTER_H
#include <stdint.h>

uint32_t jitter(void);
#endif
