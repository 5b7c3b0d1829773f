/* A Maildir as a mailbox, with real directories: what is handed over, what becomes of
 * it, and what must not stop it. */
#include "mailbox/maildir.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "buf.h"
#include "config/mailbox_config.h"
#include "tests/unit/expect.h"
#include "failure.h"
#include "mailbox/mailbox.h"

struct stage {
	struct loop *loop;
	struct mailbox *box;
	struct mailbox_config config;
	char dir[64], path[80], name[8], type[8];
	struct buf story; /* "mail REF LEN|" "cursor 1|" "watching|" */
	bool close_in_mail, done;
	struct failure why;
};

static void hear_mail(void *ctx, const struct mail *mail)
{
	struct stage *s = ctx;

	buf_printf(&s->story, "mail %s %zu%s|", mail->ref, mail->len, mail->cut ? " cut" : "");
	expect_text(mail->cursor, "1");
	expect_true(mail->received_ms > 0);
	if (!s->close_in_mail)
		return;
	mailbox_maildir.close(s->box);
	s->box = NULL;
}

static void hear_cursor(void *ctx, const char *cursor)
{
	struct stage *s = ctx;

	buf_printf(&s->story, "cursor %s|", cursor);
}

static void hear_state(void *ctx, enum mailbox_state state, const struct failure *why)
{
	struct stage *s = ctx;

	expect_true((state == MAILBOX_DOWN) == (why != NULL));
	buf_add_text(&s->story, state == MAILBOX_DOWN ? "down|" : "up|");
}

static const struct mailbox_events events = {hear_mail, hear_cursor, hear_state};

static struct stage *stage_new(void)
{
	struct stage *s = xcalloc(1, sizeof(*s));

