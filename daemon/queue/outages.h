/* queue/outages.h - tells the operator of a transport that stays down longer than its
 * max_down, by another one, once; and once when it works again. A failover that works
 * hides no outage. */
#ifndef NUNCIO_QUEUE_OUTAGES_H
#define NUNCIO_QUEUE_OUTAGES_H
struct config;
struct outages;
struct queue;

struct outages *outages_new(struct queue *q);
void outages_free(struct outages *o);                                   /* NULL is fine */
void outages_configure(struct outages *o, const struct config *config); /* which outlives it */
void outages_look(struct outages *o); /* some transport went down or came back */
#endif
