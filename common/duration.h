/* common/duration.h - durations, sizes and rates as people write them. Pure. */
#ifndef NUNCIO_COMMON_DURATION_H
#define NUNCIO_COMMON_DURATION_H
#include <stddef.h>
#include <stdint.h>
struct failure;

/* "90s" "10m" "6h" "4d" "2w", also joined: "1h30m"; "0" is zero. Units are
 * required otherwise; "250ms" exists. No sign, no blanks, at most 100 years.
 * Milliseconds in *ret_ms. -1 and FAILURE_SETUP with what would be right. */
int duration_parse(const char *text, int64_t *ret_ms, struct failure *f);
/* "500" bytes, "64K" "20M" "2G" (1024 each). */
int size_parse(const char *text, uint64_t *ret_bytes, struct failure *f);
struct rate {
	uint32_t count; /* 0: no limit */
	int64_t per_ms;
};
/* "30/m": count per s, m, h or d. */
int rate_parse(const char *text, struct rate *ret, struct failure *f);
/* "3d 4h", "45 s", "1.2 s": for people, into out. Returns out. */
char *duration_print(char *out, size_t size, int64_t ms);
char *size_print(char *out, size_t size, uint64_t bytes); /* "19.5M" */
#endif
