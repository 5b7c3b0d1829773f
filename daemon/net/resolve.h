/* net/resolve.h - names to addresses by getaddrinfo(3), off the loop, so that
 * nsswitch, hosts and all count. */
#ifndef NUNCIO_NET_RESOLVE_H
#define NUNCIO_NET_RESOLVE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "auto.h"
struct failure;
struct loop;
struct resolver;
struct lookup;

#define RESOLVE_MAX 16 /* addresses of one name that are kept */

struct address_list {
	size_t count; /* at least 1 */
	struct {
		struct sockaddr_storage address; /* port filled in */
		socklen_t len;
	} at[RESOLVE_MAX]; /* in RFC 8305 order: families take turns, getaddrinfo's first leads */
};
/* Exactly one of list and why is set; both live only during the call. */
typedef void lookup_done_fn(void *ctx, const struct address_list *list, const struct failure *why);

struct resolver *resolver_new(struct loop *loop);
void resolver_free(struct resolver *r); /* look-ups under way are abandoned */
AUTO_DEFINE(struct resolver, resolver_free)
/* done comes once, later, never from inside this call. host is a name or an
 * address literal. The handle dies with done. */
struct lookup *resolver_look_up(struct resolver *r, const char *host, uint16_t port,
				lookup_done_fn *done, void *ctx);
void lookup_cancel(struct lookup *l); /* done will not be called; NULL is fine */
/* Tests: answers for a name in place of getaddrinfo. delay_ms by the loop's clock. */
void resolver_pretend(struct resolver *r, const char *host, const struct address_list *list,
		      int64_t delay_ms);
#endif
