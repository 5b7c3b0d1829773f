/* Requests and a server that is polite, slow, gone, or tempting. */
#include "net/http.h"

#include "base/loop.h"
#include "tests/unit/expect.h"
#include "failure.h"
#include "secret.h"
#include "talk.h"

struct stage {
	struct loop *loop;
	struct http *http;
	struct talk *server;
	char url[100];
	bool done, written;
	unsigned answers, status;
	char body[100];
	int64_t date_ms, retry_after_ms;
	struct failure why;
};

static void stage_init_with(struct stage *s, const char *script, const struct talk_options *options)
{
	*s = (struct stage){.loop = loop_new()};
	s->http = http_new(s->loop);
	s->server = talk_with(s->loop, script, options);
	snprintf(s->url, sizeof(s->url), "http%s://127.0.0.1:%u/x", options->tls_at_once ? "s" : "",
		 talk_port(s->server));
}

static void stage_init(struct stage *s, const char *script)
{
	stage_init_with(s, script, &(struct talk_options){0});
}

static void stage_clear(struct stage *s)
{
	http_free(s->http);
	loop_free(s->loop);
}

static void heard(void *ctx, const struct http_reply *reply, const struct failure *why,
		  bool written)
{
	struct stage *s = ctx;

	expect_true(!reply != !why);
	s->done = true;
	s->answers++;
	s->written = written;
	if (why)
		s->why = *why;
	if (!reply)
		return;
	s->status = reply->status;
	s->date_ms = reply->date_ms;
	s->retry_after_ms = reply->retry_after_ms;
	expect_int(strlen(reply->body), reply->len);
	snprintf(s->body, sizeof(s->body), "%s", reply->body);
}

static struct http_call *ask(struct stage *s, const struct http_request *request)
{
	struct http_request copy = *request;

	s->done = false;
	if (!copy.url)
		copy.url = s->url;
	struct http_call *call = http_start(s->http, &copy, heard, s);

	expect_true(!s->done);
	return call;
}

static void ask_and_wait(struct stage *s, const struct http_request *request)
{
	ask(s, request);
	talk_until(s->loop, &s->done);
}

TEST(a_get_and_what_the_answer_says)
{
	struct stage s;

	stage_init(&s, "C: GET /x HTTP/1.1\n"
		       "C: ...\n"
		       "C: \n"
		       "S: HTTP/1.1 429 Too Many\n"
		       "S: Date: Sun, 22 Nov 2026 20:30:00 GMT\n"
		       "S: Retry-After: 7\n"
		       "S: Content-Length: 5\n"
		       "S: \n"
		       "S= hello\n");
	ask_and_wait(&s, &(struct http_request){0});
	expect_int(s.status, 429);
	expect_text(s.body, "hello");
	expect_int(s.retry_after_ms, 7000);
	expect_int(s.date_ms, 1795379400000);
	talk_finished(s.server);
	stage_clear(&s);
}

TEST(a_post_with_a_name_and_a_password)
{
	struct stage s;
	struct secret *password = secret_new("sesame", 6);

	stage_init(&s, "C: POST /x HTTP/1.1\n"
		       "C: Host: *\n"
		       "C: Authorization: Basic b3BlbjpzZXNhbWU=\n"
		       "C: User-Agent: nuncio\n"
		       "C: Accept: *\n"
		       "C: Content-Type: application/x-www-form-urlencoded\n"
		       "C: Content-Length: 5\n"
		       "C: \n"
		       "S: HTTP/1.1 201 Created\n"
		       "S: Content-Length: 2\n"
		       "S: \n"
		       "S= {}\n");
	ask_and_wait(&s, &(struct http_request){.user = "open",
						.password = password,
						.type = "application/x-www-form-urlencoded",
						.body = "a=b\r\n",
						.body_len = 5});
	expect_int(s.status, 201);
	expect_text(s.body, "{}");
	talk_free(s.server);
	stage_clear(&s);
	secret_free(password);
}

