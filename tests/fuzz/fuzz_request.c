/* Bytes as a peer may send them: framed, parsed, held against the parameters of
 * the method they name, and searched for the descriptors they declare. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "server/descriptor.h"
#include "server/interface.h"
#include "server/methods.h"
#include "varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(json_t *parameters, const struct method *method)
{
	struct complaint complaint = {.parameter = "", .reason = ""};

	if (descriptors_declared(parameters) > DESCRIPTORS_MAX + 1)
		abort();
	if (interface_check(method->params, parameters, &complaint) == 0)
		return;
	/* one who is refused is always told what and why */
	if (!*complaint.reason || memchr(complaint.parameter, '\n', strlen(complaint.parameter)))
		abort();
}

static void take(const char *frame, size_t len)
{
	struct varlink_call call;
	struct failure f = {0};

	if (varlink_call_parse(frame, len, &call, &f) < 0) {
		if (!*f.text)
			abort();
		return;
	}
	const struct method *method = method_find(call.method);
	if (method)
		check(call.parameters, method);
	/* whatever method was meant, the checks stand any parameters */
	for (const struct method *m = method_table(); m->name; m++)
		check(call.parameters, m);
	if (method && !method_interface_exists(call.method))
		abort();
	varlink_call_clear(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_framer framer = {0};
	const char *at = (const char *)data;
	size_t start, len, used;
	char end;

	while (varlink_frame(&framer, at, size, &start, &len, &used, &end) == VARLINK_FRAME) {
		if (used > size || start + len > used)
			abort();
		take(at + start, len);
		at += used;
		size -= used;
	}
	if (varlink_frame_at_end(&framer))
		take(at, size);
	return 0;
}
