/* queue/routes.c - decides by order: the first that carries mail has "#mail",
 * the first of a failover list that is not down takes over. */
#include "queue/routes.h"

#include <string.h>

#include "transport/transport.h"

static size_t find_name(const struct carrier *carriers, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(carriers[i].name, name) != 0)
		i++;
	return i;
}

size_t routes_server(const struct carrier *carriers, size_t n, size_t i)
{
	const struct carrier *own = &carriers[i];

	if (!own->down || !own->failover)
		return i;
	for (char *const *name = own->failover; *name; name++) {
		size_t other = find_name(carriers, n, *name);

		if (other < n && !carriers[other].down &&
		    (carriers[other].carries & own->carries) == own->carries)
			return other;
	}
	return i;
}

static bool is_first(const struct carrier *carriers, size_t i, unsigned carries)
{
	if (!(carriers[i].carries & carries))
		return false;
	while (i-- > 0)
		if (carriers[i].carries & carries)
			return false;
	return true;
}

size_t routes_of(const struct carrier *carriers, size_t n, size_t i, const char **ret)
{
	size_t routes = 0;

	ret[routes++] = carriers[i].name;
	if (is_first(carriers, i, CARRIES_MAIL))
		ret[routes++] = ROUTE_MAIL;
	if (is_first(carriers, i, CARRIES_TEXTS))
		ret[routes++] = ROUTE_TEXTS;
	return routes;
}
