/* client/rules.c - nuncio rules: the table of what can be done with rules. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "rules_ask.h"
#include "rules_totp.h"

/* clang-format off */
static const struct command rules_commands[] = {
	{ "list", rules_list_run, "",                                             "what rules there are" },
	{ "test", rules_test_run, "[--mailbox NAME] [--ago TIME] RULE FILE",      "what a rule would do with a mail" },
	{ "log",  rules_log_run,  "[--rule NAME] [--from CONTACT] [--state S] [--since TIME] [--limit N] [ID]", "what was commanded, and refused" },
	{ "run",  rules_run_run,  "RULE [COMMAND]",                               "run a rule's program by hand" },
	{ "kill", rules_kill_run, "ID",                                           "end a run" },
	{ "totp", rules_totp_run, "[--file PATH] [--plain] CONTACT",              "make a key for one-time codes" },
};
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int list_commands(void)
{
	for (size_t i = 0; i < COUNT(rules_commands); i++)
		fprintf(stderr, "  rules %-5s %-40s %s\n", rules_commands[i].name,
			rules_commands[i].usage, rules_commands[i].help);
	return EX_USAGE;
}

int rules_run(struct context *context, int argc, char **argv)
{
	if (argc < 2)
		return list_commands();
	for (size_t i = 0; i < COUNT(rules_commands); i++) {
		if (strcmp(rules_commands[i].name, argv[1]) == 0)
			return rules_commands[i].run(context, argc - 1, argv + 1);
	}
	usage_error("rules", "'%s' is none of its commands", argv[1]);
	return list_commands();
}
