/* Bytes as one who speaks to the runner may send them: framed, parsed, answered, with
 * orders made of two rules; and the same bytes as a command line. No run begins: none may
 * at a time. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runner/calls.h"
#include "../../runner/errand.h"
#include "../../runner/order.h"
#include "../../runner/peer.h"
#include "../../runner/runs.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name_plain[] = "plain", name_torrent[] = "torrent";
static char path[] = "/bin/true", link_element[] = "<{link}>", whole[] = "{link}",
	    attachments[] = "{attachments}", braces[] = "{ x {}";
static char *run_plain[] = {path, NULL};
static char *run_torrent[] = {path, whole, link_element, attachments, braces, NULL};
static struct action_config actions[] = {
	{.kind = ACTION_RUN, .run = run_plain},
	{.kind = ACTION_RUN, .run = run_torrent},
};
static struct rule_config rules[] = {
	{.name = name_plain, .actions = &actions[0], .nactions = 1},
	{.name = name_torrent, .actions = &actions[1], .nactions = 1},
};
static const struct config config = {.rules = rules, .nrules = 2};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void prepare(void)
{
	struct pattern **pattern = &rules[1].when.command_pattern;

	if (*pattern)
		return;
	log_set_level(LOG_LEVEL_ERROR);
	must(pattern_new("^torrent (?<link>\\S.*)$", pattern, NULL) == 0);
}

static void answer(struct peer *peer)
{
	static const struct house house = {.lock = -1, .runs = -1, .homes = -1};
	static char house_path[] = "/nowhere";
	struct house nowhere = house;
	struct runs runs = {.house = &nowhere};
	struct errands errands = {.n = 0};
	struct hall hall = {&config, &runs, &errands, NULL};
	struct varlink_call call;

	nowhere.path = house_path;
	while (peer_next(peer, &call)) {
		calls_take(&hall, peer, &call);
		must(call.oneway || peer->broken || peer->out.len);
		must(runs.n == 0 && !peer->awaits[0] && !peer->errand);
		varlink_call_clear(&call);
		buf_clear(&peer->out);
	}
}

static void order(const char *command)
{
	struct order_ask ask = {"torrent", command, "/nowhere/attachments"};
	struct order made;
	struct failure f = {0};

	if (order_make(&config, &ask, &made, &f) < 0) {
		must(f.text[0]);
		return;
	}
	size_t n = 0;

	while (made.argv[n])
		n++;
	must(n == 5 && !strcmp(made.argv[0], path));
	must(made.argv[1][0] != '-' && !strcmp(made.argv[1], command + strlen("torrent ")));
	must(made.argv[2][0] == '<' && strlen(made.argv[2]) == strlen(made.argv[1]) + 2);
	must(!strcmp(made.argv[3], ask.attachments) && !strcmp(made.argv[4], braces));
	order_clear(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer;

	prepare();
	peer_init(&peer, dup(2));
	if (buf_add(&peer.in, data, size) == 0)
		answer(&peer);
	peer_clear(&peer);

	char *command = malloc(size + 1);

	must(command);
	memcpy(command, data, size);
	command[size] = '\0';
	order(command);
	free(command);
	return 0;
}
