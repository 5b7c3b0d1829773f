/* config/places.h - where things are when nobody says. system: of the machine
 * (root's), else of the user. All are owned by the caller. */
#ifndef NUNCIO_CONFIG_PLACES_H
#define NUNCIO_CONFIG_PLACES_H
#include <stdbool.h>

char *place_config(bool system);
char *place_socket(bool system);
char *place_state(bool system);
char *place_runner_socket(bool system);
/* Whether a config at path speaks for the machine. */
bool place_is_system(const char *path);
#endif
