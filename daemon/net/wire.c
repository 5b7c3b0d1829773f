/* net/wire.c - decides what OpenSSL's and the kernel's answers mean: done, not
 * now, ended or broken. */
#include "net/wire.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/loop.h"
#include "failure.h"
#include "net/tls.h"

void wire_init(struct wire *w, int fd, const char *host)
{
	*w = (struct wire){.fd = fd, .host = host};
	w->shake_wants = WATCH_READ | WATCH_WRITE;
	w->read_wants = WATCH_READ;
	w->write_wants = WATCH_WRITE;
}

int wire_secure(struct wire *w, struct tls *tls, struct failure *f)
{
	w->ssl = tls_connection(tls, w->host, f);
	if (!w->ssl)
		return -1;
	if (SSL_set_fd(w->ssl, w->fd) != 1)
		return failure_set(f, FAILURE_LATER, "TLS does not take the socket");
	return 0;
}

/* What an operation of OpenSSL that returned result came to. Its wishes go to
 * *wants, trouble to f. */
static enum wire_result judge(struct wire *w, int result, unsigned *wants, struct failure *f)
{
	int error = SSL_get_error(w->ssl, result);

	switch (error) {
	case SSL_ERROR_NONE:
		return WIRE_DONE;
	case SSL_ERROR_WANT_READ:
		*wants = WATCH_READ;
		return WIRE_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*wants = WATCH_WRITE;
		return WIRE_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		if (SSL_is_init_finished(w->ssl))
			return WIRE_ENDED;
		break;
	default:
		break;
	}
	w->broken = true;
	tls_explain(w->ssl, w->host, error, f);
	return WIRE_BROKEN;
}

enum wire_result wire_shake(struct wire *w, struct tls *tls, struct failure *f)
{
	enum wire_result result;

	ERR_clear_error();
	errno = 0;
	result = judge(w, SSL_do_handshake(w->ssl), &w->shake_wants, f);
	if (result == WIRE_DONE && tls_check(tls, w->ssl, f) < 0)
		return WIRE_BROKEN;
	return result;
}

static enum wire_result judge_errno(const struct wire *w, struct failure *f)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return WIRE_AGAIN;
	failure_errno(f, FAILURE_LATER, errno, "the connection to %s broke", w->host);
	return WIRE_BROKEN;
}

static int at_most_int(size_t len)
{
	return len > INT_MAX ? INT_MAX : (int)len;
}

enum wire_result wire_read(struct wire *w, char *room, size_t size, size_t *ret_len,
			   struct failure *f)
{
	ssize_t got;

	if (w->ssl) {
		ERR_clear_error();
		errno = 0;
		int result = SSL_read(w->ssl, room, at_most_int(size));

		w->read_wants = WATCH_READ;
		*ret_len = result > 0 ? (size_t)result : 0;
		return judge(w, result, &w->read_wants, f);
	}
	got = recv(w->fd, room, size, 0);
	if (got < 0)
		return judge_errno(w, f);
	*ret_len = (size_t)got;
	return got ? WIRE_DONE : WIRE_ENDED;
}

enum wire_result wire_write(struct wire *w, const char *bytes, size_t len, size_t *ret_len,
			    struct failure *f)
{
	ssize_t sent;

	if (w->ssl) {
		ERR_clear_error();
		errno = 0;
		int result = SSL_write(w->ssl, bytes, at_most_int(len));

		w->write_wants = WATCH_WRITE;
		*ret_len = result > 0 ? (size_t)result : 0;
		return judge(w, result, &w->write_wants, f);
	}
	sent = send(w->fd, bytes, len, MSG_NOSIGNAL);
	if (sent < 0)
		return judge_errno(w, f);
	*ret_len = (size_t)sent;
	return WIRE_DONE;
}

bool wire_holds_bytes(const struct wire *w)
{
	return w->ssl && SSL_has_pending(w->ssl);
}

size_t wire_untaken(const struct wire *w)
{
	int bytes = 0;

	return ioctl(w->fd, TIOCOUTQ, &bytes) < 0 || bytes < 0 ? 0 : (size_t)bytes;
}

void wire_close(struct wire *w)
{
	if (w->ssl && !w->broken && SSL_is_init_finished(w->ssl))
		SSL_shutdown(w->ssl);
	SSL_free(w->ssl);
	w->ssl = NULL;
	ERR_clear_error();
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
