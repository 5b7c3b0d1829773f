/* client/rules_totp.h - nuncio rules totp: a new key for an authenticator app. Takes
 * argv[0] as its own name, returns an exit status, and asks no daemon. */
#ifndef NUNCIO_CLIENT_RULES_TOTP_H
#define NUNCIO_CLIENT_RULES_TOTP_H
struct context;

int rules_totp_run(struct context *context, int argc, char **argv);
#endif
