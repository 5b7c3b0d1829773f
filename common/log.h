/* common/log.h - lines for the operator. error: someone must act; warn: we
 * cope; info: what the operator asked for; debug: changes of state. Rooms at
 * the edge log; common code and parsers return failures instead. */
#ifndef NUNCIO_COMMON_LOG_H
#define NUNCIO_COMMON_LOG_H
#include <stdint.h>
#include "failure.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Who speaks: embedded in the object, e.g. "smtp mail". */
struct log {
	char prefix[64];
};
void log_init(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Where lines go: stderr until log_to_file(). Under systemd (JOURNAL_STREAM is
 * set) each line starts with its <priority>; else with a time stamp. */
#define LOG_JOURNAL "/run/systemd/journal/socket"
/* From now on to the journal itself, with fields, where stderr leads there; a line it
 * does not take goes to stderr. program: its SYSLOG_IDENTIFIER, which lives on. */
void log_to_journal(const char *socket_path, const char *program);
void log_set_level(enum log_level level); /* lines above it are dropped; default info */
/* Appends to the file from now on, 0640. NULL: back to stderr. On failure
 * nothing changes and -1 is returned. Call again with the same name to reopen. */
int log_to_file(const char *path, struct failure *f);

/* What happened, for those who search the journal: each has a MESSAGE_ID of its own. */
enum log_kind {
	LOG_KIND_READY,
	LOG_KIND_ENDED,
	LOG_KIND_RELOADED,
	LOG_KIND_RELOAD_FAILED,
	LOG_KIND_TRANSPORT_DOWN,
	LOG_KIND_TRANSPORT_UP,
	LOG_KIND_MESSAGE_FAILED,
};
struct log_event {
	enum log_kind kind;
	int64_t message;       /* NUNCIO_ID=; 0: none */
	const char *transport; /* NUNCIO_TRANSPORT=, or NULL */
	const char *state;     /* NUNCIO_STATE=, or NULL */
};
void log_event(const struct log *log, enum log_level level, const struct log_event *event,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* One line; control characters become spaces. log may be NULL. */
void log_error(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
