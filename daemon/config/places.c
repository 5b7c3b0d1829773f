/* config/places.c - the places of the file system hierarchy and of the XDG base
 * directory specification. */
#include "config/places.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "config/config.h"

#define SYSTEM_CONFIG NUNCIO_SYSCONFDIR "/nuncio/nuncio.conf"

/* XDG: a relative path is none. */
static const char *absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] == '/' ? value : NULL;
}

static const char *home(void)
{
	const char *value = absolute("HOME");
	const struct passwd *user = value ? NULL : getpwuid(geteuid());

	if (value)
		return value;
	return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : "/";
}

char *place_config(bool system)
{
	const char *base = absolute("XDG_CONFIG_HOME");

	if (system)
		return xstrdup(SYSTEM_CONFIG);
	if (base)
		return xprintf("%s/nuncio/nuncio.conf", base);
	return xprintf("%s/.config/nuncio/nuncio.conf", home());
}

char *place_socket(bool system)
{
	const char *base = absolute("XDG_RUNTIME_DIR");

	if (system)
		return xstrdup("/run/nuncio/nuncio.sock");
	if (base)
		return xprintf("%s/nuncio/nuncio.sock", base);
	return xprintf("/run/user/%u/nuncio/nuncio.sock", (unsigned)geteuid());
}

char *place_runner_socket(bool system)
{
	const char *base = absolute("XDG_RUNTIME_DIR");

	if (system)
		return xstrdup("/run/nuncio/runner.sock");
	if (base)
		return xprintf("%s/nuncio/runner.sock", base);
	return xprintf("/run/user/%u/nuncio/runner.sock", (unsigned)geteuid());
}

char *place_state(bool system)
{
	const char *base = absolute("XDG_STATE_HOME");

	if (system)
		return xstrdup("/var/lib/nuncio");
	if (base)
		return xprintf("%s/nuncio", base);
	return xprintf("%s/.local/state/nuncio", home());
}

/* The service may run as a user of its own, by the machine's file. */
bool place_is_system(const char *path)
{
	return geteuid() == 0 || !strcmp(path, SYSTEM_CONFIG);
}

char *config_default_path(void)
{
	return place_config(geteuid() == 0);
}
