/* client/address_list.h - whom a header's value or a command line's word names: the
 * addresses in it, without display names, comments, groups and routes. Pure. Whether
 * they are addresses at all is the daemon's to say: "root" is one here. */
#ifndef NUNCIO_CLIENT_ADDRESS_LIST_H
#define NUNCIO_CLIENT_ADDRESS_LIST_H
#include <stddef.h>
struct failure;

enum {
	ADDRESS_LIST_MAX = 10000, /* addresses */
	ADDRESS_MAX = 1000,       /* bytes of one */
};

struct address_list {
	char **list; /* owned, of n, each once; NUL-ended, no control characters */
	size_t n;
};
/* Adds what len bytes of text name. Nothing that could be meant as an address is left
 * out: what makes no sense is added as it stands, to be refused. -1 and
 * FAILURE_REFUSED: too many, or one is too long. */
int address_list_add(struct address_list *l, const char *text, size_t len, struct failure *f);
void address_list_clear(struct address_list *l);
#endif
