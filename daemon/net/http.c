/* net/http.c - libcurl's sockets and timer as watches and a deadline of ours, and
 * its results as replies. A call is asked for in one turn and answered in another. */
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "net/libcurl.h"
#include "secret.h"

enum {
	TIMEOUT_MS = 30000,
	CONNECT_MS = 15000,
	REPLY_MAX = 1024 * 1024,
	CONNECTIONS_MAX = 8, /* to one host; what is above it waits in libcurl */
	RETRY_AFTER_MAX_S = 24 * 3600,
};

struct http {
	struct loop *loop;
	CURLM *multi; /* owned; NULL until the first request */
	struct deadline timer;
	struct task finish;      /* answers what libcurl has done with */
	struct http_call *calls; /* owned, by .next */
};

/* A socket of libcurl's. */
struct poll {
	struct http *http;
	struct watch watch;
};

struct http_call {
	struct http *http;
	CURL *easy;                 /* owned */
	struct curl_slist *headers; /* owned */
	http_done_fn *done;
	void *ctx;
	struct buf body;
	bool too_large, may_be_cut, in_multi;
	char error[CURL_ERROR_SIZE];
	struct failure refused; /* kind set: it could not even be asked */
	struct http_call *next, **link;
};

/* ---- libcurl's wishes ---- */

static void act(struct http *http, curl_socket_t fd, int what)
{
	int running;

	libcurl.multi_socket_action(http->multi, fd, what, &running);
	task_start(&http->finish);
}

static void socket_ready(void *ctx, unsigned ready)
{
	struct poll *p = ctx;

	act(p->http, p->watch.fd,
	    (ready & WATCH_READ ? CURL_CSELECT_IN : 0) |
		    (ready & WATCH_WRITE ? CURL_CSELECT_OUT : 0));
}

static void time_passed(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void poll_forget(struct http *http, struct poll *p, curl_socket_t fd)
{
	if (!p)
		return;
	watch_clear(&p->watch);
	free(p);
	libcurl.multi_assign(http->multi, fd, NULL);
}

static int wants_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct http *http = ctx;
	struct poll *p = known;

	if (what == CURL_POLL_REMOVE) {
		poll_forget(http, p, fd);
		return 0;
	}
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->http = http;
		watch_init(&p->watch, http->loop, fd, socket_ready, p);
		libcurl.multi_assign(http->multi, fd, p);
	}
	watch_want(&p->watch, (what & CURL_POLL_IN ? WATCH_READ : 0) |
				      (what & CURL_POLL_OUT ? WATCH_WRITE : 0));
	return 0;
}

static int wants_timer(CURLM *multi, long ms, void *ctx)
{
	struct http *http = ctx;

	if (ms < 0)
		deadline_unset(&http->timer);
	else
		deadline_set(&http->timer, ms > 0 ? ms : 1);
	return 0;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;

	if (buf_add(&call->body, bytes, size * n) == 0)
		return size * n;
	call->too_large = true;
	return 0;
}

/* ---- the life of a call ---- */

static void call_free(struct http_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	if (call->in_multi)
		libcurl.multi_remove_handle(call->http->multi, call->easy);
	if (call->easy)
		libcurl.easy_cleanup(call->easy);
	if (call->headers) {
		secret_wipe(call->headers->data, strlen(call->headers->data));
		libcurl.slist_free_all(call->headers);
	}
	buf_clear(&call->body);
	free(call);
}

