/* common/journal.h - lines in the journal's own form (systemd's journal-native
 * protocol, by hand): fields beside the text, to search by. */
#ifndef NUNCIO_COMMON_JOURNAL_H
#define NUNCIO_COMMON_JOURNAL_H
#include <stdbool.h>
#include <stddef.h>

struct journal_field {
	const char *name, *value; /* value NULL or "": is left out */
};

/* A socket to the journal at path, when $JOURNAL_STREAM says that standard error leads
 * there; -1: it does not, or nobody answers. */
int journal_open(const char *path);
/* One entry; line ends in values become spaces. false: it was not taken. */
bool journal_send(int fd, const struct journal_field *fields, size_t n);
#endif
