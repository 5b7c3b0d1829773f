/* queue/standbys.h - the clock of deliveries that stand by for another (store_standby.h). */
#ifndef NUNCIO_QUEUE_STANDBYS_H
#define NUNCIO_QUEUE_STANDBYS_H
struct queue;
struct standbys;

struct standbys *standbys_new(struct queue *q);
void standbys_free(struct standbys *s); /* NULL is fine */
void standbys_look(struct standbys *s); /* there may be new ones, or other times */
void standbys_stop(struct standbys *s); /* until the next look */
#endif
