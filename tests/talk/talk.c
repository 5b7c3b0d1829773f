/* tests/talk/talk.c - goes through a script over a socket, one step after the
 * other, as far as each turn of the loop allows. */
#include "talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "alloc.h"
#include "base/loop.h"
#include "buf.h"
#include "certificates.h"
#include "script.h"

#define BYTES_MAX ((size_t)64 << 20)
#define GUARD_S 10

struct talk {
	struct loop *loop;
	struct talk_options options;
	struct script script;
	size_t at;     /* the step that is next */
	char *problem; /* owned, or NULL */
	uint16_t port;

	int listen_fd; /* owned; -1: over a pair */
	struct watch listen_watch;
	int fd; /* owned; -1: nobody is connected */
	struct watch watch;
	struct ssl_ctx_st *tls; /* owned, or NULL */
	struct ssl_st *ssl;     /* owned, or NULL */
	bool shaking, left;     /* left: the client ended its side */
	unsigned resumptions;
	struct buf in, out;
	struct task go;
};

static void advance(void *ctx);

static void differs(struct talk *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void differs(struct talk *t, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	if (t->problem)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (t->at < t->script.count)
		t->problem = xprintf("step %zu, %s %s: %s", t->at + 1,
				     step_name(&t->script.steps[t->at]),
				     t->script.steps[t->at].text, text);
	else
		t->problem = xprintf("after the last step: %s", text);
}

static void hang_up(struct talk *t)
{
	if (t->fd < 0)
		return;
	watch_clear(&t->watch);
	SSL_free(t->ssl);
	t->ssl = NULL;
	close(t->fd);
	t->fd = -1;
	t->shaking = false;
}

static void socket_ready(void *ctx, unsigned ready)
{
	advance(ctx);
}

static void begin_tls(struct talk *t)
{
	if (!t->tls) {
		t->tls = certificate_context(t->options.certificate);
		if (t->options.max_tls)
			SSL_CTX_set_max_proto_version(t->tls, t->options.max_tls);
	}
	t->ssl = SSL_new(t->tls);
	SSL_set_fd(t->ssl, t->fd);
	SSL_set_accept_state(t->ssl);
	t->shaking = true;
}

static void attach(struct talk *t, int fd)
{
	t->fd = fd;
	t->left = false;
	buf_clear(&t->in);
	watch_init(&t->watch, t->loop, fd, socket_ready, t);
	watch_want(&t->watch, WATCH_READ);
	if (t->options.tls_at_once)
		begin_tls(t);
}

static void accept_ready(void *ctx, unsigned ready)
{
	struct talk *t = ctx;
	int one = 1;
	int fd = accept4(t->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch_want(&t->listen_watch, 0);
	attach(t, fd);
	advance(t);
}

/* -1: not now; 0: ended or broken. */
static ssize_t judge(struct talk *t, int result)
{
	int error = t->ssl ? SSL_get_error(t->ssl, result) : 0;

	if (result > 0)
		return result;
	if (!t->ssl)
		return result < 0 && errno == EAGAIN ? -1 : 0;
	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static void hear_all(struct talk *t)
{
	ssize_t len;

	do {
		char *room = buf_room(&t->in, 4096);

		errno = 0;
		len = judge(t, t->ssl ? SSL_read(t->ssl, room, 4096)
				      : (int)recv(t->fd, room, 4096, 0));
		buf_wrote(&t->in, len > 0 ? (size_t)len : 0);
	} while (len > 0);
	if (len == 0) {
		t->left = true;
		watch_want(&t->watch, 0);
	}
}

static void send_out(struct talk *t)
{
	ssize_t len = 1;

	while (len > 0 && t->out.len > 0) {
		int size = t->options.drip ? 1 : (int)t->out.len;

		errno = 0;
		len = judge(t, t->ssl ? SSL_write(t->ssl, buf_bytes(&t->out), size)
				      : (int)send(t->fd, buf_bytes(&t->out), (size_t)size,
						  MSG_NOSIGNAL));
		buf_drain(&t->out, len > 0 ? (size_t)len : 0);
		if (t->options.drip)
			break;
	}
	if (len == 0)
		differs(t, "the client has gone");
	else if (t->out.len > 0 && len > 0)
		task_start(&t->go);
	else if (t->out.len > 0)
		watch_want(&t->watch, WATCH_READ | WATCH_WRITE);
	else if (!t->left)
		watch_want(&t->watch, WATCH_READ);
}

/* The step functions return false when there is something to wait for. */
static bool say(struct talk *t)
{
	while (t->at < t->script.count) {
		const struct step *step = &t->script.steps[t->at];

		if (step->kind != STEP_SAY && step->kind != STEP_SAY_BARE)
			break;
		buf_add_text(&t->out, step->text);
		if (step->kind == STEP_SAY)
			buf_add_text(&t->out, "\r\n");
		t->at++;
	}
	return true;
}

static bool take_line(struct talk *t, char **ret)
{
	const char *bytes = buf_bytes(&t->in);
	const char *end = memchr(bytes, '\n', t->in.len);

	if (!end)
		return false;
	size_t len = (size_t)(end - bytes);

	*ret = xmemdup(bytes, len);
	buf_drain(&t->in, len + 1);
	if (len > 0 && (*ret)[len - 1] == '\r')
		(*ret)[len - 1] = '\0';
	else
		differs(t, "a line of the client ends with a bare LF: %s", *ret);
	return true;
}

static bool hear(struct talk *t)
{
	const struct step *step = &t->script.steps[t->at];
	bool any = step_hears_any_number(step);
	const struct step *wanted = any ? step + 1 : step;
	char *line;

	if (!take_line(t, &line)) {
		if (t->left)
			differs(t, "the client left (unread: %s)", buf_bytes(&t->in));
		return false;
	}
	if (step_matches(wanted, line))
		t->at += any ? 2 : 1;
	else if (!any)
		differs(t, "heard: %s", line);
	free(line);
	return true;
}

static bool hear_bare(struct talk *t)
{
	const char *wanted = t->script.steps[t->at].text;
	size_t len = strlen(wanted), n = len < t->in.len ? len : t->in.len;

	if (memcmp(buf_bytes(&t->in), wanted, n) != 0)
		differs(t, "heard: %s", buf_bytes(&t->in));
	else if (n < len && t->left)
		differs(t, "the client left (unread: %s)", buf_bytes(&t->in));
	if (n < len || t->problem)
		return false;
	buf_drain(&t->in, len);
	t->at++;
	return true;
}

static bool shake(struct talk *t)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(t->ssl);
	if (result == 1) {
		t->shaking = false;
		t->resumptions += SSL_session_reused(t->ssl) ? 1 : 0;
		return true;
	}
	if (judge(t, result) == 0) {
		differs(t, "the TLS handshake broke");
		t->left = true;
		watch_want(&t->watch, 0);
	}
	return false;
}

static bool starttls(struct talk *t)
{
	if (t->in.len)
		differs(t, "the client did not wait for TLS");
	begin_tls(t);
	t->at++;
	return true;
}

static bool end_connection(struct talk *t, enum step_kind kind)
{
	struct linger reset = {.l_onoff = 1};

	t->at++;
	if (kind == STEP_RESET) {
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		hang_up(t);
		return true;
	}
	if (t->ssl && kind == STEP_CLOSE)
		SSL_shutdown(t->ssl);
	/* Closing with something unread would be a reset */
	shutdown(t->fd, SHUT_WR);
	return true;
}

static bool wait_gone(struct talk *t)
{
	if (!t->left)
		return false;
	t->at++;
	return true;
}

static bool accept_next(struct talk *t)
{
	t->at++;
	hang_up(t);
	watch_want(&t->listen_watch, WATCH_READ);
	return false;
}

static bool take_step(struct talk *t)
{
	enum step_kind kind = t->script.steps[t->at].kind;

	switch (kind) {
	case STEP_SAY:
	case STEP_SAY_BARE:
		return say(t);
	case STEP_HEAR:
		return hear(t);
	case STEP_HEAR_BARE:
		return hear_bare(t);
	case STEP_STARTTLS:
		return starttls(t);
	case STEP_CLOSE:
	case STEP_DROP:
	case STEP_RESET:
		return end_connection(t, kind);
	case STEP_GONE:
		return wait_gone(t);
	case STEP_ACCEPT:
		return accept_next(t);
	}
	return false;
}

/* Without a client only the next one can be waited for. */
static bool may_go_on(const struct talk *t)
{
	return t->fd >= 0 ||
	       (t->at < t->script.count && t->script.steps[t->at].kind == STEP_ACCEPT);
}

static void advance(void *ctx)
{
	struct talk *t = ctx;

	if (t->fd >= 0 && t->shaking && !shake(t))
		return;
	if (t->fd >= 0 && !t->left)
		hear_all(t);
	while (!t->problem && may_go_on(t)) {
		if (t->out.len > 0)
			send_out(t);
		if (t->out.len > 0 || t->at == t->script.count || !take_step(t))
			return;
		if (t->shaking && !shake(t))
			return;
	}
}

static struct talk *talk_make(struct loop *loop, const char *script,
			      const struct talk_options *options)
{
	struct talk *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	if (options)
		t->options = *options;
	t->fd = t->listen_fd = -1;
	buf_init(&t->in, BYTES_MAX);
	buf_init(&t->out, BYTES_MAX);
	task_init(&t->go, loop, advance, t);
	script_init(&t->script, script);
	return t;
}

struct talk *talk_with(struct loop *loop, const char *script, const struct talk_options *options)
{
	struct talk *t = talk_make(loop, script, options);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	t->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(t->listen_fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(t->listen_fd, 16) < 0 ||
	    getsockname(t->listen_fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	t->port = ntohs(address.sin_port);
	watch_init(&t->listen_watch, loop, t->listen_fd, accept_ready, t);
	watch_want(&t->listen_watch, WATCH_READ);
	return t;
}

struct talk *talk_new(struct loop *loop, const char *script)
{
	return talk_with(loop, script, NULL);
}

struct talk *talk_pair(struct loop *loop, const char *script, const struct talk_options *options,
		       int *ret_fd)
{
	struct talk *t = talk_make(loop, script, options);
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	attach(t, fds[0]);
	task_start(&t->go);
	*ret_fd = fds[1];
	return t;
}

uint16_t talk_port(const struct talk *t)
{
	return t->port;
}

bool talk_is_over(const struct talk *t)
{
	return t->problem || (t->at == t->script.count && t->out.len == 0 && !t->shaking);
}

bool talk_awaits_end(const struct talk *t)
{
	return t->at < t->script.count && t->script.steps[t->at].kind == STEP_GONE;
}

const char *talk_problem(const struct talk *t)
{
	return t->problem;
}

unsigned talk_resumptions(const struct talk *t)
{
	return t->resumptions;
}

void talk_free(struct talk *t)
{
	if (!t)
		return;
	hang_up(t);
	if (t->listen_fd >= 0) {
		watch_clear(&t->listen_watch);
		close(t->listen_fd);
	}
	task_clear(&t->go);
	SSL_CTX_free(t->tls);
	buf_clear(&t->in);
	buf_clear(&t->out);
	script_clear(&t->script);
	free(t->problem);
	free(t);
}

static void too_late(void *ctx, unsigned ready)
{
	*(bool *)ctx = true;
}

/* Turns the loop until over says so; false when that takes too long. */
static bool turn_until(struct loop *loop, bool (*over)(const void *), const void *what)
{
	struct itimerspec in = {.it_value.tv_sec = GUARD_S};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	bool late = false;
	struct watch guard;

	timerfd_settime(fd, 0, &in, NULL);
	watch_init(&guard, loop, fd, too_late, &late);
	watch_want(&guard, WATCH_READ);
	while (!over(what) && !late)
		loop_turn(loop, true);
	watch_clear(&guard);
	close(fd);
	return !late;
}

static bool flag_is_set(const void *what)
{
	return *(const bool *)what;
}

static bool talk_is_done(const void *what)
{
	return talk_is_over(what);
}

void talk_until(struct loop *loop, const bool *flag)
{
	if (turn_until(loop, flag_is_set, flag))
		return;
	print_error("nothing happens for %d s\n", GUARD_S);
	_fail(__FILE__, __LINE__);
}

void talk_run(struct talk *t)
{
	if (turn_until(t->loop, talk_is_done, t))
		return;
	differs(t, "nothing happens for %d s", GUARD_S);
	print_error("%s\n", t->problem);
	_fail(__FILE__, __LINE__);
}

void talk_finished(struct talk *t)
{
	talk_run(t);
	if (t->in.len > 0)
		differs(t, "heard besides: %s", buf_bytes(&t->in));
	if (t->problem) {
		print_error("%s\n", t->problem);
		_fail(__FILE__, __LINE__);
	}
	talk_free(t);
}
