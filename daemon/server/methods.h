/* server/methods.h - what can be asked over the socket: one table. */
#ifndef NUNCIO_SERVER_METHODS_H
#define NUNCIO_SERVER_METHODS_H
#include <stdbool.h>
struct call;
struct param;

struct method {
	const char *name; /* "io.nuncio.Send" */
	unsigned right;   /* of enum right; 0: anyone, for what is their own */
	bool streams;     /* only with more: answers until it is over */
	const struct param *params;
	void (*start)(struct call *c); /* parameters and right were checked */
};
const struct method *method_find(const char *name); /* NULL: there is none */
const struct method *method_table(void);            /* ended by a NULL name */
bool method_interface_exists(const char *method);   /* "io.nuncio" of "io.nuncio.Sent" */

void service_info(struct call *c); /* service.c */
void service_description(struct call *c);
void send_start(struct call *c);   /* send.c */
void submit_start(struct call *c); /* submit.c */
void list_start(struct call *c);   /* queue_methods.c */
void show_start(struct call *c);
void log_start(struct call *c);
void cancel_start(struct call *c);
void retry_start(struct call *c);
void hold_start(struct call *c);
void release_start(struct call *c);
void watch_start(struct call *c); /* watch.c */
void pause_start(struct call *c); /* transport_methods.c */
void resume_start(struct call *c);
void probe_start(struct call *c);
void status_start(struct call *c);
void check_start(struct call *c);      /* health.c */
void contacts_start(struct call *c);   /* contact_methods.c */
void rules_list_start(struct call *c); /* rule_methods.c */
void rules_test_start(struct call *c);
void rules_log_start(struct call *c);
void rules_run_start(struct call *c);
void rules_kill_start(struct call *c);
#endif
