/* net/resolve.c - decides where addresses come from (a literal, a test's
 * pretence, getaddrinfo on a thread) and in which order they are tried. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/worker.h"
#include "failure.h"
#include "text.h"

#define THREADS_MAX 4

struct pretence {
	char *host;                /* owned */
	struct address_list *list; /* owned; NULL: there is no such name */
	int64_t delay_ms;
	struct pretence *next;
};

struct resolver {
	struct loop *loop;
	struct worker *worker;      /* owned */
	struct lookup *lookups;     /* owned, by .next; those with a thread may be cancelled ones */
	struct pretence *pretended; /* owned, by .next */
};

struct lookup {
	struct job job; /* first: a job is its lookup */
	struct resolver *resolver;
	lookup_done_fn *done; /* NULL: cancelled */
	void *ctx;
	struct deadline later; /* for what needs no thread */
	bool threaded;
	struct lookup *next, **link;

	/* the thread's while it has the job */
	char *host; /* owned */
	uint16_t port;
	struct address_list *list; /* owned; NULL: why says it */
	struct failure why;
	atomic_bool let_go; /* by the thread or by the resolver: the second one frees */
};

static void lookup_destroy(struct lookup *l)
{
	free(l->host);
	free(l->list);
	free(l);
}

static void lookup_unlink(struct lookup *l)
{
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
}

/* Tells the one who asked; l is gone before they hear. */
static void lookup_answer(struct lookup *l)
{
	struct address_list *list = TAKE(l->list);
	lookup_done_fn *done = l->done;
	void *ctx = l->ctx;
	struct failure why = l->why;

	lookup_unlink(l);
	if (l->later.event)
		deadline_clear(&l->later);
	lookup_destroy(l);
	if (done)
		done(ctx, list, list ? NULL : &why);
	free(list);
}

static void add_address(struct address_list *list, const struct addrinfo *info, uint16_t port)
{
	struct sockaddr_storage *address = &list->at[list->count].address;

	memcpy(address, info->ai_addr, info->ai_addrlen);
	if (info->ai_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)address)->sin_port = htons(port);
	list->at[list->count++].len = info->ai_addrlen;
}

/* The next of a family (or, with other, of the others), from info on. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family, bool other)
{
	while (info && (info->ai_family == family) == other)
		info = info->ai_next;
	return info;
}

/* Families take turns, the one of getaddrinfo's first address leads. */
static struct address_list *in_turns(const struct addrinfo *found, uint16_t port)
{
	struct address_list *list = xcalloc(1, sizeof(*list));
	int family = found->ai_family;
	const struct addrinfo *ours = found;
	const struct addrinfo *theirs = next_of(found, family, true);

	while ((ours || theirs) && list->count < RESOLVE_MAX) {
		if (ours) {
			add_address(list, ours, port);
			ours = next_of(ours->ai_next, family, false);
		}
		if (theirs && list->count < RESOLVE_MAX) {
			add_address(list, theirs, port);
			theirs = next_of(theirs->ai_next, family, true);
		}
	}
	return list;
}

static void ask(struct lookup *l, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL;
	int error = getaddrinfo(l->host, NULL, &hints, &found);

	if (error == EAI_SYSTEM) {
		failure_errno(&l->why, FAILURE_LATER, errno, "no address for %s", l->host);
	} else if (error || !found) {
		failure_set(&l->why, FAILURE_LATER, "no address for %s: %s", l->host,
			    error ? gai_strerror(error) : "none found");
	} else {
		l->list = in_turns(found, l->port);
	}
	if (found)
		freeaddrinfo(found);
}

static void run_on_thread(struct job *job)
{
	struct lookup *l = (struct lookup *)job;

	ask(l, 0);
	if (atomic_exchange(&l->let_go, true))
		lookup_destroy(l);
}

static void thread_done(struct job *job)
{
	lookup_answer((struct lookup *)job);
}

static void answer_later(void *ctx)
{
	lookup_answer(ctx);
}

struct resolver *resolver_new(struct loop *loop)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->worker = worker_new(loop, "resolver", THREADS_MAX, NULL, NULL);
	return r;
}

static void pretended_free(struct pretence *p)
{
	while (p) {
		struct pretence *next = p->next;

		free(p->host);
		free(p->list);
		free(p);
		p = next;
	}
}

void resolver_free(struct resolver *r)
{
	struct job *back;

	if (!r)
		return;
	back = worker_abandon(r->worker);
	while (back) {
		struct lookup *l = (struct lookup *)back;

		back = back->next;
		lookup_unlink(l);
		lookup_destroy(l);
	}
	while (r->lookups) {
		struct lookup *l = r->lookups;

		lookup_unlink(l);
		if (l->later.event)
			deadline_clear(&l->later);
		if (!l->threaded || atomic_exchange(&l->let_go, true))
			lookup_destroy(l);
	}
	pretended_free(r->pretended);
	free(r);
}

static struct address_list *pretend_list(const struct pretence *p, uint16_t port)
{
	struct address_list *list;

	if (!p->list)
		return NULL;
	list = xmemdup(p->list, sizeof(*list));
	for (size_t i = 0; i < list->count; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&list->at[i].address;
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&list->at[i].address;

		if (in->sin_family == AF_INET && !in->sin_port)
			in->sin_port = htons(port);
		if (in->sin_family == AF_INET6 && !in6->sin6_port)
			in6->sin6_port = htons(port);
	}
	return list;
}

static const struct pretence *find_pretence(const struct resolver *r, const char *host)
{
	for (const struct pretence *p = r->pretended; p; p = p->next)
		if (text_equal_nocase(p->host, host))
			return p;
	return NULL;
}

struct lookup *resolver_look_up(struct resolver *r, const char *host, uint16_t port,
				lookup_done_fn *done, void *ctx)
{
	const struct pretence *p = find_pretence(r, host);
	struct lookup *l = xcalloc(1, sizeof(*l));

	l->job = (struct job){.run = run_on_thread, .done = thread_done};
	l->resolver = r;
	l->done = done;
	l->ctx = ctx;
	l->host = xstrdup(host);
	l->port = port;
	l->next = r->lookups;
	if (l->next)
		l->next->link = &l->next;
	l->link = &r->lookups;
	r->lookups = l;
	if (p) {
		l->list = pretend_list(p, port);
		failure_set(&l->why, FAILURE_LATER, "no address for %s: pretended", host);
	} else {
		ask(l, AI_NUMERICHOST);
	}
	l->threaded = !p && !l->list;
	if (l->threaded) {
		worker_do(r->worker, &l->job);
	} else {
		deadline_init(&l->later, r->loop, answer_later, l);
		deadline_set(&l->later, p ? p->delay_ms : 0);
	}
	return l;
}

void lookup_cancel(struct lookup *l)
{
	if (!l)
		return;
	l->done = NULL;
	if (!l->threaded)
		lookup_answer(l);
}

void resolver_pretend(struct resolver *r, const char *host, const struct address_list *list,
		      int64_t delay_ms)
{
	struct pretence *p = xcalloc(1, sizeof(*p));

	p->host = xstrdup(host);
	p->list = list ? xmemdup(list, sizeof(*list)) : NULL;
	p->delay_ms = delay_ms;
	p->next = r->pretended;
	r->pretended = p;
}
