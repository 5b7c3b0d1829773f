/* server/service.c - org.varlink.service: what this service is, and the text of
 * its interfaces. */
#include <string.h>

#include <jansson.h>

#include "server/call.h"
#include "server/interface.h"
#include "server/methods.h"
#include "version.h"

static const char service_text[] =
	"# The Varlink Service Interface is provided by every varlink service. It\n"
	"# describes the service and the interfaces it implements.\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

void service_info(struct call *c)
{
	call_reply(c, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "nuncio", "product",
				"nuncio", "version", NUNCIO_VERSION, "url", "man:nunciod(8)",
				"interfaces", "org.varlink.service", "io.nuncio"));
}

void service_description(struct call *c)
{
	const char *name = call_text(c, "interface");

	if (strcmp(name, "io.nuncio") == 0)
		call_reply(c, json_pack("{s:s}", "description", interface_text));
	else if (strcmp(name, "org.varlink.service") == 0)
		call_reply(c, json_pack("{s:s}", "description", service_text));
	else
		call_error(c, ERROR_INTERFACE_NOT_FOUND, json_pack("{s:s}", "interface", name));
}
