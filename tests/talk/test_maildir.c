/* The Maildir transport against a host that hands out parcels: what is in the
 * folders, in what form, what after a crash, and what when the disk will not. */
#include "transport/maildir.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "transport/maildir_file.h"
#include "transport/transport.h"
#include "tests/unit/expect.h"

#define INSTANCE "0123456789abcdef"
#define CREATED_MS INT64_C(1795379400123)

struct bench {
	char dir[64];
	struct loop *loop;
	struct transport_config config;
	struct transport *transport;
	struct parcel parcels[4];
	struct parcel_recipient recipients[4][3];
	struct letter *letter;
	const char *content;
	size_t at, content_len, nparcels, next, finished;
	bool refuse_content; /* it can't be had */
	struct outcome outcomes[4][3];
	unsigned settled, ups, downs;
	struct failure why;
	bool idle;
};

static struct parcel *host_next(void *ctx)
{
	struct bench *b = ctx;

	b->at = 0;
	return b->next < b->nparcels ? &b->parcels[b->next++] : NULL;
}

static void host_content(void *ctx, struct parcel *p, content_done_fn *done, void *done_ctx)
{
	static const struct failure lost = {.kind = FAILURE_REFUSED, .text = "incomplete"};
	struct bench *b = ctx;
	size_t len = b->content_len - b->at;
	const char *bytes = b->content + b->at;

	if (b->refuse_content && b->at > 0) {
		done(done_ctx, NULL, 0, &lost);
		return;
	}
	if (len > 65536)
		len = 65536;
	b->at += len;
	done(done_ctx, bytes, len, NULL);
}

static void host_rewind(void *ctx, struct parcel *p)
{
	((struct bench *)ctx)->at = 0;
}

static void host_settle(void *ctx, struct parcel *p, size_t recipient, const struct outcome *o)
{
	struct bench *b = ctx;

	b->outcomes[p - b->parcels][recipient] = *o;
	b->settled++;
}

static void host_finished(void *ctx, struct parcel *p)
{
	((struct bench *)ctx)->finished++;
}

static void host_up(void *ctx)
{
	((struct bench *)ctx)->ups++;
}

static void host_down(void *ctx, const struct failure *why)
{
	struct bench *b = ctx;

	expect_int(b->next, b->finished); /* what it had was given back before */
	b->downs++;
	b->why = *why;
}

static const struct transport_host host = {
	.next = host_next,
	.content = host_content,
	.rewind = host_rewind,
	.settle = host_settle,
	.finished = host_finished,
	.up = host_up,
	.down = host_down,
};

static void open_transport(struct bench *b)
{
	struct transport_env env = {.loop = b->loop, .host = &host, .host_ctx = b};
	struct failure f;

	expect_ok(transport_maildir.open(&env, &b->config, &b->transport, &f), &f);
}

static struct bench *bench_new(const char *content)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct failure f;

	alarm(60);
	snprintf(b->dir, sizeof(b->dir), "/tmp/nuncio-maildir-XXXXXX");
	expect_some(mkdtemp(b->dir));
	b->loop = loop_new();
	b->config.name = (char *)"outbox";
	b->config.concurrency = 1;
	b->config.maildir.path = xprintf("%s/box", b->dir);
	b->content = content;
	b->content_len = strlen(content);
	b->letter = letter_new();
	expect_ok(address_parse("box@example.com", 15, &b->letter->from, &f), &f);
	b->letter->subject = xstrdup("hello");
	b->letter->has_text = true;
	b->letter->text_size = b->content_len;
	b->letter->message_id = xstrdup("id@example.com");
	b->letter->boundary = letter_make_boundary();
	b->letter->date_ms = CREATED_MS;
	b->letter->marker = xstrdup(INSTANCE);
	open_transport(b);
	return b;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	return remove(path);
}

static void bench_free(struct bench *b)
{
	transport_maildir.close(b->transport);
	loop_free(b->loop);
	letter_free(b->letter);
	free(b->config.maildir.path);
	nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	alarm(0);
}