TEST(a_post_that_must_not_be_twice_has_a_connection_of_its_own_and_is_not_repeated)
{
	struct stage s;

	/* The first connection is kept; the POST comes on a new one, which takes it and
	 * closes without an answer. A third one would differ from the script. */
	stage_init(&s, "C: GET /x HTTP/1.1\n"
		       "C: ...\n"
		       "C: \n"
		       "S: HTTP/1.1 200 OK\n"
		       "S: Content-Length: 0\n"
		       "S: \n"
		       "ACCEPT\n"
		       "C: POST /x HTTP/1.1\n"
		       "C: ...\n"
		       "C: end\n"
		       "CLOSE\n");
	ask_and_wait(&s, &(struct http_request){0});
	expect_int(s.status, 200);
	ask_and_wait(&s, &(struct http_request){.once = true,
						.type = "text/plain",
						.body = "\r\nend\r\n",
						.body_len = 7});
	expect_int(s.answers, 2);
	expect_int(s.why.kind, FAILURE_LATER);
	expect_true(s.written);
	talk_finished(s.server);
	stage_clear(&s);
}

TEST(nobody_there_is_known_as_not_written)
{
	struct stage s;

	stage_init(&s, "C: x\n");
	talk_free(s.server);
	ask_and_wait(&s, &(struct http_request){.once = true, .body = "a", .body_len = 1});
	expect_int(s.why.kind, FAILURE_LATER);
	expect_true(!s.written);
	stage_clear(&s);
}

TEST(a_server_that_never_answers_is_given_up)
{
	struct stage s;

	stage_init(&s, "C: POST /x HTTP/1.1\nC: ...\nC: end\n");
	ask_and_wait(
		&s, &(struct http_request){
			    .once = true, .timeout_ms = 100, .body = "\r\nend\r\n", .body_len = 7});
	expect_int(s.why.kind, FAILURE_LATER);
	expect_contains(s.why.text, "timed out");
	expect_true(s.written);
	talk_free(s.server);
	stage_clear(&s);
}

TEST(certificates_are_verified)
{
	struct stage s;

	stage_init_with(&s, "C: GET /x HTTP/1.1\n",
			&(struct talk_options){.tls_at_once = true, .certificate = TALK_OTHER_CA});
	ask_and_wait(&s, &(struct http_request){.ca_file = talk_ca_file()});
	expect_int(s.why.kind, FAILURE_SETUP);
	expect_true(!s.written);
	talk_free(s.server);
	stage_clear(&s);
}

TEST(a_good_certificate_is_good)
{
	struct stage s;

	stage_init_with(&s,
			"C: GET /x HTTP/1.1\nC: ...\nC: \n"
			"S: HTTP/1.1 200 OK\nS: Content-Length: 0\nS: \n",
			&(struct talk_options){.tls_at_once = true});
	ask_and_wait(&s, &(struct http_request){.ca_file = talk_ca_file(), .once = true});
	expect_int(s.status, 200);
	talk_free(s.server);
	stage_clear(&s);
}

TEST(redirects_are_not_followed)
{
	struct stage s;

	stage_init(&s, "C: GET /x HTTP/1.1\nC: ...\nC: \n"
		       "S: HTTP/1.1 302 Found\nS: Location: http://127.0.0.1:1/\n"
		       "S: Content-Length: 0\nS: \n");
	ask_and_wait(&s, &(struct http_request){0});
	expect_int(s.status, 302);
	talk_finished(s.server);
	stage_clear(&s);
}

TEST(an_answer_without_end_is_cut_off)
{
	struct stage s;

	stage_init(&s, "C: GET /x HTTP/1.1\nC: ...\nC: \n"
		       "S: HTTP/1.1 200 OK\nS: Content-Length: 100\nS: \n"
		       "S: 0123456789012345678901234567890123456789\n");
	ask_and_wait(&s, &(struct http_request){.max_reply = 20});
	expect_int(s.why.kind, FAILURE_LATER);
	expect_contains(s.why.text, "too large");
	talk_free(s.server);
	stage_clear(&s);
}

TEST(what_is_no_url_or_of_another_protocol_is_refused)
{
	struct stage s;

	stage_init(&s, "C: x\n");
	ask_and_wait(&s, &(struct http_request){.url = "file:///etc/passwd"});
	expect_int(s.why.kind, FAILURE_SETUP);
	ask_and_wait(&s, &(struct http_request){.url = "http://"});
	expect_int(s.why.kind, FAILURE_SETUP);
	talk_free(s.server);
	stage_clear(&s);
}

TEST(a_cancelled_request_says_nothing_and_so_does_the_end)
{
	struct stage s;

	stage_init(&s, "C: x\n");
	http_cancel(ask(&s, &(struct http_request){0}));
	http_cancel(NULL);
	ask(&s, &(struct http_request){0});
	talk_free(s.server);
	stage_clear(&s);
	expect_int(s.answers, 0);
}

RUN_TESTS()
