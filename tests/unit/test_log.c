/* Log lines: their form, their level, one safe line each, files reopened. */
#include "log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "expect.h"

static char path[] = "/tmp/nuncio-log-XXXXXX";
static char content[1 << 20];

static const char *read_log(void)
{
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(content, 1, sizeof(content) - 1, file) : 0;

	content[len] = '\0';
	if (file)
		fclose(file);
	return content;
}

static void begin(void)
{
	struct failure f = {0};

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	expect_ok(log_to_file(path, &f), &f);
}

static void end(void)
{
	log_to_file(NULL, NULL);
	log_set_level(LOG_LEVEL_INFO);
	unlink(path);
}

TEST(a_line_has_time_level_prefix_text)
{
	struct log log;
	int year, month, day, hour, minute, second, ms, at = 0;

	begin();
	log_init(&log, "smtp %s", "mail");
	log_warn(&log, "greylisted by %s", "mx");
	expect_int(sscanf(read_log(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
			  &minute, &second, &ms, &at),
		   7);
	expect_text(content + at, "warn smtp mail: greylisted by mx\n");
	end();
}

TEST(nobody_may_speak)
{
	begin();
	log_error(NULL, "%d", 5);
	expect_contains(read_log(), "Z error 5\n");
	end();
}

TEST(levels_above_are_dropped)
{
	begin();
	log_debug(NULL, "unseen");
	log_info(NULL, "seen");
	log_set_level(LOG_LEVEL_ERROR);
	log_info(NULL, "unseen");
	log_warn(NULL, "unseen");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "deep");
	read_log();
	expect_null(strstr(content, "unseen"));
	expect_contains(content, "info seen\n");
	expect_contains(content, "debug deep\n");
	end();
}

TEST(a_line_stays_one_line)
{
	begin();
	log_info(NULL, "550 no\r\n2020-01-01 error forged\x1b[31m\xff");
	expect_contains(read_log(), "info 550 no  2020-01-01 error forged [31m?\n");
	end();
}

TEST(a_long_line_is_cut)
{
	begin();
	log_info(NULL, "%05000d", 1);
	size_t len = strlen(read_log());

	expect_true(len < 4096);
	expect_text(content + len - 4, "...\n");
	end();
}

TEST(files_are_private_and_reopened)
{
	char moved[sizeof(path) + 2];
	struct stat st;

	begin();
	unlink(path);
	expect_int(log_to_file(path, NULL), 0);
	expect_int(stat(path, &st), 0);
	expect_int(st.st_mode & 0027, 0);
	log_info(NULL, "one");
	snprintf(moved, sizeof(moved), "%s.1", path);
	expect_int(rename(path, moved), 0);
	log_info(NULL, "two");
	expect_int(log_to_file(path, NULL), 0);
	log_info(NULL, "three");
	read_log();
	expect_null(strstr(content, "two"));
	expect_contains(content, "three");
	unlink(moved);
	end();
}

TEST(a_file_that_cannot_be_opened_changes_nothing)
{
	struct failure f = {0};

	begin();
	expect_failure(log_to_file("/nonexistent/dir/log", &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "/nonexistent/dir/log");
	log_info(NULL, "still here");
	expect_contains(read_log(), "still here");
	end();
}

TEST(the_journal_gets_priorities)
{
	int saved = dup(STDERR_FILENO);

	begin();
	log_to_file(NULL, NULL);
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_set_level(LOG_LEVEL_DEBUG);
	int fd = open(path, O_WRONLY | O_APPEND);

	dup2(fd, STDERR_FILENO);
	log_error(NULL, "e");
	log_warn(NULL, "w");
	log_info(NULL, "i");
	log_debug(NULL, "d");
	dup2(saved, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	close(fd);
	close(saved);
	expect_text(read_log(), "<3>e\n<4>w\n<6>i\n<7>d\n");
	end();
}

/* The journal as it is heard: a socket, and stderr made to be its stream. */
static int journal_begin(int *ret_stderr, char *socket_path, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat about;
	char stream[60];
	int heard = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int fd = open(path, O_WRONLY | O_APPEND);

	snprintf(socket_path, size, "%s.socket", path);
	strcpy(address.sun_path, socket_path);
	expect_int(bind(heard, (struct sockaddr *)&address, sizeof(address)), 0);
	*ret_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	expect_int(fstat(fd, &about), 0);
	close(fd);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)about.st_dev,
		 (unsigned long long)about.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_to_file(NULL, NULL);
	return heard;
}

static void journal_end(int heard, int saved_stderr, const char *socket_path)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(heard);
	unlink(socket_path);
	unsetenv("JOURNAL_STREAM");
	log_to_journal("/nowhere", "test");
}

