/* client/select.c - see select.h. */
#include "select.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "command.h"
#include "text.h"

int select_option(json_t *object, int c, const char *argument)
{
	json_int_t id;

	/* as JSON it would be nothing, and choose all */
	if (argument && !text_is_utf8(argument, strlen(argument)))
		return 1;
	if (c == 'd') {
		if (!parse_id(argument, &id))
			return 1;
		json_object_set_new(object, "delivery", json_integer(id));
	} else if (c == 't') {
		AUTO(free) char *list = xstrdup(argument);
		json_t *states = json_array();
		char *rest = list, *state;

		while ((state = strsep(&rest, ",")))
			json_array_append_new(states, json_string(state));
		json_object_set_new(object, "states", states);
	} else if (c == 'r' || c == 'R') {
		json_object_set_new(object, c == 'r' ? "recipient" : "route",
				    json_string(argument));
	} else {
		return -1;
	}
	return 0;
}
