/* client/nunciod.h - runs nunciod for what only it can do: it knows the configuration. */
#ifndef NUNCIO_CLIENT_NUNCIOD_H
#define NUNCIO_CLIENT_NUNCIOD_H

/* nunciod DEED [-f file]; file NULL: its default. Waits for it. *ret_said: what it
 * said, without the last line's end; owned by the caller. Returns its exit status; 127:
 * there is no nunciod, 128 and more: a signal ended it. */
int nunciod_run(const char *deed, const char *file, char **ret_said);
#endif
