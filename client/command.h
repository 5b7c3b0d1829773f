/* client/command.h - what the client can do: one table of commands, and what
 * they share: where to connect, how to print, which exit status an error has. */
#ifndef NUNCIO_CLIENT_COMMAND_H
#define NUNCIO_CLIENT_COMMAND_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
struct failure;
struct link;
struct varlink_reply;

struct context {
	const char *socket;     /* --socket, or NULL */
	bool json;              /* --json: the daemon's own words, a line each */
	const char *when_empty; /* what queue says when nothing waits, or NULL */
};

struct command {
	const char *name;
	/* argv[0] is the command. Returns an exit status (sysexits.h). */
	int (*run)(struct context *context, int argc, char **argv);
	const char *usage, *help;
};
int send_run(struct context *context, int argc, char **argv);
int text_run(struct context *context, int argc, char **argv);
int run_run(struct context *context, int argc, char **argv);
int mail_run(struct context *context, int argc, char **argv);
int queue_run(struct context *context, int argc, char **argv);
int show_run(struct context *context, int argc, char **argv);
int why_run(struct context *context, int argc, char **argv);
int status_run(struct context *context, int argc, char **argv);
int doctor_run(struct context *context, int argc, char **argv);
int log_run(struct context *context, int argc, char **argv);
int watch_run(struct context *context, int argc, char **argv);
int deed_run(struct context *context, int argc, char **argv); /* cancel retry hold release */
int pause_run(struct context *context, int argc, char **argv);
int resume_run(struct context *context, int argc, char **argv);
int contacts_run(struct context *context, int argc, char **argv);
int rules_run(struct context *context, int argc, char **argv);
int sendmail_run(struct context *context, int argc, char **argv); /* mailq, newaliases */

/* Does the program's path end in sendmail, mailq or newaliases? */
bool sendmail_is_called(const char *path);

/* For a command whose one option is --json: what is left are its operands. false: it
 * has others. */
bool only_operands(struct context *context, int *argc, char ***argv);
/* A wrong command line: says so and how it is used; EX_USAGE. */
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens the link or says why not; *ret_status is then what to exit with. */
struct link *context_link(const struct context *context, int *ret_status);
/* One call; an answer that is an error is said on stderr. Returns an exit status,
 * 0: reply is filled (clear it). parameters is taken over. */
int context_call(struct link *link, const char *method, json_t *parameters,
		 struct varlink_reply *reply);
/* Where an empty answer does not tell whether there is such a message: 0, there is. Else
 * says so, as context_call(). */
int context_check_message(struct link *link, json_int_t id);
/* Says an error answer, or why there is none, and gives its exit status. */
int say_error(const struct varlink_reply *reply);
int say_failure(const struct failure *f);
void print_json(const json_t *value); /* one line */
/* A positive id in text, or usage_error() by the caller: false. */
bool parse_id(const char *text, json_int_t *ret);
/* An object's members for people: "" and 0 when absent or null. */
const char *text_of(const json_t *object, const char *name);
int64_t number_of(const json_t *object, const char *name);
/* Of an answer of Status: does a delivery's route name a transport that there is? "#mail"
 * and the like name none and have what carries it. */
bool route_has_transport(const json_t *status, const char *route);
#endif
