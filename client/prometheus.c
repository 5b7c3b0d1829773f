/* client/prometheus.c - decides which figures there are, under which names, and how
 * a file of them comes to be: written beside its place, then renamed. */
#include "prometheus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "command.h"

/* What is told of each transport. */
static const struct figure {
	const char *member, *name, *type, *help;
} figures[] = {
	{"sent", "nuncio_transport_sent_total", "counter", "Deliveries sent since the start."},
	{"refused", "nuncio_transport_refused_total", "counter",
	 "Deliveries refused for good since the start."},
	{"deferred", "nuncio_transport_deferred_total", "counter",
	 "Attempts put off by the other side since the start."},
	{"sent_minute", "nuncio_transport_sent_last_minute", "gauge",
	 "Deliveries sent in the last minute."},
	{"sent_hour", "nuncio_transport_sent_last_hour", "gauge",
	 "Deliveries sent in the last hour."},
	{"in_flight", "nuncio_transport_in_flight", "gauge", "Mails being sent."},
	{"failures", "nuncio_transport_failures", "gauge", "Failed connections in a row."},
};

static void head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(FILE *to, const char *name, const char *value)
{
	fprintf(to, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fprintf(to, "\\%c", *value);
		else if (*value == '\n')
			fputs("\\n", to);
		else
			fputc(*value, to);
	}
	fputc('"', to);
}

static void one(FILE *to, const char *name, const char *type, const char *help, double value)
{
	head(to, name, type, help);
	fprintf(to, "%s %.15g\n", name, value);
}

static void row(FILE *to, const char *name, const json_t *of, double value)
{
	fprintf(to, "%s{", name);
	label(to, "transport", text_of(of, "name"));
	fputc(',', to);
	label(to, "type", text_of(of, "type"));
	fprintf(to, "} %.15g\n", value);
}

static void write_transports(FILE *to, const json_t *transports)
{
	json_t *t;
	size_t i;

	head(to, "nuncio_transport_up", "gauge", "0: down, or paused by an operator.");
	json_array_foreach(transports, i, t)
	{
		const char *state = text_of(t, "state");
		bool off = strcmp(state, "down") == 0 || strcmp(state, "paused") == 0;

		row(to, "nuncio_transport_up", t, off ? 0 : 1);
	}
	for (size_t f = 0; f < sizeof(figures) / sizeof(*figures); f++) {
		head(to, figures[f].name, figures[f].type, figures[f].help);
		json_array_foreach(transports, i, t)
			row(to, figures[f].name, t, (double)number_of(t, figures[f].member));
	}
}

static void mailbox_row(FILE *to, const char *name, const json_t *of, double value)
{
	fprintf(to, "%s{", name);
	label(to, "mailbox", text_of(of, "name"));
	fputc(',', to);
	label(to, "type", text_of(of, "type"));
	fprintf(to, "} %.15g\n", value);
}

static void write_mailboxes(FILE *to, const json_t *mailboxes)
{
	json_t *m;
	size_t i;

	if (!json_array_size(mailboxes))
		return;
	head(to, "nuncio_mailbox_up", "gauge", "1: it hears of new mail, or asks for it.");
	json_array_foreach(mailboxes, i, m)
	{
		const char *state = text_of(m, "state");
		bool up = strcmp(state, "watching") == 0 || strcmp(state, "polling") == 0;

		mailbox_row(to, "nuncio_mailbox_up", m, up ? 1 : 0);
	}
	head(to, "nuncio_mailbox_mails_total", "counter", "Mails looked at since the start.");
	json_array_foreach(mailboxes, i, m)
		mailbox_row(to, "nuncio_mailbox_mails_total", m, (double)number_of(m, "mails"));
	head(to, "nuncio_mailbox_reconnects_total", "counter", "Connections made anew.");
	json_array_foreach(mailboxes, i, m) mailbox_row(to, "nuncio_mailbox_reconnects_total", m,
							(double)number_of(m, "reconnects"));
}

static void write_routes(FILE *to, const json_t *routes)
{
	int64_t now_ms = clock_wall_ms();
	json_t *route;
	size_t i;

	head(to, "nuncio_waiting", "gauge", "Deliveries that wait or are being sent.");
	json_array_foreach(routes, i, route)
	{
		fputs("nuncio_waiting{", to);
		label(to, "route", text_of(route, "name"));
		fprintf(to, "} %lld\n", (long long)number_of(route, "waiting"));
	}
	head(to, "nuncio_oldest_waiting_seconds", "gauge", "How long the oldest has waited.");
	json_array_foreach(routes, i, route)
	{
		int64_t oldest_ms = number_of(route, "oldest");
		int64_t age_ms = oldest_ms && oldest_ms < now_ms ? now_ms - oldest_ms : 0;

		fputs("nuncio_oldest_waiting_seconds{", to);
		label(to, "route", text_of(route, "name"));
		fprintf(to, "} %.3f\n", (double)age_ms / 1000);
	}
}

static void write_all(FILE *to, const json_t *status)
{
	const char *state;
	json_t *count;

	one(to, "nuncio_up", "gauge", "Does nunciod answer?", status ? 1 : 0);
	if (!status)
		return;
	one(to, "nuncio_start_time_seconds", "gauge", "When nunciod was started, since 1970.",
	    (double)number_of(status, "started") / 1000);
	one(to, "nuncio_database_bytes", "gauge", "The queue on disk.",
	    (double)number_of(status, "database_bytes"));
	head(to, "nuncio_deliveries", "gauge", "Deliveries that are kept, by state.");
	json_object_foreach(json_object_get(status, "counts"), state, count)
	{
		fputs("nuncio_deliveries{", to);
		label(to, "state", state);
		fprintf(to, "} %lld\n", (long long)json_integer_value(count));
	}
	write_routes(to, json_object_get(status, "routes"));
	write_transports(to, json_object_get(status, "transports"));
	write_mailboxes(to, json_object_get(status, "mailboxes"));
}

int prometheus_write(const json_t *status, const char *path)
{
	AUTO(free) char *beside = path ? xprintf("%s.%d.new", path, (int)getpid()) : NULL;
	FILE *to = path ? fopen(beside, "wxe") : stdout;
	bool good = false;

	if (to)
		write_all(to, status);
	if (!path)
		return 0; /* like all that is printed: main() sees whether it could be */
	if (to) {
		good = fflush(to) == 0 && !ferror(to);
		good &= fchmod(fileno(to), 0644) == 0;
		good &= fclose(to) == 0;
		good = good && rename(beside, path) == 0;
		if (!good)
			unlink(beside);
	}
	if (good)
		return 0;
	fprintf(stderr, "nuncio: %s: %s\n", path, strerror(errno));
	return EX_CANTCREAT;
}
