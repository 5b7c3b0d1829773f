/* runner/teller.h - the process beside one command that says a secret: has it run, hears the
 * first line of what it prints, ends it when that takes too long or is too much. */
#ifndef NUNCIO_RUNNER_TELLER_H
#define NUNCIO_RUNNER_TELLER_H
#include <stdint.h>
struct secret_ref;

#define TELLER_SECRET_MAX (64 * 1024) /* bytes that it may print: as a secret's file */
#define TELLER_ANSWER_MAX (8 * TELLER_SECRET_MAX)

/* In a process of its own, which it ends. Into fd goes {value}, or {reason}: why there is none. */
_Noreturn void teller_run(const struct secret_ref *ref, int64_t within_ms, int fd);
#endif
