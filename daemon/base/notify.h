/* base/notify.h - what the service manager is told (sd_notify(3), by hand: one
 * datagram to $NOTIFY_SOCKET). Nothing happens where there is none. */
#ifndef NUNCIO_BASE_NOTIFY_H
#define NUNCIO_BASE_NOTIFY_H
#include <stdbool.h>
#include <stdint.h>

bool notify_is_heard(void);             /* is there a manager at all? */
void notify_ready(const char *status);  /* READY=1, STATUS= */
void notify_reloading(void);            /* RELOADING=1, MONOTONIC_USEC= */
void notify_stopping(void);             /* STOPPING=1 */
void notify_status(const char *status); /* STATUS=; one line */
void notify_extend(int64_t ms);         /* EXTEND_TIMEOUT_USEC: this start takes its time */
void notify_alive(void);                /* WATCHDOG=1 */
/* How long the manager waits for notify_alive(), of $WATCHDOG_USEC and _PID; 0: it
 * does not, or not for this process. */
int64_t notify_watchdog_ms(void);
#endif
