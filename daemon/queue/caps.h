/* queue/caps.h - tells the operator when a transport has sent most of what it may send in a
 * day, and when it has sent all of it: once each, by another transport. */
#ifndef NUNCIO_QUEUE_CAPS_H
#define NUNCIO_QUEUE_CAPS_H
struct caps;
struct config;
struct queue;

struct caps *caps_new(struct queue *q);
void caps_free(struct caps *c); /* NULL is fine */
void caps_configure(struct caps *c, const struct config *config);
void caps_look(struct caps *c); /* some texts went out, or must wait */
#endif
