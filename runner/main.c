/* runner/main.c - the command line of nuncio-runner. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "runner.h"
#include "version.h"

static const char usage[] =
	"usage: nuncio-runner [-f FILE] [-v]     run, in the foreground\n"
	"       nuncio-runner --check [-f FILE]  check the configuration: 0 good, 78 bad\n"
	"       nuncio-runner --version | --help\n"
	"\n"
	"  -f, --file FILE   the configuration, the same as nunciod's; default\n"
	"                    /etc/nuncio/nuncio.conf for root,\n"
	"                    $XDG_CONFIG_HOME/nuncio/nuncio.conf for others\n"
	"  -v, --verbose     log more\n"
	"\n"
	"SIGHUP reads the configuration again. SIGTERM ends it; the programs it began go on,\n"
	"and the next nuncio-runner tells their ends. See nuncio-runner(8).\n";

enum deed { DEED_RUN, DEED_CHECK, DEED_VERSION, DEED_HELP, DEED_WRONG };

static const struct option long_options[] = {
	{"check", no_argument, NULL, 'c'},   {"file", required_argument, NULL, 'f'},
	{"verbose", no_argument, NULL, 'v'}, {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},    {NULL, 0, NULL, 0},
};

static enum deed parse(int argc, char **argv, struct runner_options *options)
{
	enum deed deed = DEED_RUN;
	int option;

	while ((option = getopt_long(argc, argv, "f:vh", long_options, NULL)) != -1) {
		switch (option) {
		case 'f':
			options->config = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'c':
			deed = DEED_CHECK;
			break;
		case 'V':
			deed = DEED_VERSION;
			break;
		case 'h':
			deed = DEED_HELP;
			break;
		default:
			return DEED_WRONG;
		}
	}
	return optind < argc ? DEED_WRONG : deed;
}

int main(int argc, char **argv)
{
	struct runner_options options = {0};

	switch (parse(argc, argv, &options)) {
	case DEED_RUN:
		return runner_run(&options);
	case DEED_CHECK:
		return runner_check(&options);
	case DEED_VERSION:
		printf("nuncio-runner %s\n", NUNCIO_VERSION);
		return EX_OK;
	case DEED_HELP:
		fputs(usage, stdout);
		return EX_OK;
	case DEED_WRONG:
		break;
	}
	fputs(usage, stderr);
	return EX_USAGE;
}
