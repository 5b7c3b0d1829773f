/* main.c - the command line of nunciod. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "config/config.h"
#include "daemon.h"
#include "parent.h"
#include "restored.h"
#include "version.h"

static const char usage[] =
	"usage: nunciod [-f FILE] [-v]       run, in the foreground\n"
	"       nunciod --check [-f FILE]    check the configuration: 0 good, 78 bad\n"
	"       nunciod --restored [-f FILE] hold all that waits in a database put back\n"
	"       nunciod --reference          print all settings\n"
	"       nunciod --version | --help\n"
	"\n"
	"  -f, --file FILE   the configuration; default /etc/nuncio/nuncio.conf for root,\n"
	"                    $XDG_CONFIG_HOME/nuncio/nuncio.conf for others\n"
	"  -v, --verbose     log changes of state, too\n"
	"\n"
	"SIGHUP reads the configuration again, SIGTERM ends it. See nunciod(8).\n";

enum deed {
	DEED_RUN,
	DEED_CHECK,
	DEED_RESTORED,
	DEED_REFERENCE,
	DEED_VERSION,
	DEED_HELP,
	DEED_WRONG
};

static const struct option long_options[] = {
	{"check", no_argument, NULL, 'c'},      {"restored", no_argument, NULL, 'R'},
	{"file", required_argument, NULL, 'f'}, {"reference", no_argument, NULL, 'r'},
	{"verbose", no_argument, NULL, 'v'},    {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

static enum deed parse(int argc, char **argv, struct daemon_options *options)
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
		case 'R':
			deed = DEED_RESTORED;
			break;
		case 'r':
			deed = DEED_REFERENCE;
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
	struct daemon_options options = {0};

	switch (parse(argc, argv, &options)) {
	case DEED_RUN:
		return parent_is_wanted(&options) ? parent_run(&options) : daemon_run(&options);
	case DEED_CHECK:
		return daemon_check(&options);
	case DEED_RESTORED:
		return restored_run(&options);
	case DEED_REFERENCE:
		config_print_reference();
		return EX_OK;
	case DEED_VERSION:
		printf("nunciod %s\n", NUNCIO_VERSION);
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
