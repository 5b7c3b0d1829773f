/* rules/downtime.h - tells the owner of a mailbox that it stays down, and that it is back. */
#ifndef NUNCIO_RULES_DOWNTIME_H
#define NUNCIO_RULES_DOWNTIME_H
struct downtimes;
struct engine;

struct downtimes *downtimes_new(struct engine *e);
void downtimes_look(struct downtimes *d); /* a mailbox changed its state, or the configuration */
void downtimes_stop(struct downtimes *d);
void downtimes_free(struct downtimes *d);
#endif
