/* client/doctor.c - nuncio doctor: looks at all that must be right for a message to
 * arrive, and says for each thing that is not, what to do. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "alloc.h"
#include "auto.h"
#include "duration.h"
#include "failure.h"
#include "link.h"
#include "nunciod.h"
#include "text.h"
#include "varlink.h"
#include "version.h"

#define FREE_LEAST (64u << 20) /* bytes of disk below which a queue soon can't grow */

struct doctor {
	const struct context *context;
	bool ill; /* something was found */
};

/* What to do about an answer that is an error. */
static const struct remedy {
	const char *error, *advice;
} remedies[] = {
	{"io.nuncio.LoginRefused", "check `user` and the password (does the provider want an app "
				   "password?), reload, then: nuncio resume"},
	{"io.nuncio.TransportSetup",
	 "check `url`, `ca_file` and the server's certificate, then reload"},
	{"io.nuncio.TransportAway",
	 "check the host's name, DNS, the network and the firewall; it is "
	 "tried again by itself"},
	{"io.nuncio.NotPermitted", "ask as root, or as a user whom `access` lets operate"},
	{"io.nuncio.NotStored", "look at the disk and at nunciod's log"},
};

static const char *remedy_of(const char *error)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
		if (strcmp(remedies[i].error, error) == 0)
			return remedies[i].advice;
	return "look at nunciod's log";
}

/* advice NULL: it is well. */
static void find(struct doctor *d, const char *what, const char *text, const char *advice)
{
	char safe[1000];

	text_safe_line(safe, sizeof(safe), text, strlen(text));
	d->ill |= advice != NULL;
	if (d->context->json) {
		json_t *finding = json_pack("{s:s, s:b, s:s, s:s?}", "what", what, "good", !advice,
					    "text", safe, "advice", advice);

		print_json(finding);
		json_decref(finding);
		return;
	}
	printf("%-4s  %s: %s\n", advice ? "BAD" : "good", what, safe);
	if (advice)
		printf("      -> %s\n", advice);
}

static void check_config(struct doctor *d, const char *file)
{
	AUTO(free) char *said = NULL;
	int status = nunciod_run("--check", file, &said);

	if (status == 127)
		find(d, "configuration", "nunciod is not found",
		     "install it beside nuncio, or in $PATH");
	else if (status)
		find(d, "configuration", said, "correct it; nunciod --check says when it is good");
	else
		find(d, "configuration", said, NULL);
}

/* -1: found and told. */
static int ask(struct doctor *d, struct link *link, const char *what, const char *method,
	       json_t *parameters, struct varlink_reply *reply)
{
	struct failure f;

	if (link_call(link, method, parameters, reply, &f) < 0) {
		find(d, what, f.text, "look at nunciod's log");
		return -1;
	}
	if (!reply->error)
		return 0;
	find(d, what, text_of(reply->parameters, "reason"), remedy_of(reply->error));
	varlink_reply_clear(reply);
	return -1;
}

static void check_database(struct doctor *d, struct link *link)
{
	struct varlink_reply reply;
	char text[300], size[16], left[16];

	if (ask(d, link, "database", "Check", NULL, &reply) < 0)
		return;
	uint64_t free_bytes = (uint64_t)number_of(reply.parameters, "free_bytes");
	const char *damage = text_of(reply.parameters, "damage");

	snprintf(text, sizeof(text), "%s: %s, the disk has %s left",
		 text_of(reply.parameters, "state"),
		 size_print(size, sizeof(size),
			    (uint64_t)number_of(reply.parameters, "database_bytes")),
		 size_print(left, sizeof(left), free_bytes));
	if (*damage)
		find(d, "database", damage,
		     "it is damaged: stop nunciod, put back a copy, and run "
		     "nuncio doctor --restored before it starts");
	else
		find(d, "database", text,
		     free_bytes < FREE_LEAST ? "make room: a full disk lets nothing in" : NULL);
	varlink_reply_clear(&reply);
}

