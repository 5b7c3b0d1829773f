/* runner/spare.h - a supervisor that is there before its run: what takes long, a process and
 * its directory, is made when nothing else is to be done. */
#ifndef NUNCIO_RUNNER_SPARE_H
#define NUNCIO_RUNNER_SPARE_H
#include <stdbool.h>
#include "auto.h"
#include "house.h"
struct config;
struct failure;
struct run_ask;

struct spare {
	char name[24];        /* of its directory, until it begins */
	int talk;             /* owned: its end is the spare's end */
	int go;               /* owned: a byte begins its program, its end ends it */
	int directory, alive; /* owned; alive: the reading end */
	const struct house *house;
};
/* A new one, which knows config as it is now. NULL: FAILURE_LATER. */
struct spare *spare_new(const struct house *house, const struct config *config, struct failure *f);
void spare_end(struct spare *spare);  /* with its directory, unless it began */
void spare_free(struct spare *spare); /* ends it; NULL is fine */
AUTO_DEFINE(struct spare, spare_free)
bool spare_is_over(const struct spare *spare); /* nothing of it is left */
/* It prepares the run that is asked for. -1: it can't. */
int spare_assign(struct spare *spare, const struct run_ask *ask, const struct order_record *order,
		 struct failure *f);
/* Its directory is that of the run from now on, as house_begin(). */
int spare_name(struct spare *spare, const char *run, struct failure *f);
int spare_begin(struct spare *spare); /* lets the program begin. alive, the caller's now */
#endif
