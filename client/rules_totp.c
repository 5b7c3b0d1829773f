/* client/rules_totp.c - nuncio rules totp CONTACT: makes a key of 160 bits (RFC 4226 4,
 * R6) and shows it as an authenticator app wants it, as a QR code where there is a
 * terminal to scan it from. The key goes to standard output and to --file, nowhere
 * else; the daemon reads it from that file. */
#include "rules_totp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include <qrencode.h>

#include "alloc.h"
#include "auto.h"
#include "command.h"
#include "secret.h"

enum {
	KEY_LEN = 20,
	BASE32_LEN = 32, /* of 20 octets: no padding */
	QUIET = 4,       /* modules of margin, ISO/IEC 18004 */
};

struct key_options {
	const char *contact, *file;
	bool plain;
};

static void make_key(char base32[BASE32_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char key[KEY_LEN];

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		abort(); /* never for so few octets */
	for (size_t i = 0; i < BASE32_LEN; i++) {
		size_t bit = i * 5;
		unsigned pair = (unsigned)key[bit / 8] << 8;

		if (bit / 8 + 1 < sizeof(key))
			pair |= key[bit / 8 + 1];
		base32[i] = digits[pair >> (11 - bit % 8) & 31];
	}
	base32[BASE32_LEN] = '\0';
	secret_wipe(key, sizeof(key));
}

/* Names of contacts are safe in a file, not in a URI. */
static char *make_uri(const char *contact, const char *base32)
{
	char *label = xmalloc(3 * strlen(contact) + 1);
	size_t n = 0;

	for (const unsigned char *c = (const unsigned char *)contact; *c; c++) {
		if (isalnum(*c) || strchr("-._~", *c))
			label[n++] = (char)*c;
		else
			n += (size_t)sprintf(label + n, "%%%02X", *c);
	}
	label[n] = '\0';
	char *uri = xprintf("otpauth://totp/nuncio:%s?secret=%s&issuer=nuncio&algorithm=SHA1"
			    "&digits=6&period=30",
			    label, base32);
	free(label);
	return uri;
}

static bool is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

/* Two rows of modules a line. Light ones are drawn, with colours said: a code that
 * is inverted by a dark terminal is not read by every app. */
static void print_code(const char *uri)
{
	static const char *const halves[] = {"\xe2\x96\x88", "\xe2\x96\x80", "\xe2\x96\x84", " "};
	QRcode *code = QRcode_encodeString8bit(uri, 0, QR_ECLEVEL_L);

	if (!code) {
		fputs("nuncio: no QR code could be made; the URI says the same\n", stderr);
		return;
	}
	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		fputs("\033[97;40m", stdout);
		for (int x = -QUIET; x < code->width + QUIET; x++)
			fputs(halves[is_dark(code, x, y) * 2 + is_dark(code, x, y + 1)], stdout);
		puts("\033[0m");
	}
	secret_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

/* A new file that only its owner reads: an old key is never written over, somebody may
 * be using it. */
static int write_key(const char *path, const char *base32)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		fprintf(stderr, "nuncio: %s: %s\n", path, strerror(errno));
		return EX_CANTCREAT;
	}
	int broken = dprintf(fd, "%s\n", base32) != BASE32_LEN + 1 || fsync(fd) != 0 ? errno : 0;
	if (close(fd) != 0 && !broken)
		broken = errno;
	if (!broken)
		return 0;
	fprintf(stderr, "nuncio: %s: %s\n", path, strerror(broken));
	unlink(path);
	return EX_IOERR;
}

static int read_options(struct key_options *ret, int argc, char **argv)
{
	static const struct option options[] = {
		{"file", required_argument, NULL, 'f'}, {"plain", no_argument, NULL, 'p'}, {0}};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f')
			ret->file = optarg;
		else if (c == 'p')
			ret->plain = true;
		else
			return usage_error("rules", "that is not an option of totp");
	}
	if (optind + 1 != argc || !*argv[optind])
		return usage_error("rules", "totp needs one contact's name");
	ret->contact = argv[optind];
	if (strspn(ret->contact,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") !=
	    strlen(ret->contact))
		return usage_error("rules", "no contact can have that name");
	return 0;
}

static void print_key(const struct key_options *options, const char *base32)
{
	char *uri = make_uri(options->contact, base32);
	/* The configuration wants absolute paths. */
	AUTO(free) char *file = options->file ? realpath(options->file, NULL) : NULL;

	if (!options->plain && isatty(STDOUT_FILENO))
		print_code(uri);
	printf("Key         %s\nURI         %s\n", base32, uri);
	printf("\nIn the configuration, with contact %s:\n  totp = { file = \"%s\"; };\n",
	       options->contact, file ? file : "/etc/nuncio/totp");
	if (!options->file)
		puts("The file holds the key, and nobody but the daemon may read it; --file writes it.");
	secret_wipe(uri, strlen(uri));
	free(uri);
}

int rules_totp_run(struct context *context, int argc, char **argv)
{
	struct key_options options = {0};
	char base32[BASE32_LEN + 1];
	int status = read_options(&options, argc, argv);

	if (status)
		return status;
	make_key(base32);
	if (options.file)
		status = write_key(options.file, base32);
	if (!status)
		print_key(&options, base32);
	secret_wipe(base32, sizeof(base32));
	return status;
}
