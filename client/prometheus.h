/* client/prometheus.h - the answer of Status as Prometheus reads it: its text
 * exposition format. */
#ifndef NUNCIO_CLIENT_PROMETHEUS_H
#define NUNCIO_CLIENT_PROMETHEUS_H
#include <jansson.h>

/* status NULL: nobody answered. path NULL: to standard output, which
 * main() checks; else the file is there whole or not at all. Returns an exit status. */
int prometheus_write(const json_t *status, const char *path);
#endif
