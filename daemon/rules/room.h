/* rules/room.h - what the files behind engine.h show each other, and nobody else. */
#ifndef NUNCIO_RULES_ROOM_H
#define NUNCIO_RULES_ROOM_H
#include <stdint.h>
#include "base/deadline.h"
#include "base/loop.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "queue/store.h"
#include "queue/store_run.h"
#include "rules/engine.h"
struct bin;
struct desks;
struct downtimes;
struct lockouts;
struct matter;
struct questions;
struct running;
struct runner;

#define ENGINE_AGAIN_MS 5000 /* when the store could not be written */

struct engine {
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct resolver *resolver;
	const struct config *config; /* counted; NULL before the first */
	struct runner *runner;       /* owned */
	struct desks *desks;         /* owned; and so are the next */
	struct bin *bin;
	struct lockouts *lockouts;
	struct questions *questions;
	struct downtimes *downtimes;
	struct matter *matters;  /* owned, by .next: mails at hand */
	struct running *running; /* owned, by .next: runs under way */
	struct deadline again;   /* what was under way could not be read */
	bool ready;              /* that is known: mailboxes are opened, if they may be */
	bool open;               /* they may */
	bool stopped;
	struct log log;
};
#endif
