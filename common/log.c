/* common/log.c - makes lines and writes each with one write(2), so that those
 * of several threads and processes never mix. When to log is for the rooms. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "journal.h"
#include "text.h"

enum { LOG_LINE_MAX = 2048 };

static const struct {
	const char *name;
	char priority; /* of syslog(3), as journald reads it */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", '3'},
	[LOG_LEVEL_WARN] = {"warn", '4'},
	[LOG_LEVEL_INFO] = {"info", '6'},
	[LOG_LEVEL_DEBUG] = {"debug", '7'},
};

static atomic_int level_max = LOG_LEVEL_INFO;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static int file_fd = -1;    /* under file_lock; -1: stderr */
static int journal_fd = -1; /* set before there are threads; -1: there is none */
static const char *journal_program;

/* MESSAGE_IDs stay as they are for ever; nunciod(8) lists them. */
static const char *const message_ids[] = {
	[LOG_KIND_READY] = "f34ed32487e84c22af87fd7cf303df3e",
	[LOG_KIND_ENDED] = "de7cd54f77e94fb7bd56e92ec136538f",
	[LOG_KIND_RELOADED] = "216e33d2667a4467a20707b9152a8007",
	[LOG_KIND_RELOAD_FAILED] = "4731e79c921043b1a066970c86e8b68e",
	[LOG_KIND_TRANSPORT_DOWN] = "0aaa7266cbc3410ba32824cc232f443c",
	[LOG_KIND_TRANSPORT_UP] = "25649079c6b8440fb3741746026a91c9",
	[LOG_KIND_MESSAGE_FAILED] = "fe5d644f51814f6c85379aa3ef84944f",
};

void log_init(struct log *log, const char *fmt, ...)
{
	char text[2 * sizeof(log->prefix)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_safe_line(log->prefix, sizeof(log->prefix), text, strlen(text));
}

void log_set_level(enum log_level level)
{
	atomic_store(&level_max, (int)level);
}

int log_to_file(const char *path, struct failure *f)
{
	int fd = -1;

	if (path) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
		if (fd < 0)
			return failure_errno(f, FAILURE_SETUP, errno, "log file %s", path);
	}
	pthread_mutex_lock(&file_lock);
	int old = file_fd;
	file_fd = fd;
	pthread_mutex_unlock(&file_lock);
	if (old >= 0)
		close(old);
	return 0;
}

void log_to_journal(const char *socket_path, const char *program)
{
	if (journal_fd >= 0)
		close(journal_fd);
	journal_fd = journal_open(socket_path);
	journal_program = program;
}

static bool write_journal(enum log_level level, const struct log_event *event, const char *text)
{
	char priority[] = {levels[level].priority, '\0'}, message[24] = "";
	struct journal_field fields[] = {
		{"MESSAGE", text},
		{"PRIORITY", priority},
		{"SYSLOG_IDENTIFIER", journal_program},
		{"NUNCIO_ID", message},
		{"NUNCIO_TRANSPORT", event ? event->transport : NULL},
		{"NUNCIO_STATE", event ? event->state : NULL},
		{"MESSAGE_ID", event ? message_ids[event->kind] : NULL},
	};

	if (event && event->message)
		snprintf(message, sizeof(message), "%lld", (long long)event->message);
	return journal_send(journal_fd, fields, sizeof(fields) / sizeof(*fields));
}

/* What stands before the text: for the journal its priority, else when and how grave. */
static size_t put_head(char *line, size_t size, enum log_level level, bool to_journal)
{
	if (to_journal)
		return (size_t)snprintf(line, size, "<%c>", levels[level].priority);
	int64_t now_ms = clock_wall_ms();
	time_t now = (time_t)(now_ms / 1000);
	struct tm utc;

	gmtime_r(&now, &utc);
	size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);

	return len + (size_t)snprintf(line + len, size - len, ".%03dZ %s ", (int)(now_ms % 1000),
				      levels[level].name);
}

static void write_line(enum log_level level, const struct log_event *event, const char *text)
{
	char line[LOG_LINE_MAX];

	text_safe_line(line, sizeof(line), text, strlen(text));
	pthread_mutex_lock(&file_lock);
	if (file_fd < 0 && journal_fd >= 0 && write_journal(level, event, line)) {
		pthread_mutex_unlock(&file_lock);
		return;
	}
	int fd = file_fd >= 0 ? file_fd : STDERR_FILENO;
	size_t len = put_head(line, sizeof(line), level, file_fd < 0 && getenv("JOURNAL_STREAM"));

	text_safe_line(line + len, sizeof(line) - len - 1, text, strlen(text));
	len = strlen(line);
	line[len++] = '\n';
	ssize_t written = write(fd, line, len);

	(void)written; /* a log that can't be written has nowhere to say so */
	pthread_mutex_unlock(&file_lock);
}

__attribute__((format(printf, 4, 0))) static void log_line(const struct log *log,
							   enum log_level level,
							   const struct log_event *event,
							   const char *fmt, va_list args)
{
	if ((int)level > atomic_load(&level_max))
		return;
	int error = errno; /* a log line changes nothing for its caller */
	char text[LOG_LINE_MAX];
	size_t len = 0;

	if (log && log->prefix[0])
		len = (size_t)snprintf(text, sizeof(text), "%s: ", log->prefix);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	write_line(level, event, text);
	errno = error;
}

void log_event(const struct log *log, enum log_level level, const struct log_event *event,
	       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(log, level, event, fmt, args);
	va_end(args);
}

void log_error(const struct log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(log, LOG_LEVEL_ERROR, NULL, fmt, args);
	va_end(args);
}

void log_warn(const struct log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(log, LOG_LEVEL_WARN, NULL, fmt, args);
	va_end(args);
}

void log_info(const struct log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(log, LOG_LEVEL_INFO, NULL, fmt, args);
	va_end(args);
}

void log_debug(const struct log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(log, LOG_LEVEL_DEBUG, NULL, fmt, args);
	va_end(args);
}
