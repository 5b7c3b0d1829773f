/* queue/store_desk.h - how the writer carries out what rules ask of it (store_run.h):
 * the operations of a batch, and what is forgotten of them. */
#ifndef NUNCIO_QUEUE_STORE_DESK_H
#define NUNCIO_QUEUE_STORE_DESK_H
#include "queue/batch.h"
#include "queue/writer.h"

/* 0: done; 1: the batch misses: ret says why where it is not BATCH_MISSED; -1. */
int desk_write(struct writer *w, const struct op *op, struct batch_result *ret);
/* A bounded piece; *more is set when there is more of it. */
int desk_sweep(struct writer *w, int64_t now_ms, int64_t forget_before_ms, bool *more);
#endif
