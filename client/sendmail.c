/* client/sendmail.c - nuncio as sendmail, mailq and newaliases: what the words on the
 * command line ask for. What becomes of a mail then is in post.c, a conversation by
 * SMTP in sendmail_talk.c. */
#include "command.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "link.h"
#include "memfd.h"
#include "post.h"
#include "sendmail_headers.h"
#include "sendmail_input.h"
#include "sendmail_options.h"
#include "sendmail_talk.h"
#include "varlink.h"

enum {
	HEADER_BYTES = 1024 * 1024, /* read before anything is done */
	PIECE_BYTES = 1024 * 1024,
	MAIL_MAX = 512 * 1024 * 1024,
};

static int complain(int status, const struct failure *f)
{
	fprintf(stderr, "sendmail: %s\n", f->text);
	return status;
}

static int complain_input(const struct failure *f)
{
	return complain(f->kind == FAILURE_REFUSED ? EX_DATAERR : EX_NOINPUT, f);
}

/* What a From that is missing is made of: the sender's address, or, to carry a name,
 * the user, whom the daemon knows how to address. */
static const char *make_from(const struct sendmail_options *o, struct address *sender)
{
	struct passwd *user;

	if (o->sender && address_parse(o->sender, strlen(o->sender), sender, NULL) == 0)
		return sender->mailbox;
	if (!o->name)
		return NULL;
	user = getpwuid(getuid());
	return user ? user->pw_name : "nobody";
}

static int write_start(const struct sendmail_options *o, const struct sendmail_headers *h,
		       const struct buf *head, int fd, struct failure *f)
{
	struct address sender = {0};
	struct buf start;

	buf_init(&start, 2 * HEADER_BYTES + PIECE_BYTES);
	int result = sendmail_headers_write(h, make_from(o, &sender), o->name, &start);

	if (result < 0)
		failure_set(f, FAILURE_REFUSED, "the mail's header is too large");
	else if (memfd_add(fd, buf_bytes(&start), start.len, f) < 0 ||
		 memfd_add(fd, h->bytes + h->body, head->len - h->body, f) < 0)
		result = -1;
	address_clear(&sender);
	buf_clear(&start);
	return result;
}

/* The rest of the mail, in pieces. */
static int write_rest(struct dot_filter *input, struct buf *piece, int fd, struct failure *f)
{
	size_t all = 0;

	while (!input->ended) {
		buf_drain(piece, piece->len);
		if (sendmail_input_read(STDIN_FILENO, input, 1, piece, f) < 0 ||
		    memfd_add(fd, buf_bytes(piece), piece->len, f) < 0)
			return -1;
		all += piece->len;
		if (all > MAIL_MAX)
			return failure_set(f, FAILURE_REFUSED, "the mail is larger than %d MiB",
					   MAIL_MAX / 1024 / 1024);
	}
	return 0;
}

static int take_recipients(const struct sendmail_options *o, const struct sendmail_headers *h,
			   struct post *post)
{
	struct failure f;

	for (size_t i = 0; i < o->nto; i++) {
		if (address_list_add(&post->to, o->to[i], strlen(o->to[i]), &f) < 0)
			return complain(EX_DATAERR, &f);
	}
	if (o->from_header && sendmail_headers_recipients(h, &post->to, &f) < 0)
		return complain(EX_DATAERR, &f);
	if (post->to.n)
		return 0;
	failure_set(&f, FAILURE_REFUSED,
		    o->from_header ? "the mail's To, Cc and Bcc name nobody"
				   : "to whom? name recipients, or say -t");
	return complain(o->from_header ? EX_DATAERR : EX_USAGE, &f);
}

/* From standard input into post: to whom, and the mail. */
static int read_mail(const struct sendmail_options *o, struct buf *head, struct post *post)
{
	struct dot_filter input = {.dots_stay = o->dots_stay};
	struct sendmail_headers h;
	struct failure f;

	if (sendmail_input_read(STDIN_FILENO, &input, HEADER_BYTES, head, &f) < 0)
		return complain_input(&f);
	if (sendmail_headers_read(buf_bytes(head), head->len, !input.ended, &h, &f) < 0)
		return complain(EX_DATAERR, &f);
	int status = take_recipients(o, &h, post);
	if (status)
		return status;
	post->fd = memfd_open(&f);
	if (post->fd < 0 || write_start(o, &h, head, post->fd, &f) < 0)
		return complain(EX_OSERR, &f);
	if (write_rest(&input, head, post->fd, &f) < 0)
		return complain(f.kind == FAILURE_REFUSED ? EX_UNAVAILABLE : EX_IOERR, &f);
	return memfd_seal(post->fd, &f) < 0 ? complain(EX_OSERR, &f) : 0;
}

static int send_mail(struct context *context, const struct sendmail_options *o)
{
	struct post post = {.sender = o->sender,
			    .fd = -1,
			    .notify = o->notify,
			    .ret = o->ret,
			    .envid = o->envid};
	struct buf head;

	if (!o->nto && !o->from_header)
		return take_recipients(o, NULL, &post);
	buf_init(&head, HEADER_BYTES + PIECE_BYTES);
	int status = read_mail(o, &head, &post);

	buf_clear(&head);
	if (!status)
		status = post_mail(context, &post, o->verbose);
	post_clear(&post);
	return status;
}

static int list_queue(struct context *context)
{
	char *words[] = {(char[]){"queue"}, NULL};

	context->when_empty = "Mail queue is empty";
	return queue_run(context, 1, words);
}

/* Of what waits, all that the caller may touch is due now. */
static int flush_queue(struct context *context)
{
	struct varlink_reply reply;
	int status = 0;
	AUTO(link_close) struct link *link = context_link(context, &status);

	if (!link)
		return status;
	status = context_call(link, "Retry", json_pack("{s:{s:[s]}}", "select", "states", "queued"),
			      &reply);
	if (!status)
		varlink_reply_clear(&reply);
	return status;
}

static int do_deed(struct context *context, const struct sendmail_options *o)
{
	switch (o->deed) {
	case SENDMAIL_SEND:
		return send_mail(context, o);
	case SENDMAIL_LIST:
		return list_queue(context);
	case SENDMAIL_FLUSH:
		return flush_queue(context);
	case SENDMAIL_ALIASES:
		return 0;
	case SENDMAIL_TALK:
		return sendmail_talk(context, o);
	}
	return EX_SOFTWARE;
}

static const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool sendmail_is_called(const char *path)
{
	const char *name = program_name(path);

	return strcmp(name, "sendmail") == 0 || strcmp(name, "mailq") == 0 ||
	       strcmp(name, "newaliases") == 0;
}

int sendmail_run(struct context *context, int argc, char **argv)
{
	struct sendmail_options options;
	struct failure f;
	int status = EX_USAGE;

	if (sendmail_options_read(program_name(argv[0]), argc, argv, &options, &f) < 0)
		complain(EX_USAGE, &f);
	else
		status = do_deed(context, &options);
	sendmail_options_clear(&options);
	return status;
}
