/* tests/fuzz/fuzz_match.c - any octets as a mail, or as a text message, all the way to a
 * rule's verdict: the command is one line, nothing shown holds the proof, a capture never
 * holds it either, and nobody is vouched for when From is in doubt. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "failure.h"
#include "message/parse.h"
#include "pattern.h"
#include "rules/authres.h"
#include "rules/match.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pattern *patterns[4];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void begin(void)
{
	static const char *const texts[] = {
		"^torrent (?<link>\\S+)(?: (?<rest>.*))?$",
		"(?i)re: *(?<subject>.*)",
		"(?<word>[a-z]+) +(?<number>[0-9]+)",
		"^(a+)+$",
	};
	struct failure f = {0};

	for (size_t i = 0; !patterns[3] && i < 4; i++)
		must(pattern_new(texts[i], &patterns[i], &f) == 0);
}

static void check_command(const struct command_line *c)
{
	must(c->text && text_is_utf8(c->text, strlen(c->text)));
	must(text_is_one_line(c->text, strlen(c->text)));
	must(!c->ambiguous || !c->proof);
}

static void check_fill(const struct captures *captures)
{
	const char *missing = NULL;
	AUTO(free) char *filled = match_fill("{{{word}}} {number}", captures, &missing);

	must(!filled == !captures_get(captures, "word"));
	must(filled ? *filled == '{' : missing && *missing);
}

static void check_match(const struct config *config, const struct incoming *in,
			const struct command_line *command)
{
	char *from[] = {(char[]){"*@example.com"}, (char[]){"+1*"}, NULL};
	char *to[] = {(char[]){"box*"}, NULL};
	struct header_condition headers[] = {{.name = (char[]){"X-Word"}, .pattern = patterns[3]},
					     {.name = (char[]){"To"}, .pattern = patterns[2]}};
	struct rule_config rule = {
		.when = {.from = from,
			 .to = to,
			 .command_pattern = patterns[0],
			 .subject_pattern = patterns[1],
			 .body_pattern = patterns[2],
			 .headers = headers,
			 .nheaders = 2,
			 .has_attachment = WANTED_NO,
			 .larger = 10},
	};
	struct match all, first;

	match_rule(config, &rule, in, command, true, &all);
	match_rule(config, &rule, in, command, false, &first);
	must(all.matches == first.matches && first.nsteps <= all.nsteps && all.nsteps == 9);
	for (size_t i = 0; i < all.nsteps; i++)
		must(text_is_one_line(all.steps[i].text, strlen(all.steps[i].text)));
	for (size_t i = 0; i < all.captures.n; i++)
		must(strlen(all.captures.at[i].value) == all.captures.at[i].len);
	check_fill(&all.captures);
	match_clear(&all);
	match_clear(&first);
}

static void judge(const struct config *config, const struct incoming *in)
{
	struct command_line command;

	command_line_find(in, &command);
	check_command(&command);
	check_match(config, in, &command);
	match_sender(config, in);
	command_line_clear(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = {0};
	struct provider provider = {.authserv = "mx.example.net"};
	struct failure why = {0};

	begin();
	AUTO(parsed_free) struct parsed *p = parse_mail((const char *)data, size);
	AUTO(free) char *body = xstrndup((const char *)data, size);
	struct incoming mail = {.mail = p, .size = size};
	struct incoming text = {.is_text = true, .from = "+15550100", .body = body, .size = size};

	judge(&config, &mail);
	judge(&config, &text);
	if (authres_judge(p, &provider, &why) == AUTHRES_VOUCHED)
		must(!(p->flaws & (FLAW_TWO_FROM | FLAW_FROM_LIST | FLAW_DOUBTFUL)));
	return 0;
}