static int64_t date_of(CURL *easy)
{
	struct curl_header *header;

	if (libcurl.easy_header(easy, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return 0;
	time_t at = libcurl.getdate(header->value, NULL);

	return at > 0 ? (int64_t)at * 1000 : 0;
}

static int64_t retry_after(CURL *easy)
{
	curl_off_t seconds = 0;

	libcurl.easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > RETRY_AFTER_MAX_S)
		seconds = RETRY_AFTER_MAX_S;
	return seconds > 0 ? (int64_t)seconds * 1000 : 0;
}

/* Without the login, which libcurl leaves in what a relative Location leads to. */
static char *redirect_of(CURL *easy)
{
	char *url = NULL, *bare = NULL, *copy = NULL;
	CURLU *parts = libcurl.url();

	libcurl.easy_getinfo(easy, CURLINFO_REDIRECT_URL, &url);
	if (url && parts && libcurl.url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    libcurl.url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	    libcurl.url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    libcurl.url_get(parts, CURLUPART_URL, &bare, 0) == CURLUE_OK)
		copy = xstrdup(bare);
	libcurl.free(bare);
	libcurl.url_cleanup(parts);
	return copy;
}

static bool is_setup(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static void explain(const struct http_call *call, CURLcode code, struct failure *why)
{
	if (call->refused.kind)
		*why = call->refused;
	else if (call->too_large)
		failure_set(why, FAILURE_LATER, "the answer is too large");
	else
		failure_set(why, is_setup(code) ? FAILURE_SETUP : FAILURE_LATER, "%s",
			    call->error[0] ? call->error : libcurl.easy_strerror(code));
}

/* Returns whether anything of the request went out. */
static bool read_reply(CURL *easy, struct http_reply *reply)
{
	long status = 0, request_bytes = 0;

	libcurl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	libcurl.easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	reply->status = (unsigned)status;
	reply->date_ms = date_of(easy);
	reply->retry_after_ms = retry_after(easy);
	return request_bytes > 0;
}

/* Tells who asked; the call is gone when they hear, its body is not. */
static void answer(struct http_call *call, CURLcode code)
{
	http_done_fn *done = call->done;
	void *ctx = call->ctx;
	struct failure why = {0};
	struct http_reply reply = {0};
	bool cut = call->too_large && call->may_be_cut;
	bool written = call->easy && read_reply(call->easy, &reply);
	bool good = (code == CURLE_OK || cut) && reply.status && !call->refused.kind;
	char *location = call->easy ? redirect_of(call->easy) : NULL;

	if (!good)
		explain(call, code, &why);
	if (cut)
		buf_clear(&call->body);
	reply.cut = cut;
	reply.location = location;
	char *body = buf_take(&call->body, &reply.len);

	reply.body = body ? body : "";
	call_free(call);
	done(ctx, good ? &reply : NULL, good ? NULL : &why, written);
	free(body);
	free(location);
}

/* The last thing of its turn: whoever is answered may free http. One a turn. */
static void finish(void *ctx)
{
	struct http *http = ctx;
	CURLMsg *message;
	int left = 0;

	for (struct http_call *call = http->calls; call; call = call->next)
		if (call->refused.kind) {
			task_start(&http->finish);
			answer(call, CURLE_OK);
			return;
		}
	while (http->multi && (message = libcurl.multi_info_read(http->multi, &left))) {
		struct http_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		libcurl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		task_start(&http->finish);
		answer(call, code);
		return;
	}
}

struct http *http_new(struct loop *loop)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->loop = loop;
	deadline_init(&http->timer, loop, time_passed, http);
	task_init(&http->finish, loop, finish, http);
	return http;
}

static int begin(struct http *http, struct failure *f)
{
	if (http->multi)
		return 0;
	if (libcurl_load(f) != 0)
		return -1;
	libcurl.global_init(CURL_GLOBAL_DEFAULT);
	http->multi = libcurl.multi_init();
	if (!http->multi) /* out of memory, as in alloc.h */
		abort();
	libcurl.multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, wants_socket);
	libcurl.multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	libcurl.multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, wants_timer);
	libcurl.multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	libcurl.multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX);
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (http->calls)
		call_free(http->calls);
	if (http->multi) {
		libcurl.multi_cleanup(http->multi);
		libcurl.global_cleanup();
	}
	task_clear(&http->finish);
	deadline_clear(&http->timer);
	free(http);
}

/* ---- what is asked ---- */

static void set_who(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;

	if (request->user) {
		libcurl.easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		libcurl.easy_setopt(easy, CURLOPT_USERNAME, request->user);
		if (request->password)
			libcurl.easy_setopt(easy, CURLOPT_PASSWORD,
					    secret_bytes(request->password));
	} else if (request->token) {
		libcurl.easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		libcurl.easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, secret_bytes(request->token));
	}
}

static void set_body(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;
	char type[200];

	if (!request->body)
		return;
	snprintf(type, sizeof(type), "Content-Type: %s",
		 request->type ? request->type : "application/octet-stream");
	call->headers = libcurl.slist_append(call->headers, type);
	call->headers = libcurl.slist_append(call->headers, "Expect:");
	libcurl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	libcurl.easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	libcurl.easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_safety(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;

	libcurl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	libcurl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	libcurl.easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	libcurl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	libcurl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (request->ca_file)
		libcurl.easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	if (request->once) {
		libcurl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		libcurl.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
		libcurl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	}
}

static void set_up(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;

	libcurl.easy_setopt(easy, CURLOPT_URL, request->url);
	if (request->method)
		libcurl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	libcurl.easy_setopt(easy, CURLOPT_PRIVATE, call);
	libcurl.easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	libcurl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	libcurl.easy_setopt(easy, CURLOPT_WRITEDATA, call);
	libcurl.easy_setopt(easy, CURLOPT_USERAGENT, "nuncio");
	libcurl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	libcurl.easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			    (long)(request->timeout_ms ? request->timeout_ms : TIMEOUT_MS));
	set_safety(call, request);
	set_who(call, request);
	set_body(call, request);
}

static void ask(struct http_call *call, const struct http_request *request)
{
	CURLMcode code;

	call->easy = libcurl.easy_init();
	if (!call->easy)
		abort();
	set_up(call, request);
	code = libcurl.multi_add_handle(call->http->multi, call->easy);
	call->in_multi = code == CURLM_OK;
	if (code != CURLM_OK)
		failure_set(&call->refused, FAILURE_LATER, "%s", libcurl.multi_strerror(code));
}

struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn *done, void *ctx)
{
	struct http_call *call = xcalloc(1, sizeof(*call));

	call->http = http;
	call->done = done;
	call->ctx = ctx;
	call->may_be_cut = request->may_be_cut;
	buf_init(&call->body, request->max_reply ? request->max_reply : REPLY_MAX);
	call->next = http->calls;
	call->link = &http->calls;
	if (call->next)
		call->next->link = &call->next;
	http->calls = call;
	if (begin(http, &call->refused) == 0)
		ask(call, request);
	task_start(&http->finish);
	return call;
}

void http_cancel(struct http_call *call)
{
	if (call)
		call_free(call);
}
