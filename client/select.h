/* client/select.h - the options by which several commands choose deliveries. */
#ifndef NUNCIO_CLIENT_SELECT_H
#define NUNCIO_CLIENT_SELECT_H
#include <getopt.h>
#include <jansson.h>

/* To stand in a command's table of long options. */
#define SELECT_OPTIONS                                                                             \
	{"delivery", required_argument, NULL, 'd'}, {"state", required_argument, NULL, 't'},       \
		{"recipient", required_argument, NULL, 'r'},                                       \
	{                                                                                          \
		"route", required_argument, NULL, 'R'                                              \
	}

/* Puts what option c with its argument says into the object. -1: it is none of
 * these; 1: a number is none, a text not UTF-8. */
int select_option(json_t *object, int c, const char *argument);
#endif
