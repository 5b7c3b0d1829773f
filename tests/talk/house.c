/* tests/talk/house.c - see house.h. */
#include "house.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "tests/unit/expect.h"
#include "failure.h"
#include "net/resolve.h"
#include "queue/queue.h"
#include "queue/store.h"
#include "rules/engine.h"
#include "server/server.h"

#define REAL_SECONDS 60 /* then a test that waits in vain is over */

static void write_config(const struct house *h, const char *path, const char *transports,
			 const char *settings)
{
	FILE *file = fopen(path, "w");

	expect_some(file);
	fprintf(file,
		"from = \"Box <box@example.com>\";\nstate = \"%s/state\";\nsocket = \"%s/socket\";\n"
		"contacts = ( { name = \"me\"; mail = [\"me@example.org\", \"me@old.example\"]; sms = \"+15551234567\"; },\n"
		"  { name = \"bo\"; mail = [\"bo@example.org\"]; }, { name = \"cy\"; sms = \"+15557654321\"; },\n"
		"  { name = \"ops\"; members = [\"me\", \"bo\"]; }, { name = \"all\"; members = [\"ops\", \"bo\"]; } );\n"
		"%s\n%s\n",
		h->folder, h->folder, transports, settings);
	fclose(file);
	expect_int(chmod(path, 0600), 0);
}

void house_open(struct house *h, const char *settings)
{
	house_open_with(h, "transports = ( { name = \"fake\"; type = \"fake\"; } );", settings);
}

void house_begin(struct house *h)
{
	alarm(REAL_SECONDS);
	*h = (struct house){.folder = "/tmp/nuncio-house-XXXXXX", .loop = loop_new()};
	expect_some(mkdtemp(h->folder));
}

static const struct config *read_config(const struct house *h, const char *transports,
					const char *settings)
{
	AUTO(free) char *path = xprintf("%s/nuncio.conf", h->folder);
	const struct config *config;
	struct failure f = {0};

	write_config(h, path, transports, settings);
	expect_ok(config_load(path, &config, NULL, NULL, &f), &f);
	return config;
}

void house_change(struct house *h, const char *transports, const char *settings)
{
	const struct config *old = h->config;
	struct failure f = {0};

	h->config = read_config(h, transports, settings);
	expect_ok(queue_configure(h->queue, h->config, &f), &f);
	engine_configure(h->engine, h->config);
	server_configure(h->server, h->config);
	config_unref(old);
}

void house_open_with(struct house *h, const char *transports, const char *settings)
{
	house_begin(h);
	house_furnish(h, transports, settings);
}

void house_furnish(struct house *h, const char *transports, const char *settings)
{
	struct failure f = {0};

	h->config = read_config(h, transports, settings);
	struct store_options options = {.directory = h->config->state, .lease_ms = 60000};
	expect_ok(store_open(h->loop, &options, &h->store, &f), &f);
	h->resolver = resolver_new(h->loop);
	h->queue = queue_new(h->loop, h->store, h->resolver);
	expect_ok(queue_configure(h->queue, h->config, &f), &f);
	h->engine = engine_new(h->loop, h->queue, h->resolver);
	engine_configure(h->engine, h->config);
	engine_open(h->engine);
	h->server = server_new(h->loop, h->queue, h->engine);
	server_configure(h->server, h->config);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	return remove(path);
}

void house_close(struct house *h)
{
	server_stop(h->server);
	engine_stop(h->engine);
	queue_free(h->queue);
	resolver_free(h->resolver);
	store_close(h->store);
	server_free(h->server);
	engine_free(h->engine);
	loop_free(h->loop);
	config_unref(h->config);
	nftw(h->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	alarm(0);
}

static void ready(void *ctx, unsigned what)
{
	struct client *c = ctx;
	char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0) {
		expect_int(buf_add(&c->in, bytes, (size_t)n), 0);
		return;
	}
	c->ended = true;
	watch_want(&c->watch, 0);
}

void client_open(struct client *c, struct house *h)
{
	int fds[2];

	expect_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*c = (struct client){.house = h, .fd = fds[0]};
	buf_init(&c->in, 64 * 1024 * 1024);
	watch_init(&c->watch, h->loop, c->fd, ready, c);
	server_adopt(h->server, fds[1]);
}

void client_close(struct client *c)
{
	watch_clear(&c->watch);
	close(c->fd);
	buf_clear(&c->in);
}

void client_say(struct client *c, const void *bytes, size_t len)
{
	for (const char *at = bytes; len > 0;) {
		ssize_t n = send(c->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			/* the server has to read first, or does not want any more */
			if (errno == EPIPE || errno == ECONNRESET)
				return;
			loop_turn(c->house->loop, false);
			continue;
		}
		at += n;
		len -= (size_t)n;
	}
}

void client_text(struct client *c, const char *text)
{
	client_say(c, text, strlen(text));
}

void client_pass(struct client *c, const char *text, const int *fds, size_t n)
{
	char control[CMSG_SPACE(250 * sizeof(int))] __attribute__((aligned(16))) = {0};
	struct iovec bytes = {.iov_base = (char *)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(head), fds, n * sizeof(int));
	expect_int(sendmsg(c->fd, &message, MSG_NOSIGNAL), strlen(text));
}

void client_half_close(struct client *c)
{
	expect_int(shutdown(c->fd, SHUT_WR), 0);
}

static json_t *take_reply(struct client *c)
{
	const char *bytes = buf_bytes(&c->in);
	size_t len = strcspn(bytes, "\n");
	json_t *reply;

	if (len == c->in.len)
		return NULL;
	reply = json_loadb(bytes, len, 0, NULL);
	expect_some(reply);
	buf_drain(&c->in, len + 1);
	return reply;
}

json_t *client_hear(struct client *c)
{
	json_t *reply;

	watch_want(&c->watch, c->ended ? 0 : WATCH_READ);
	while (!(reply = take_reply(c)) && !c->ended)
		loop_turn(c->house->loop, true);
	return reply;
}

void client_hear_end(struct client *c)
{
	json_t *reply = client_hear(c);

	if (reply)
		expect_stop(__FILE__, __LINE__, "an end was wanted, this came: %s",
			    json_dumps(reply, 0));
	expect_true(c->ended);
}

json_t *client_ask(struct client *c, const char *request)
{
	json_t *reply;

	client_text(c, request);
	client_text(c, "\n");
	reply = client_hear(c);
	if (!reply)
		expect_stop(__FILE__, __LINE__, "no answer to %s", request);
	return reply;
}

char *client_verdict(json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));
	char *verdict = xstrdup(error ? strrchr(error, '.') + 1 : "ok");

	json_decref(reply);
	return verdict;
}