	buf_init(&s->story, 1024 * 1024);
	strcpy(s->dir, "/tmp/nuncio-box-XXXXXX");
	expect_some(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/Maildir", s->dir);
	strcpy(s->name, "box");
	strcpy(s->type, "maildir");
	s->config.name = s->name;
	s->config.type = s->type;
	s->config.max_mail_bytes = 1000;
	s->config.maildir.path = s->path;
	s->loop = loop_new();
	return s;
}

static void open_box(struct stage *s, const char *cursor)
{
	struct mailbox_env env = {.loop = s->loop, .events = &events, .events_ctx = s};
	struct failure f;

	expect_ok(mailbox_maildir.open(&env, &s->config, cursor, &s->box, &f), &f);
}

static int remove_one(const char *path, const struct stat *about, int flag, struct FTW *at)
{
	return remove(path);
}

static void stage_free(struct stage *s)
{
	if (s->box)
		mailbox_maildir.close(s->box);
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	loop_free(s->loop);
	buf_clear(&s->story);
	free(s);
}

/* Until so much was told; then that is all that was. */
static void until(struct stage *s, const char *story)
{
	while (s->story.len < strlen(story))
		loop_turn(s->loop, true);
	expect_text(buf_bytes(&s->story), story);
	buf_drain(&s->story, s->story.len);
}

static char *file(struct stage *s, const char *name)
{
	return xprintf("%s/%s", s->path, name);
}

static bool is_there(struct stage *s, const char *name)
{
	AUTO(free) char *path = file(s, name);

	return access(path, F_OK) == 0;
}

/* As a Maildir wants it: written elsewhere, then moved. */
static void deliver(struct stage *s, const char *name, const char *text)
{
	AUTO(free) char *tmp = xprintf("%s/part", s->dir);
	AUTO(free) char *path = xprintf("%s/new/%s", s->path, name);
	FILE *out = fopen(tmp, "w");

	expect_some(out);
	fputs(text, out);
	fclose(out);
	expect_int(rename(tmp, path), 0);
}

static void make_box(struct stage *s)
{
	static const char *const parts[] = {"", "new", "cur", "tmp"};

	for (size_t i = 0; i < 4; i++) {
		AUTO(free) char *path = file(s, parts[i]);

		expect_int(mkdir(path, 0700), 0);
	}
}

static void hear_done(void *ctx, const struct failure *why)
{
	struct stage *s = ctx;

	expect_false(s->done);
	s->done = true;
	s->why = why ? *why : (struct failure){0};
}

static enum failure_kind deed(struct stage *s, enum deed_on_mail what, const char *ref,
			      const char *target)
{
	s->done = false;
	mailbox_maildir.deed(s->box, what, ref, target, hear_done, s);
	expect_false(s->done);
	while (!s->done)
		loop_turn(s->loop, true);
	return s->why.kind;
}

TEST(a_maildir_is_made_and_mail_is_heard_of_at_once)
{
	struct stage *s = stage_new();

	open_box(s, NULL);
	until(s, "up|cursor 1|");
	deliver(s, "1.a.host", "Subject: x\n\nhello\n");
	until(s, "mail 1.a.host 18|");
	expect_true(is_there(s, "new/1.a.host"));
	deliver(s, "2.b.host", "hello");
	mailbox_maildir.next(s->box);
	until(s, "mail 2.b.host 5|");
	expect_true(is_there(s, "cur/1.a.host:2,"));
	stage_free(s);
}

TEST(what_was_not_finished_is_handed_over_again)
{
	struct stage *s = stage_new();

	make_box(s);
	deliver(s, "1.a.host", "hello");
	s->close_in_mail = true;
	open_box(s, "1");
	until(s, "up|mail 1.a.host 5|");
	s->close_in_mail = false;
	open_box(s, "1");
	until(s, "up|mail 1.a.host 5|");
	stage_free(s);
}

TEST(what_is_no_mail_stops_nothing)
{
	struct stage *s = stage_new();
	AUTO(free) char *fifo = file(s, "new/fifo"), *link = file(s, "new/link");
	AUTO(free) char *folder = file(s, "new/folder"), *large = xcalloc(1, 3001);
	struct mailbox_status status;

	make_box(s);
	expect_int(mkfifo(fifo, 0600), 0);
	expect_int(symlink("/etc/passwd", link), 0);
	expect_int(mkdir(folder, 0700), 0);
	memset(large, 'x', 3000);
	memcpy(large, "Subject: y\n\n", 12);
	deliver(s, ".hidden", "x");
	deliver(s, "odd\n\xff%name", large);
	open_box(s, "1");
	until(s, "up|mail odd%0A%FF%25name 12 cut|");
	mailbox_maildir.status(s->box, &status);
	expect_contains(status.reason, "can't be read");
	expect_int(deed(s, MAIL_DELETE, "odd%0A%FF%25name", NULL), FAILURE_NONE);
	expect_false(is_there(s, "new/odd\n\xff%name"));
	stage_free(s);
}

TEST(deeds_find_a_mail_wherever_others_put_it)
{
	struct stage *s = stage_new();
	AUTO(free) char *now = file(s, "cur/1.a:2,S"), *was = file(s, "new/1.a");

	make_box(s);
	deliver(s, "1.a", "hello");
	open_box(s, "1");
	until(s, "up|mail 1.a 5|");
	expect_int(rename(was, now), 0);
	expect_int(deed(s, MAIL_FLAG, "1.a", "flagged"), FAILURE_NONE);
	expect_true(is_there(s, "cur/1.a:2,FS"));
	expect_int(deed(s, MAIL_FLAG, "1.a", "answered"), FAILURE_NONE);
	expect_int(deed(s, MAIL_FLAG, "1.a", "seen"), FAILURE_NONE);
	expect_true(is_there(s, "cur/1.a:2,FRS"));
	expect_int(deed(s, MAIL_FLAG, "1.a", "blue"), FAILURE_REFUSED);
	expect_int(deed(s, MAIL_MOVE, "1.a", "../x"), FAILURE_REFUSED);
	expect_int(deed(s, MAIL_MOVE, "1.a", "."), FAILURE_REFUSED);
	expect_int(deed(s, MAIL_MOVE, "1.a", "./x"), FAILURE_REFUSED);
	expect_int(deed(s, MAIL_MOVE, "1.a", ".Archive"), FAILURE_NONE);
	expect_true(is_there(s, ".Archive/cur/1.a:2,FRS"));
	expect_int(deed(s, MAIL_DELETE, "1.a", NULL), FAILURE_NONE);
	expect_true(is_there(s, ".Archive/cur/1.a:2,FRS"));
	stage_free(s);
}

TEST(a_disk_that_goes_and_comes_back)
{
	struct stage *s = stage_new();
	AUTO(free) char *away = xprintf("%s.away", s->dir);

	make_box(s);
	expect_int(rename(s->dir, away), 0);
	open_box(s, "1");
	until(s, "down|");
	expect_int(rename(away, s->dir), 0);
	deliver(s, "1.a", "hello");
	loop_turn_clock(s->loop, 1000);
	until(s, "up|mail 1.a 5|");
	stage_free(s);
}

TEST(a_directory_in_its_place_is_found_by_looking_now_and_then)
{
	struct stage *s = stage_new();
	AUTO(free) char *new = file(s, "new"), *old = file(s, "old");

	open_box(s, "1");
	until(s, "up|");
	while (s->loop && !is_there(s, "new"))
		loop_turn(s->loop, true);
	expect_int(rename(new, old), 0);
	expect_int(mkdir(new, 0700), 0);
	deliver(s, "1.a", "hello");
	for (int i = 0; i < 3; i++)
		loop_turn(s->loop, false);
	loop_turn_clock(s->loop, 60000);
	until(s, "mail 1.a 5|");
	stage_free(s);
}

RUN_TESTS()