static void check_transport(struct doctor *d, struct link *link, const json_t *transport)
{
	const char *name = text_of(transport, "name");
	AUTO(free) char *what = xprintf("transport %s", name);
	struct varlink_reply reply;

	if (strcmp(text_of(transport, "state"), "paused") == 0) {
		AUTO(free) char *advice = xprintf("nuncio resume %s", name);
		AUTO(free) char *text = xprintf("paused: %s", text_of(transport, "reason"));

		find(d, what, text, advice);
		return;
	}
	if (ask(d, link, what, "Probe", json_pack("{s:s}", "transport", name), &reply) < 0)
		return;
	find(d, what, "works", NULL);
	varlink_reply_clear(&reply);
}

static void check_secret(struct doctor *d, const json_t *secret)
{
	AUTO(free) char *what = xprintf("secret %s", text_of(secret, "name"));

	if (json_is_true(json_object_get(secret, "known")))
		find(d, what, "its command answered", NULL);
	else
		find(d, what, text_of(secret, "reason"),
		     "try the command by hand, as the user of nuncio-runner");
}

/* What waits for a transport by name waits for good when nothing is called so. */
static void check_route(struct doctor *d, const json_t *status, const json_t *route)
{
	const char *name = text_of(route, "name");
	long long waiting = number_of(route, "waiting");

	if (!waiting || route_has_transport(status, name))
		return;
	AUTO(free) char *what = xprintf("transport %s", name);
	AUTO(free)
	char *text = xprintf("%lld wait%s for it, and none is called so any more", waiting,
			     waiting == 1 ? "s" : "");
	AUTO(free)
	char *advice = xprintf("name it again in the configuration, or nuncio cancel --route %s, "
			       "and send anew",
			       name);

	find(d, what, text, advice);
}

static void check_daemon(struct doctor *d, struct link *link)
{
	struct varlink_reply reply;
	json_t *transport, *secret, *route;
	size_t i;

	if (ask(d, link, "daemon", "Status", NULL, &reply) < 0)
		return;
	const char *version = text_of(reply.parameters, "version");
	AUTO(free)
	char *text = xprintf("version %s, pid %lld", version,
			     (long long)number_of(reply.parameters, "pid"));
	json_t *transports = json_object_get(reply.parameters, "transports");

	find(d, "daemon", text,
	     strcmp(version, NUNCIO_VERSION) == 0 ? NULL
						  : "restart it: another version is installed");
	check_database(d, link);
	if (json_array_size(transports) == 0)
		find(d, "transports", "there is none", "name one in the configuration");
	json_array_foreach(transports, i, transport) check_transport(d, link, transport);
	json_array_foreach(json_object_get(reply.parameters, "routes"), i, route)
		check_route(d, reply.parameters, route);
	json_array_foreach(json_object_get(reply.parameters, "secrets"), i, secret)
		check_secret(d, secret);
	varlink_reply_clear(&reply);
}

static int examine(const struct context *context, const char *file)
{
	struct doctor doctor = {.context = context};
	struct link *link = NULL;
	struct failure f;

	check_config(&doctor, file);
	if (link_open(context->socket, &link, &f) < 0)
		find(&doctor, "socket", f.text, "start it: systemctl start nunciod, or nunciod");
	else
		check_daemon(&doctor, link);
	link_close(link);
	return doctor.ill ? 1 : 0;
}

static int restored(const char *file)
{
	AUTO(free) char *said = NULL;
	int status = nunciod_run("--restored", file, &said);

	fprintf(status ? stderr : stdout, "%s\n",
		status == 127 ? "nuncio: no nunciod is found" : said);
	return status == 127 ? EX_UNAVAILABLE : status;
}

int doctor_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"file", required_argument, NULL, 'f'},
						{"restored", no_argument, NULL, 'r'},
						{"json", no_argument, NULL, 'j'},
						{0}};
	const char *file = NULL;
	bool is_restored = false;
	int c;

	while ((c = getopt_long(argc, argv, "f:", options, NULL)) != -1) {
		if (c == '?')
			return usage_error("doctor", "that is not an option of it");
		if (c == 'f')
			file = optarg;
		is_restored |= c == 'r';
		context->json |= c == 'j';
	}
	if (optind < argc)
		return usage_error("doctor", "it takes no operand");
	return is_restored ? restored(file) : examine(context, file);
}
