/* client/post.c - see post.h. */
#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "auto.h"
#include "command.h"
#include "drop.h"
#include "failure.h"
#include "link.h"
#include "spool.h"
#include "varlink.h"

enum { ANSWER_MS = 60 * 1000, KEY_BYTES = 16 };

void post_clear(struct post *p)
{
	address_list_clear(&p->to);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static int complain(int status, const struct failure *f)
{
	fprintf(stderr, "nuncio: %s\n", f->text);
	return status;
}

static const char *envelope_sender(const struct post *p)
{
	return p->sender && *p->sender && !address_looks_like(p->sender) ? NULL : p->sender;
}

static void make_key(char out[2 * KEY_BYTES + 1])
{
	unsigned char bytes[KEY_BYTES];

	if (getentropy(bytes, sizeof(bytes)) < 0)
		abort();
	for (size_t i = 0; i < KEY_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int add_text(json_t *parameters, const char *name, const char *value)
{
	return value ? json_object_set_new(parameters, name, json_string(value)) : 0;
}

/* NULL and a status: something in it is not UTF-8. */
static json_t *make_parameters(const struct post *p, const char *key, int *ret_status)
{
	json_t *to = json_array();
	json_t *parameters = json_pack("{s:o, s:i, s:s}", "to", to, "descriptor", 0, "key", key);
	const char *sender = envelope_sender(p);
	int status = 0;

	for (size_t i = 0; i < p->to.n; i++) {
		if (json_array_append_new(to, json_string(p->to.list[i])) < 0)
			status = EX_NOUSER;
	}
	if (sender && json_object_set_new(parameters, "from", json_string(sender)) < 0)
		status = EX_DATAERR;
	if (add_text(parameters, "notify", p->notify) < 0 ||
	    add_text(parameters, "ret", p->ret) < 0 || add_text(parameters, "envid", p->envid) < 0)
		status = EX_DATAERR;
	if (!status)
		return parameters;
	fputs("nuncio: an address is not UTF-8\n", stderr);
	json_decref(parameters);
	*ret_status = status;
	return NULL;
}

/* What the daemon would refuse at once is refused without it, too: an address that is
 * none. Names of this machine are known to it alone. */
static int check_addresses(const struct post *p)
{
	struct address address;
	struct failure f;

	for (size_t i = 0; i <= p->to.n; i++) {
		const char *one = i < p->to.n ? p->to.list[i] : envelope_sender(p);

		if (!one || !address_looks_like(one))
			continue;
		if (address_parse(one, strlen(one), &address, &f) < 0)
			return complain(i < p->to.n ? EX_NOUSER : EX_DATAERR, &f);
		address_clear(&address);
	}
	return 0;
}

static int leave_in_drop(const struct post *p, const char *key, bool verbose,
			 const struct failure *why)
{
	const char *sender = envelope_sender(p), *directory = drop_directory();
	struct spool spool = {.key = (char *)key,
			      .sender = (char *)sender,
			      .notify = (char *)p->notify,
			      .ret = (char *)p->ret,
			      .envid = (char *)p->envid,
			      .recipients = p->to.list,
			      .nrecipients = p->to.n};
	struct stat about;
	struct failure f;
	int status = check_addresses(p);

	if (status)
		return status;
	if (fstat(p->fd, &about) < 0)
		return EX_OSERR;
	spool.size = (uint64_t)about.st_size;
	if (drop_leave(directory, &spool, p->fd, &f) < 0) {
		fprintf(stderr, "nuncio: %s; and the mail can't be left for it: %s\n", why->text,
			f.text);
		return f.kind == FAILURE_REFUSED ? EX_DATAERR : EX_TEMPFAIL;
	}
	if (verbose)
		fprintf(stderr, "nuncio: %s; the mail waits in %s for it\n", why->text, directory);
	return 0;
}

/* -1: nobody has answered, f says how that is. Else an exit status. */
static int submit(struct context *context, const struct post *p, json_t *parameters, bool verbose,
		  struct failure *f)
{
	struct varlink_reply reply;
	AUTO(link_close) struct link *link = NULL;
	int status = 0;

	if (link_open(context->socket, &link, f) < 0) {
		json_decref(parameters);
		return f->kind == FAILURE_LATER ? -1 : complain(EX_CONFIG, f);
	}
	if (link_send(link, "Submit", parameters, false, &p->fd, 1, f) < 0 ||
	    link_receive(link, ANSWER_MS, &reply, f) < 0)
		return f->kind == FAILURE_LATER ? -1 : complain(EX_PROTOCOL, f);
	if (reply.error)
		status = say_error(&reply);
	else if (verbose)
		fprintf(stderr, "nuncio: queued as message %lld\n",
			(long long)number_of(reply.parameters, "id"));
	varlink_reply_clear(&reply);
	return status;
}

int post_mail(struct context *context, const struct post *p, bool verbose)
{
	char key[2 * KEY_BYTES + 1];
	struct failure f;
	int status = 0;

	make_key(key);
	json_t *parameters = make_parameters(p, key, &status);
	if (!parameters)
		return status;
	status = submit(context, p, parameters, verbose, &f);
	return status < 0 ? leave_in_drop(p, key, verbose, &f) : status;
}