TEST(the_journal_itself_gets_fields)
{
	char socket_path[108], entry[3000] = "";
	struct log log;
	int saved;

	begin();
	int heard = journal_begin(&saved, socket_path, sizeof(socket_path));

	log_to_journal(socket_path, "test");
	log_init(&log, "smtp mail");
	log_event(&log, LOG_LEVEL_WARN,
		  &(struct log_event){.kind = LOG_KIND_TRANSPORT_DOWN,
				      .message = 7,
				      .transport = "mail\nPRIORITY=0",
				      .state = "down"},
		  "is down:\nMESSAGE_ID=forged");
	ssize_t len = recv(heard, entry, sizeof(entry) - 1, 0);

	journal_end(heard, saved, socket_path);
	expect_true(len > 0);
	char *id = strstr(entry, "MESSAGE_ID=0");

	expect_some(id);
	expect_int(strlen(id), strlen("MESSAGE_ID=\n") + 32);
	*id = '\0';
	expect_text(entry, "MESSAGE=smtp mail: is down: MESSAGE_ID=forged\nPRIORITY=4\n"
			   "SYSLOG_IDENTIFIER=test\nNUNCIO_ID=7\n"
			   "NUNCIO_TRANSPORT=mail PRIORITY=0\nNUNCIO_STATE=down\n");
	expect_text(read_log(), "");
	end();
}

TEST(what_the_journal_does_not_take_goes_to_stderr)
{
	char socket_path[108];
	int saved;

	begin();
	int heard = journal_begin(&saved, socket_path, sizeof(socket_path));

	log_to_journal(socket_path, "test");
	close(heard);
	log_info(NULL, "still said");
	unlink(socket_path);
	log_to_journal(socket_path, "test");
	log_error(NULL, "said too");
	journal_end(-1, saved, socket_path);
	expect_text(read_log(), "<6>still said\n<3>said too\n");
	end();
}

TEST(another_stderr_is_not_the_journal)
{
	char socket_path[108], entry[100];
	int saved;

	begin();
	int heard = journal_begin(&saved, socket_path, sizeof(socket_path));

	setenv("JOURNAL_STREAM", "8:1", 1);
	log_to_journal(socket_path, "test");
	log_info(NULL, "to stderr");
	ssize_t len = recv(heard, entry, sizeof(entry), 0);

	journal_end(heard, saved, socket_path);
	expect_int(len, -1);
	expect_text(read_log(), "<6>to stderr\n");
	end();
}

static void *log_many(void *ctx)
{
	for (int i = 0; i < 500; i++)
		log_info(NULL, "%s-begin %060d end", (const char *)ctx, i);
	return NULL;
}

TEST(lines_of_threads_do_not_mix)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	pthread_t threads[4];
	int lines = 0;

	begin();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, log_many, (void *)names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	read_log();
	for (char *line = strtok(content, "\n"); line; line = strtok(NULL, "\n")) {
		expect_contains(line, "-begin 0");
		expect_text(line + strlen(line) - 4, " end");
		lines++;
	}
	expect_int(lines, 2000);
	end();
}

RUN_TESTS()
