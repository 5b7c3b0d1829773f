/* client/mail.c - nuncio mail: becomes the program that reads mails (mail_parse.c). */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "program.h"

#define PROGRAM "nuncio-mail"

static int parse(struct context *context, const char *file)
{
	const char *argv[6] = {PROGRAM};
	size_t n = 1;

	if (context->json)
		argv[n++] = "--json";
	argv[n++] = "--";
	argv[n++] = "parse";
	argv[n] = file;
	program_become(PROGRAM, NUNCIO_LIBEXEC "/" PROGRAM, (char **)(void *)argv);
	fprintf(stderr, "nuncio: %s/%s: %s\n", NUNCIO_LIBEXEC, PROGRAM, strerror(errno));
	return EX_OSFILE;
}

int mail_run(struct context *context, int argc, char **argv)
{
	if (!only_operands(context, &argc, &argv) || argc < 1)
		return usage_error("mail", "what with a mail?");
	if (strcmp(argv[0], "parse") != 0)
		return usage_error("mail", "it can parse, and nothing else yet called '%s'",
				   argv[0]);
	if (argc > 2)
		return usage_error("mail", "one file, or standard input");
	return parse(context, argc > 1 ? argv[1] : NULL);
}
