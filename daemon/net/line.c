/* net/line.c - decides when a connection reads, writes and shakes hands, and
 * which words are to be said about that (net/words.c says them). */
#include "net/line.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "net/dial.h"
#include "net/inbox.h"
#include "net/wire.h"
#include "net/words.h"
#include "secret.h"

#define READ_BYTES ((size_t)8192)
#define TURN_BYTES ((size_t)65536) /* read by one line in one turn, so that others are heard */
#define KEEP_BYTES ((size_t)32768) /* an empty buffer that is larger is given back */

enum line_state {
	STATE_DIALING,
	STATE_SHAKING, /* TLS handshake */
	STATE_OPEN,
	STATE_OVER, /* closed or failed */
};

struct line {
	enum line_state state;
	struct loop *loop;
	struct tls *tls; /* the caller's */
	char *host;      /* owned */
	uint16_t port;
	bool tls_at_once, secure;
	int64_t connect_ms;

	struct dial *dial; /* owned; NULL once it is done */
	struct wire wire;
	struct watch watch;
	struct deadline connect_by, wait_by;
	char peer[PEER_SIZE + 256];

	struct inbox in;
	struct buf out;
	bool full;    /* in is: nothing is read until some of it is taken */
	bool blocked; /* the kernel takes no more of out for now */

	struct task flight; /* what was written leaves */
	struct task pump;   /* there is more to read, or a handshake to begin */
	struct words words;
};

/* Everything that entering a state brings with it. */
static void line_to(struct line *line, enum line_state state)
{
	line->state = state;
	switch (state) {
	case STATE_DIALING:
	case STATE_SHAKING:
		if (line->connect_ms > 0 && !deadline_is_set(&line->connect_by))
			deadline_set(&line->connect_by, line->connect_ms);
		break;
	case STATE_OPEN:
		deadline_unset(&line->connect_by);
		break;
	case STATE_OVER:
		deadline_unset(&line->connect_by);
		deadline_unset(&line->wait_by);
		words_drop(&line->words, LINE_DRAINED);
		words_drop(&line->words, LINE_TIMED_OUT);
		if (line->watch.event)
			watch_want(&line->watch, 0);
		task_clear(&line->flight);
		task_clear(&line->pump);
		break;
	}
}

static void line_fail(struct line *line, const struct failure *why)
{
	if (line->state == STATE_OVER)
		return;
	line->words.why = *why;
	line_to(line, STATE_OVER);
	words_add(&line->words, LINE_FAILED);
}

/* From a line_ call, where nothing may be said. */
static void line_fail_later(struct line *line, const struct failure *why)
{
	line_fail(line, why);
	words_say_later(&line->words);
}

static void watch_again(struct line *line)
{
	unsigned want = 0;

	if (line->state == STATE_SHAKING)
		want = line->wire.shake_wants;
	if (line->state == STATE_OPEN && !line->full)
		want |= line->wire.read_wants;
	if (line->state == STATE_OPEN && line->blocked)
		want |= line->wire.write_wants;
	if (line->watch.event)
		watch_want(&line->watch, want);
}

/* One read; how much there was in *ret_len. */
static enum wire_result read_some(struct line *line, size_t *ret_len, struct failure *f)
{
	struct buf *bytes = &line->in.bytes;
	size_t left = bytes->max - bytes->len;
	size_t size = left < READ_BYTES ? left : READ_BYTES;
	char *room = buf_room(bytes, size);
	enum wire_result result = wire_read(&line->wire, room, size, ret_len, f);

	if (result == WIRE_DONE) {
		buf_wrote(bytes, *ret_len);
		words_add(&line->words, LINE_READABLE);
	}
	return result;
}

static void read_in(struct line *line)
{
	enum wire_result result = WIRE_DONE;
	size_t total = 0;
	struct failure why;

	inbox_settle(&line->in);
	while (result == WIRE_DONE && total < TURN_BYTES && !inbox_is_full(&line->in)) {
		size_t len = 0;

		result = read_some(line, &len, &why);
		total += len;
		/* a plain socket that gave less than asked has no more for now */
		if (!line->wire.ssl && len < READ_BYTES)
			break;
	}
	line->full = inbox_is_full(&line->in);
	if (result == WIRE_ENDED) {
		line_to(line, STATE_OVER);
		words_add(&line->words, LINE_CLOSED);
	} else if (result == WIRE_BROKEN)
		line_fail(line, &why);
	else if (result == WIRE_DONE && !line->full && wire_holds_bytes(&line->wire))
		task_start(&line->pump);
}

