/* server/methods.c - decides which methods there are and which right each needs.
 * What they do stands in a file for each family. */
#include "server/methods.h"

#include <stddef.h>
#include <string.h>

#include "config/config.h"
#include "server/interface.h"

/* clang-format off */
static const struct method methods[] = {
	{ "io.nuncio.Send",    RIGHT_SEND,    false, send_params,      send_start },
	{ "io.nuncio.Submit",  RIGHT_SUBMIT,  false, submit_params,    submit_start },
	{ "io.nuncio.List",    0,             false, list_params,      list_start },
	{ "io.nuncio.Show",    0,             false, show_params,      show_start },
	{ "io.nuncio.Log",     0,             false, log_params,       log_start },
	{ "io.nuncio.Watch",   0,             true,  watch_params,     watch_start },
	{ "io.nuncio.Cancel",  0,             false, select_params,    cancel_start },
	{ "io.nuncio.Retry",   0,             false, select_params,    retry_start },
	{ "io.nuncio.Hold",    0,             false, select_params,    hold_start },
	{ "io.nuncio.Release", 0,             false, select_params,    release_start },
	{ "io.nuncio.Pause",   RIGHT_OPERATE, false, pause_params,     pause_start },
	{ "io.nuncio.Resume",  RIGHT_OPERATE, false, transport_params, resume_start },
	{ "io.nuncio.Probe",   RIGHT_OPERATE, false, transport_params, probe_start },
	{ "io.nuncio.Status",  0,             false, no_params,        status_start },
	{ "io.nuncio.Check",   RIGHT_OPERATE, false, no_params,        check_start },
	{ "io.nuncio.Contacts", 0,            false, no_params,        contacts_start },
	{ "io.nuncio.RulesList", 0,           false, no_params,        rules_list_start },
	{ "io.nuncio.RulesTest", 0,           false, rules_test_params, rules_test_start },
	{ "io.nuncio.RulesLog",  0,           false, rules_log_params, rules_log_start },
	{ "io.nuncio.RulesRun",  RIGHT_RUN,   false, rules_run_params, rules_run_start },
	{ "io.nuncio.RulesKill", RIGHT_RUN,   false, run_params,       rules_kill_start },
	{ "org.varlink.service.GetInfo", 0, false, no_params, service_info },
	{ "org.varlink.service.GetInterfaceDescription", 0, false, description_params,
	  service_description },
	{ NULL, 0, false, NULL, NULL },
};
/* clang-format on */

const struct method *method_table(void)
{
	return methods;
}

const struct method *method_find(const char *name)
{
	for (const struct method *m = methods; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

bool method_interface_exists(const char *method)
{
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) + 1 : 0;

	for (const struct method *m = methods; len && m->name; m++)
		if (strncmp(m->name, method, len) == 0 && !strchr(m->name + len, '.'))
			return true;
	return false;
}
