/* common/run_wire.h - the words nunciod and nuncio-runner speak over the runner's
 * private socket: Varlink (varlink.h), interface io.nuncio.runner, NUL ended. Attachments go along as sealed memfds. The
 * result of a run stays with the runner until Ack.
 *
 *   Start (run, rule, command, attachments: []string) -> (state)
 *         run: [A-Za-z0-9-]{1,64}, chosen by nunciod; the same one again is the same
 *         run. command: the command line, proof removed, one line of UTF-8; the runner
 *         matches the rule's pattern itself. attachments: file names, one a descriptor.
 *   Prepare (the same) -> ()   a Start of the same is coming over this connection, or not at
 *         all: what can be done before is. The connection's end undoes it.
 *   Collect (run, wait: ?bool) -> a result (below); with wait the answer comes when the run has ended
 *   Ack (run) -> ()      the result may be forgotten
 *   Kill (run) -> ()
 *   List () -> (runs: [](run, rule, state, started))
 *   Secret (name) -> (value)
 *         name: of a setting, as "transports.mail.password"; the runner reads in its own
 *         configuration which command says it, and has it run
 *   errors: NoSuchRule, Refused (reason), NoSuchRun, NoSuchSecret, Busy
 *   A result: (end, code, started, ended, cpu, rss, reason, output: base64, total, head). */
#ifndef NUNCIO_COMMON_RUN_WIRE_H
#define NUNCIO_COMMON_RUN_WIRE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct buf;
struct failure;

#define RUN_INTERFACE "io.nuncio.runner"
#define RUN_ID_MAX 64
#define RUN_ATTACHMENTS_MAX 64            /* of one run */
#define RUN_COMMAND_MAX 65536             /* bytes of a command line */
#define RUN_OUTPUT_MAX (16 * 1024 * 1024) /* kept of what one run prints, whatever a rule says */
#define RUN_FRAME_MAX (4 * 1024 * 1024)   /* to the runner */
#define RUN_REPLY_MAX (RUN_OUTPUT_MAX / 3 * 4 + 1024 * 1024) /* from it: output is base64 */

enum run_end {
	RUN_END_RUNNING,   /* "running": not over */
	RUN_END_EXITED,    /* "exited": code is its exit status */
	RUN_END_SIGNALED,  /* "signaled": code is the signal */
	RUN_END_TIMED_OUT, /* "timed_out": it was ended for it */
	RUN_END_KILLED,    /* "killed": by Kill */
	RUN_END_REFUSED,   /* "refused": never began; reason says why */
	RUN_END_LOST,      /* "lost": the runner itself was ended while it ran */
	RUN_END_UNKNOWN,   /* no such run: it never began, or was acknowledged */
};
struct run_result {
	enum run_end end;
	int code;
	int64_t started_ms, ended_ms; /* wall */
	int64_t cpu_ms, max_rss_kib;
	const char *reason; /* or "" */
	const char *output; /* what it printed on stdout and stderr together, any octets */
	size_t output_len;
	uint64_t output_total; /* more than output_len: the middle was cut out at head_len */
	size_t head_len;
};
const char *run_end_name(enum run_end end);
bool run_end_find(const char *name, enum run_end *ret);
bool run_id_is_good(const char *id);

/* The result as the parameters of a reply; the caller's. */
json_t *run_result_write(const struct run_result *result);
/* Reads them. reason points into parameters, output into the given buffer, which is
 * emptied first. -1 and FAILURE_REFUSED: that is no result. */
int run_result_read(json_t *parameters, struct run_result *ret, struct buf *output,
		    struct failure *f);
#endif