static void add_parcel(struct bench *b, int64_t delivery, size_t recipients, unsigned attempt_no)
{
	static const char *const names[] = {"ana@example.com", "bo@example.com", "cy@example.com"};
	struct parcel *p = &b->parcels[b->nparcels];

	*p = (struct parcel){.message = 1,
			     .sender = "box@example.com",
			     .letter = b->letter,
			     .instance = INSTANCE,
			     .recipients = b->recipients[b->nparcels],
			     .nrecipients = recipients};
	for (size_t i = 0; i < recipients; i++)
		p->recipients[i] = (struct parcel_recipient){.address = names[i],
							     .delivery = delivery + (int64_t)i,
							     .attempt_no = attempt_no};
	b->nparcels++;
}

static void wake_until_done(struct bench *b)
{
	unsigned downs = b->downs;

	transport_maildir.wake(b->transport, b->nparcels);
	while (b->downs == downs && (b->next < b->nparcels || b->finished < b->nparcels))
		loop_turn(b->loop, true);
}

/* How many, and the name of one. */
static size_t count_files(struct bench *b, const char *folder, char ret_name[256])
{
	AUTO(free) char *path = xprintf("%s/box/%s", b->dir, folder);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (ret_name)
			snprintf(ret_name, 256, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

static char *read_one(struct bench *b, const char *folder, const char *name)
{
	AUTO(free) char *path = xprintf("%s/box/%s/%s", b->dir, folder, name);
	FILE *file = fopen(path, "r");
	struct buf text;

	expect_some(file);
	buf_init(&text, 64 * 1024 * 1024);
	for (size_t n = 1; n > 0; buf_wrote(&text, n))
		n = fread(buf_room(&text, 65536), 1, 65536, file);
	fclose(file);
	char *bytes = buf_take(&text, NULL);

	return bytes;
}

static char *name_of(int64_t delivery)
{
	char *name = xmalloc(MAILDIR_NAME_SIZE);

	maildir_name(name, CREATED_MS, INSTANCE, delivery);
	return name;
}

TEST(a_mail_arrives_with_unix_lines_and_whom_it_is_for)
{
	struct bench *b = bench_new("first line\nsecond line\n");
	AUTO(free) char *name = name_of(7);
	struct stat there;

	add_parcel(b, 7, 1, 1);
	wake_until_done(b);
	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	AUTO(free) char *mail = read_one(b, "new", name);

	expect_true(strncmp(mail, "Delivered-To: ana@example.com\n", 30) == 0);
	expect_contains(mail, "\nMessage-ID: <id@example.com>\n");
	expect_contains(mail, "first line\nsecond line\n");
	expect_null(strchr(mail, '\r'));
	expect_true(strncmp(name, "1795379400.n" INSTANCE "_7.", 31) == 0);
	expect_int(count_files(b, "tmp", NULL), 0);
	expect_int(stat(b->config.maildir.path, &there), 0);
	expect_int(there.st_mode & 0777, 0700);
	bench_free(b);
}

TEST(each_recipient_gets_a_copy)
{
	struct bench *b = bench_new("hello\n");

	add_parcel(b, 10, 3, 1);
	add_parcel(b, 20, 2, 1);
	wake_until_done(b);
	expect_int(b->settled, 5);
	expect_int(count_files(b, "new", NULL), 5);
	AUTO(free) char *name = name_of(12);
	AUTO(free) char *mail = read_one(b, "new", name);

	expect_true(strncmp(mail, "Delivered-To: cy@example.com\n", 29) == 0);
	expect_contains(mail, "hello\n");
	bench_free(b);
}

TEST(a_large_mail_goes_piece_by_piece)
{
	size_t len = 3 * 1024 * 1024;
	AUTO(free) char *text = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + i / 64 % 26);
	text[len] = '\0';
	struct bench *b = bench_new(text);

	add_parcel(b, 1, 1, 1);
	wake_until_done(b);
	AUTO(free) char *name = name_of(1);
	AUTO(free) char *mail = read_one(b, "new", name);

	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	expect_true(strstr(mail, text) != NULL);
	expect_null(strchr(mail, '\r'));
	bench_free(b);
}

TEST(what_was_delivered_before_a_crash_has_no_twin)
{
	struct bench *b = bench_new("hello\n");
	char name[256];

	add_parcel(b, 5, 1, 1);
	wake_until_done(b);
	expect_int(count_files(b, "new", name), 1);

	/* still in new/; then read and flagged */
	b->nparcels = b->next = b->finished = 0;
	add_parcel(b, 5, 1, 2);
	wake_until_done(b);
	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	expect_int(count_files(b, "new", NULL), 1);
	AUTO(free) char *from = xprintf("%s/box/new/%s", b->dir, name);
	AUTO(free) char *to = xprintf("%s/box/cur/%s:2,RS", b->dir, name);

	expect_int(rename(from, to), 0);
	b->nparcels = b->next = b->finished = 0;
	b->outcomes[0][0].kind = OUTCOME_LATER;
	add_parcel(b, 5, 1, 3);
	wake_until_done(b);
	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	expect_int(count_files(b, "new", NULL), 0);
	expect_int(count_files(b, "cur", NULL), 1);

	/* another whose number begins like it is another */
	b->nparcels = b->next = b->finished = 0;
	add_parcel(b, 51, 1, 2);
	wake_until_done(b);
	expect_int(count_files(b, "new", NULL), 1);
	bench_free(b);
}

static void make_file(struct bench *b, const char *name, int64_t age_s)
{
	AUTO(free) char *path = xprintf("%s/box/tmp/%s", b->dir, name);
	FILE *file = fopen(path, "w");
	struct timeval times[2] = {{.tv_sec = clock_wall_ms() / 1000 - age_s}};

	times[1] = times[0];
	expect_some(file);
	fclose(file);
	expect_int(utimes(path, times), 0);
}

TEST(leftovers_of_ours_go_others_stay)
{
	struct bench *b = bench_new("hello\n");
	struct failure f;

	expect_ok(maildir_prepare(b->config.maildir.path, &f), &f);
	make_file(b, "1700000000.n" INSTANCE "_3.host", 37 * 3600);
	make_file(b, "1700000000.n" INSTANCE "_4.host", 35 * 3600);
	make_file(b, "1700000000.P123.host", 99 * 3600);
	make_file(b, "1", 99 * 3600);
	AUTO(free) char *ours = name_of(9); /* of a crash, of this very delivery */

	make_file(b, ours, 0);
	add_parcel(b, 9, 1, 2);
	wake_until_done(b);
	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	expect_int(count_files(b, "tmp", NULL), 3);
	bench_free(b);
}

TEST(a_folder_that_cannot_be_made_is_the_transports_trouble)
{
	struct bench *b = bench_new("hello\n");

	free(b->config.maildir.path);
	b->config.maildir.path = xprintf("%s/missing/box", b->dir);
	add_parcel(b, 1, 1, 1);
	wake_until_done(b);
	expect_int(b->downs, 1);
	expect_int(b->why.kind, FAILURE_LATER);
	expect_contains(b->why.text, "No such file or directory");
	expect_int(b->next, 0);
	AUTO(free) char *parent = xprintf("%s/missing", b->dir);

	expect_int(mkdir(parent, 0700), 0);
	wake_until_done(b);
	expect_int(b->outcomes[0][0].kind, OUTCOME_SENT);
	bench_free(b);
}

TEST(a_folder_that_goes_away_touches_no_mail)
{
	struct bench *b = bench_new("hello\n");
	AUTO(free) char *new = xprintf("%s/box/new", b->dir);
	AUTO(free) char *aside = xprintf("%s/box/aside", b->dir);

	add_parcel(b, 1, 1, 1);
	wake_until_done(b);
	expect_int(rename(new, aside), 0);
	b->nparcels = b->next = b->finished = 0;
	add_parcel(b, 2, 2, 1);
	wake_until_done(b);
	expect_int(b->downs, 1);
	expect_int(b->outcomes[0][0].kind, OUTCOME_UNTOUCHED);
	expect_int(b->outcomes[0][1].kind, OUTCOME_UNTOUCHED);
	expect_int(count_files(b, "tmp", NULL), 0);
	bench_free(b);
}

/* A limit on files is a disk that is full behind so many bytes. */
static void run_with_room(struct bench *b, rlim_t bytes)
{
	struct rlimit before, small;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){.rlim_cur = bytes, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	wake_until_done(b);
	setrlimit(RLIMIT_FSIZE, &before);
}

TEST(a_disk_that_is_full_leaves_nothing_in_tmp)
{
	size_t len = 1024 * 1024;
	AUTO(free) char *text = xmalloc(len + 1);

	memset(text, 'a', len);
	for (size_t i = 70; i < len; i += 71)
		text[i] = '\n';
	text[len] = '\0';
	struct bench *b = bench_new(text);

	/* there is room for others: it waits alone */
	add_parcel(b, 1, 1, 1);
	run_with_room(b, 100 * 1024);
	expect_int(b->downs, 0);
	expect_int(b->outcomes[0][0].kind, OUTCOME_LATER);
	expect_contains(b->outcomes[0][0].text, "File too large");
	expect_int(count_files(b, "tmp", NULL), 0);
	expect_int(count_files(b, "new", NULL), 0);
	/* for none: the transport's trouble, and it goes behind the others */
	b->nparcels = b->next = b->finished = 0;
	add_parcel(b, 2, 1, 1);
	run_with_room(b, 1024);
	expect_int(b->downs, 1);
	expect_int(b->why.kind, FAILURE_LATER);
	expect_int(b->outcomes[0][0].kind, OUTCOME_UNTOUCHED);
	expect_true(b->outcomes[0][0].tried);
	expect_int(count_files(b, "tmp", NULL), 0);
	expect_int(count_files(b, "new", NULL), 0);
	bench_free(b);
}

TEST(content_that_is_lost_is_that_mails_trouble)
{
	size_t len = 1024 * 1024;
	AUTO(free) char *text = xmalloc(len + 1);

	memset(text, 'a', len);
	for (size_t i = 70; i < len; i += 71)
		text[i] = '\n';
	text[len] = '\0';
	struct bench *b = bench_new(text);

	b->refuse_content = true;
	add_parcel(b, 1, 2, 1);
	wake_until_done(b);
	expect_int(b->downs, 0);
	expect_int(b->outcomes[0][0].kind, OUTCOME_REFUSED);
	expect_int(b->outcomes[0][1].kind, OUTCOME_REFUSED);
	expect_int(count_files(b, "tmp", NULL), 0);
	bench_free(b);
}

static void idle(void *ctx)
{
	((struct bench *)ctx)->idle = true;
}

TEST(retiring_finishes_what_is_under_way_and_closing_does_not_wait)
{
	struct bench *b = bench_new("hello\n");

	add_parcel(b, 1, 3, 1);
	add_parcel(b, 10, 1, 1);
	transport_maildir.wake(b->transport, 2);
	while (b->next == 0)
		loop_turn(b->loop, true);
	transport_maildir.retire(b->transport, idle, b);
	while (!b->idle)
		loop_turn(b->loop, true);
	expect_int(b->finished, 1);
	expect_int(b->next, 1);
	expect_int(count_files(b, "new", NULL), 3);
	transport_maildir.close(b->transport);
	open_transport(b);
	transport_maildir.wake(b->transport, 1);
	while (b->next == 1)
		loop_turn(b->loop, true);
	transport_maildir.close(b->transport);
	expect_int(b->finished, 1);
	expect_int(count_files(b, "tmp", NULL), 0);
	open_transport(b);
	bench_free(b);
}

RUN_TESTS()
