/* client/rules_ask.h - the commands of `nuncio rules` that ask the daemon. Each takes
 * argv[0] as its own name, and returns an exit status. */
#ifndef NUNCIO_CLIENT_RULES_ASK_H
#define NUNCIO_CLIENT_RULES_ASK_H
struct context;

int rules_list_run(struct context *context, int argc, char **argv);
int rules_test_run(struct context *context, int argc, char **argv);
int rules_log_run(struct context *context, int argc, char **argv);
int rules_run_run(struct context *context, int argc, char **argv);
int rules_kill_run(struct context *context, int argc, char **argv);
#endif
