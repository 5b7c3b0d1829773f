/* base/room.h - what loop.c shows deadline.c, and nobody else: libevent's base
 * and the list of deadlines that wait. */
#ifndef NUNCIO_BASE_ROOM_H
#define NUNCIO_BASE_ROOM_H
struct deadline;
struct event_base;
struct loop;

struct event_base *loop_base(struct loop *loop);
struct deadline **loop_deadlines(struct loop *loop); /* head of the list, by .next */
/* By the monotonic clock as it stands now, after the test turned it. */
void deadline_rearm(struct deadline *d);
/* Ends the process with one line: without what it says there is no loop. */
_Noreturn void loop_cannot(const char *what);
#endif
