/* queue/store_ids.h - how a message's events and a body's chunks are numbered,
 * so that they stand together: owner << 20 | number. */
#ifndef NUNCIO_QUEUE_STORE_IDS_H
#define NUNCIO_QUEUE_STORE_IDS_H
#include <stdint.h>

#define IDS_EACH ((int64_t)1 << 20)

static inline int64_t ids_first(int64_t owner)
{
	return owner * IDS_EACH;
}

static inline int64_t ids_last(int64_t owner)
{
	return owner * IDS_EACH + IDS_EACH - 1;
}

static inline int64_t ids_owner(int64_t id)
{
	return id / IDS_EACH;
}
#endif
