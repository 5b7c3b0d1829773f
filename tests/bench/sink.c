/* sink.c - a server that takes every mail and keeps none, over STARTTLS (which
 * smtp-sink can't). A thread a connection; answers what came together in one
 * write. Prints "mesg=N" after each mail, as smtp-sink does.
 *
 *   sink PORT CERTIFICATE KEY */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct peer {
	int fd;
	SSL *ssl;
	bool content, secure_next;
	char in[65536], out[65536];
	size_t in_len, out_len;
};

static SSL_CTX *context;
static atomic_uint mails;

static void say(struct peer *p, const char *text)
{
	size_t len = strlen(text);

	if (p->out_len + len <= sizeof(p->out)) {
		memcpy(p->out + p->out_len, text, len);
		p->out_len += len;
	}
}

static void took_mail(struct peer *p)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "mesg=%u\r", atomic_fetch_add(&mails, 1) + 1);

	p->content = false;
	say(p, "250 2.0.0 taken\r\n");
	if (write(STDOUT_FILENO, line, (size_t)len) < 0)
		exit(1);
}

static bool is(const char *line, const char *word)
{
	return strncasecmp(line, word, strlen(word)) == 0;
}

static void greet(struct peer *p)
{
	say(p, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n");
	say(p, p->ssl ? "250 SMTPUTF8\r\n" : "250-STARTTLS\r\n250 SMTPUTF8\r\n");
}

/* false: they leave. */
static bool answer(struct peer *p, const char *line)
{
	if (p->content) {
		if (strcmp(line, ".") == 0)
			took_mail(p);
	} else if (is(line, "EHLO") || is(line, "HELO")) {
		greet(p);
	} else if (is(line, "STARTTLS")) {
		say(p, "220 2.0.0 go on\r\n");
		p->secure_next = true;
	} else if (is(line, "DATA")) {
		say(p, "354 go on\r\n");
		p->content = true;
	} else if (is(line, "QUIT")) {
		say(p, "221 2.0.0 bye\r\n");
		return false;
	} else {
		say(p, "250 2.0.0 ok\r\n");
	}
	return true;
}

static bool answer_all(struct peer *p)
{
	bool stays = true;
	char *at = p->in, *end;

	p->in[p->in_len] = '\0';
	while (stays && (end = memchr(at, '\n', p->in_len - (size_t)(at - p->in)))) {
		*end = '\0';
		if (end > at && end[-1] == '\r')
			end[-1] = '\0';
		stays = answer(p, at);
		at = end + 1;
	}
	p->in_len -= (size_t)(at - p->in);
	memmove(p->in, at, p->in_len);
	return stays;
}

static bool flush(struct peer *p)
{
	size_t len = p->out_len;

	p->out_len = 0;
	if (len == 0)
		return true;
	if (p->ssl)
		return SSL_write(p->ssl, p->out, (int)len) > 0;
	return send(p->fd, p->out, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool secure(struct peer *p)
{
	p->secure_next = false;
	p->in_len = 0;
	p->ssl = SSL_new(context);
	SSL_set_fd(p->ssl, p->fd);
	return SSL_accept(p->ssl) == 1;
}

static bool hear(struct peer *p)
{
	size_t room = sizeof(p->in) - 1 - p->in_len;
	ssize_t n = p->ssl ? SSL_read(p->ssl, p->in + p->in_len, (int)room)
			   : recv(p->fd, p->in + p->in_len, room, 0);

	if (n <= 0)
		return false;
	p->in_len += (size_t)n;
	return true;
}

static void *serve(void *ctx)
{
	struct peer *p = ctx;
	bool stays = true;

	say(p, "220 sink ESMTP\r\n");
	while (flush(p) && stays) {
		if (p->secure_next && !secure(p))
			break;
		if (!hear(p))
			break;
		stays = answer_all(p);
	}
	SSL_free(p->ssl);
	close(p->fd);
	free(p);
	return NULL;
}

static int listen_on(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1000) < 0) {
		perror("sink");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	int one = 1;

	if (argc != 4)
		return 64;
	signal(SIGPIPE, SIG_IGN);
	context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
		return 1;
	int listener = listen_on(atoi(argv[1]));

	for (;;) {
		struct peer *p = calloc(1, sizeof(*p));
		pthread_t thread;

		p->fd = accept(listener, NULL, NULL);
		setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (p->fd < 0 || pthread_create(&thread, NULL, serve, p) != 0)
			return 1;
		pthread_detach(thread);
	}
}
