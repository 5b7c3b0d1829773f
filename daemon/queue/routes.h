/* queue/routes.h - which transport serves which route. Pure. A route is what a
 * delivery asks for: a transport's name, "#mail" or "#sms". */
#ifndef NUNCIO_QUEUE_ROUTES_H
#define NUNCIO_QUEUE_ROUTES_H
#include <stdbool.h>
#include <stddef.h>

#define ROUTE_MAIL "#mail"
#define ROUTE_TEXTS "#sms"
#define ROUTES_OF_MAX 3

/* A transport, in the order of the configuration. */
struct carrier {
	const char *name;
	unsigned carries; /* of enum carries */
	bool down;
	char *const *failover; /* names, in order, NULL-ended; NULL: none */
};
/* Which of the n carriers serves the routes that are carriers[i]'s: itself, or while it
 * is down the first of its failover that carries as much and is not. */
size_t routes_server(const struct carrier *carriers, size_t n, size_t i);
/* The routes that are carriers[i]'s: its name, and for the first that carries mail or
 * texts those too. ret has room for
 * ROUTES_OF_MAX; returns how many. */
size_t routes_of(const struct carrier *carriers, size_t n, size_t i, const char **ret);
#endif