/* Base64 of passwords passes through here. */
static void out_emptied(struct line *line)
{
	if (line->out.allocated > KEEP_BYTES)
		buf_clear(&line->out);
	else if (line->out.data)
		secret_wipe(line->out.data, line->out.allocated);
}

static void write_out(struct line *line)
{
	enum wire_result result = WIRE_DONE;
	struct failure why;

	line->blocked = false;
	if (line->out.len == 0)
		return;
	while (result == WIRE_DONE && line->out.len > 0) {
		size_t len = 0;

		result = wire_write(&line->wire, buf_bytes(&line->out), line->out.len, &len, &why);
		buf_drain(&line->out, len);
	}
	if (result == WIRE_DONE) {
		out_emptied(line);
		words_add(&line->words, LINE_DRAINED);
	} else if (result == WIRE_AGAIN) {
		line->blocked = true;
	} else {
		/* It may have said why before it went */
		read_in(line);
		line_fail(line, &why);
	}
}

static void shake(struct line *line)
{
	struct failure why;

	switch (wire_shake(&line->wire, line->tls, &why)) {
	case WIRE_DONE:
		line->secure = true;
		line_to(line, STATE_OPEN);
		words_add(&line->words, line->tls_at_once ? LINE_CONNECTED : LINE_SECURED);
		break;
	case WIRE_AGAIN:
		break;
	case WIRE_ENDED:
	case WIRE_BROKEN:
		line_fail(line, &why);
		break;
	}
}

/* All that can be done now; then what it came to is said. */
static void work(void *ctx)
{
	struct line *line = ctx;

	if (line->state == STATE_SHAKING)
		shake(line);
	if (line->state == STATE_OPEN)
		read_in(line);
	if (line->state == STATE_OPEN)
		write_out(line);
	watch_again(line);
	words_say(&line->words);
}

static void socket_ready(void *ctx, unsigned ready)
{
	work(ctx);
}

static void flight_leaves(void *ctx)
{
	struct line *line = ctx;

	if (line->state == STATE_OPEN)
		write_out(line);
	watch_again(line);
	words_say(&line->words);
}

static void begin_tls(struct line *line)
{
	struct failure why;

	assert(line->tls);
	if (wire_secure(&line->wire, line->tls, &why) < 0) {
		line_fail_later(line, &why);
		return;
	}
	line_to(line, STATE_SHAKING);
	task_start(&line->pump);
}

static void attach(struct line *line, int fd)
{
	wire_init(&line->wire, fd, line->host);
	watch_init(&line->watch, line->loop, fd, socket_ready, line);
	if (line->tls_at_once) {
		begin_tls(line);
		return;
	}
	line_to(line, STATE_OPEN);
	words_add(&line->words, LINE_CONNECTED);
	watch_again(line);
}

static void dialed(void *ctx, int fd, const struct sockaddr *peer, const struct failure *why)
{
	struct line *line = ctx;

	if (why) {
		line_fail(line, why);
	} else {
		peer_print(line->peer, peer);
		attach(line, fd);
	}
	dial_free(TAKE(line->dial));
	words_say(&line->words);
}

static void connect_too_late(void *ctx)
{
	struct line *line = ctx;
	struct failure why;

	failure_set(&why, FAILURE_LATER, "%s %s within %lld s",
		    line->state == STATE_DIALING ? "no connection to" : "no TLS with", line->peer,
		    (long long)(line->connect_ms + 999) / 1000);
	dial_free(TAKE(line->dial));
	line_fail(line, &why);
	words_say(&line->words);
}

static void waited_enough(void *ctx)
{
	struct line *line = ctx;

	words_add(&line->words, LINE_TIMED_OUT);
	words_say(&line->words);
}

static struct line *line_new(struct loop *loop, const struct line_options *options,
			     line_said_fn *said, void *ctx)
{
	struct line *line = xcalloc(1, sizeof(*line));

	line->loop = loop;
	line->tls = options->tls;
	line->host = xstrdup(options->host);
	line->port = options->port;
	line->tls_at_once = options->tls_at_once;
	line->connect_ms = options->connect_ms;
	wire_init(&line->wire, -1, line->host);
	inbox_init(&line->in, options->max_in);
	buf_init(&line->out, SIZE_MAX);
	task_init(&line->flight, loop, flight_leaves, line);
	task_init(&line->pump, loop, work, line);
	words_init(&line->words, loop, said, ctx);
	deadline_init(&line->connect_by, loop, connect_too_late, line);
	deadline_init(&line->wait_by, loop, waited_enough, line);
	snprintf(line->peer, sizeof(line->peer), "%s:%u", options->host, (unsigned)options->port);
	return line;
}

