/* server/when.h - a moment as people write it: RFC 3339, or a duration from now. Pure. */
#ifndef NUNCIO_SERVER_WHEN_H
#define NUNCIO_SERVER_WHEN_H
#include <stdint.h>
struct failure;

/* "2026-12-24T18:00:00Z", "2026-12-24T18:00:00.5+01:00", "2h". Milliseconds since
 * 1970 UTC. -1 and FAILURE_REFUSED with what would be right: not such a moment, or
 * more than ten years away. A moment gone by is fine: it means now. */
int when_parse(const char *text, int64_t now_ms, int64_t *ret_ms, struct failure *f);
#endif
