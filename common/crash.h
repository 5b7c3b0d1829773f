/* common/crash.h - where tests stop the program dead. In builds with
 * -Dcrash_points=true, CRASH_POINT("store.commit") ends the process by SIGKILL
 * when $NUNCIO_CRASH_AT is "store.commit:N" and this is its Nth passing, or
 * "*:N" and it is the Nth passing of any point. Nothing in other builds. */
#ifndef NUNCIO_COMMON_CRASH_H
#define NUNCIO_COMMON_CRASH_H

#ifdef NUNCIO_CRASH_POINTS
void crash_point(const char *name); /* may be called by any thread */
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif
#endif