struct line *line_dial(struct loop *loop, struct resolver *resolver,
		       const struct line_options *options, line_said_fn *said, void *ctx)
{
	struct line *line = line_new(loop, options, said, ctx);

	line_to(line, STATE_DIALING);
	line->dial = dial_new(loop, resolver, line->host, line->port, dialed, line);
	return line;
}

struct line *line_over(struct loop *loop, int fd, const struct line_options *options,
		       line_said_fn *said, void *ctx)
{
	struct line *line = line_new(loop, options, said, ctx);

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	attach(line, fd);
	words_say_later(&line->words);
	return line;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	dial_free(line->dial);
	watch_clear(&line->watch);
	wire_close(&line->wire);
	deadline_clear(&line->connect_by);
	deadline_clear(&line->wait_by);
	task_clear(&line->flight);
	task_clear(&line->pump);
	words_clear(&line->words);
	inbox_clear(&line->in);
	buf_wipe(&line->out);
	free(line->host);
	free(line);
}

/* Has the server spoken although it is our turn? */
static bool has_spoken(struct line *line)
{
	size_t unread;
	char byte;

	inbox_bytes(&line->in, &unread);
	return unread > 0 || recv(line->wire.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void line_secure(struct line *line)
{
	struct failure why;

	if (line->state != STATE_OPEN)
		return;
	if (has_spoken(line) || line->out.len > 0) {
		failure_set(&why, FAILURE_SETUP,
			    "%s sent plain text where TLS begins: somebody may be in between",
			    line->host);
		line_fail_later(line, &why);
		return;
	}
	words_drop(&line->words, LINE_READABLE);
	begin_tls(line);
}

bool line_is_secure(const struct line *line)
{
	return line->secure;
}

/* Is there still somebody to write to? Then it leaves with this turn's flight. */
static bool may_write(struct line *line)
{
	if (line->state == STATE_OVER)
		return false;
	words_drop(&line->words, LINE_DRAINED);
	task_start(&line->flight);
	return true;
}

void line_write(struct line *line, const void *bytes, size_t len)
{
	if (len > 0 && may_write(line))
		buf_add(&line->out, bytes, len);
}

void line_printf(struct line *line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0 || !may_write(line))
		return;
	char *room = buf_room(&line->out, (size_t)len);

	va_start(args, fmt);
	vsnprintf(room, (size_t)len + 1, fmt, args);
	va_end(args);
	buf_wrote(&line->out, (size_t)len);
}

size_t line_unsent(const struct line *line)
{
	return line->out.len;
}

size_t line_untaken(const struct line *line)
{
	return line->out.len + wire_untaken(&line->wire);
}

/* Some of in was taken: a line that stopped reading may go on. */
static void read_again(struct line *line)
{
	if (line->full && line->state == STATE_OPEN)
		task_start(&line->pump);
}

bool line_take(struct line *line, const char **ret, size_t *ret_len)
{
	struct failure why;

	if (inbox_take(&line->in, ret, ret_len)) {
		read_again(line);
		return true;
	}
	if (inbox_is_full(&line->in)) {
		failure_set(&why, FAILURE_LATER, "%s sent a line longer than %zu bytes", line->host,
			    line->in.bytes.max);
		line_fail_later(line, &why);
	}
	return false;
}

const char *line_bytes(struct line *line, size_t *ret_len)
{
	return inbox_bytes(&line->in, ret_len);
}

void line_drain(struct line *line, size_t len)
{
	inbox_drain(&line->in, len);
	read_again(line);
}

void line_rest(struct line *line)
{
	inbox_rest(&line->in);
	if (line->out.len == 0)
		buf_clear(&line->out);
}

void line_wait(struct line *line, int64_t ms)
{
	words_drop(&line->words, LINE_TIMED_OUT);
	if (ms > 0 && line->state != STATE_OVER)
		deadline_set(&line->wait_by, ms);
	else
		deadline_unset(&line->wait_by);
}

const char *line_peer(const struct line *line)
{
	return line->peer;
}

const char *line_tls_version(const struct line *line)
{
	return line->secure ? SSL_get_version(line->wire.ssl) : NULL;
}
