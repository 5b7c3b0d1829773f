/* server/interface.c - decides whether a request has the shape the interface
 * wants. Whether its values make sense is for the methods to say. */
#include "server/interface.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "text.h"

/* clang-format off */
static const struct param attachment_members[] = {
	{ "name",       "string" },
	{ "type",       "?string" },
	{ "content",    "?string" },
	{ "descriptor", "?int" },
	{ NULL, NULL },
};
static const struct param selection_members[] = {
	{ "message",   "?int" },
	{ "delivery",  "?int" },
	{ "states",    "?[]string" },
	{ "route",     "?string" },
	{ "recipient", "?string" },
	{ "all",       "?bool" },
	{ NULL, NULL },
};
static const struct named_type types[] = {
	{ "Attachment", attachment_members },
	{ "Selection",  selection_members },
	{ NULL, NULL },
};

const struct param send_params[] = {
	{ "to",          "[]string" },
	{ "by",          "?string" },
	{ "from",        "?string" },
	{ "subject",     "?string" },
	{ "text",        "?string" },
	{ "html",        "?string" },
	{ "attachments", "?[]Attachment" },
	{ "media",       "?[]string" },
	{ "cc",          "?[]string" },
	{ "bcc",         "?[]string" },
	{ "priority",    "?string" },
	{ "at",          "?string" },
	{ "expires",     "?string" },
	{ "dedup",       "?string" },
	{ "fallback",    "?string" },
	{ "key",         "?string" },
	{ "hold",        "?bool" },
	{ NULL, NULL },
};
const struct param submit_params[] = {
	{ "from",       "?string" },
	{ "to",         "[]string" },
	{ "content",    "?string" },
	{ "descriptor", "?int" },
	{ "by",         "?string" },
	{ "priority",   "?string" },
	{ "at",         "?string" },
	{ "expires",    "?string" },
	{ "key",        "?string" },
	{ "hold",       "?bool" },
	{ "notify",     "?string" },
	{ "ret",        "?string" },
	{ "envid",      "?string" },
	{ NULL, NULL },
};
const struct param list_params[] = {
	{ "message",   "?int" },
	{ "states",    "?[]string" },
	{ "route",     "?string" },
	{ "recipient", "?string" },
	{ "after",     "?int" },
	{ "limit",     "?int" },
	{ NULL, NULL },
};
const struct param show_params[] = { { "id", "int" }, { NULL, NULL } };
const struct param log_params[] = {
	{ "message", "?int" },
	{ "since",   "?int" },
	{ "after",   "?int" },
	{ NULL, NULL },
};
const struct param watch_params[] = { { "id", "?int" }, { NULL, NULL } };
const struct param select_params[] = { { "select", "Selection" }, { NULL, NULL } };
const struct param pause_params[] = {
	{ "transport", "string" },
	{ "reason",    "?string" },
	{ NULL, NULL },
};
const struct param transport_params[] = { { "transport", "string" }, { NULL, NULL } };
const struct param rules_test_params[] = {
	{ "rule",       "string" },
	{ "mailbox",    "?string" },
	{ "content",    "?string" },
	{ "descriptor", "?int" },
	{ "received",   "?int" },
	{ NULL, NULL },
};
const struct param rules_log_params[] = {
	{ "rule",    "?string" },
	{ "contact", "?string" },
	{ "states",  "?[]string" },
	{ "id",      "?int" },
	{ "since",   "?int" },
	{ "before",  "?int" },
	{ "limit",   "?int" },
	{ NULL, NULL },
};
const struct param rules_run_params[] = {
	{ "rule",    "string" },
	{ "command", "?string" },
	{ NULL, NULL },
};
const struct param run_params[] = { { "id", "int" }, { NULL, NULL } };
const struct param no_params[] = { { NULL, NULL } };
const struct param description_params[] = { { "interface", "string" }, { NULL, NULL } };

static const struct param recipient_fields[] = {
	{ "field", "string" }, { "recipient", "string" }, { "reason", "string" }, { NULL, NULL } };
static const struct param message_fields[] = {
	{ "field", "string" }, { "reason", "string" }, { NULL, NULL } };
static const struct param reason_field[] = { { "reason", "string" }, { NULL, NULL } };
static const struct param limit_fields[] = {
	{ "field", "string" }, { "limit", "int" }, { "reason", "string" }, { "free", "?int" },
	{ NULL, NULL } };
static const struct param known_fields[] = {
	{ "name", "string" }, { "known", "[]string" }, { NULL, NULL } };
static const struct param key_fields[] = {
	{ "key", "string" }, { "id", "int" }, { NULL, NULL } };
static const struct param channel_fields[] = {
	{ "channel", "string" }, { "reason", "string" }, { NULL, NULL } };
static const struct param transport_fields[] = {
	{ "transport", "string" }, { "reason", "string" }, { NULL, NULL } };
static const struct param rule_fields[] = {
	{ "rule", "string" }, { "reason", "string" }, { NULL, NULL } };
static const struct param method_field[] = { { "method", "string" }, { NULL, NULL } };
/* reason is ours, besides what the standard has. */
static const struct param parameter_fields[] = {
	{ "parameter", "string" }, { "reason", "string" }, { NULL, NULL } };

static const struct error_kind errors[ERROR_COUNT] = {
	[ERROR_BAD_RECIPIENT]       = { "io.nuncio.BadRecipient",     recipient_fields },
	[ERROR_BAD_MESSAGE]         = { "io.nuncio.BadMessage",       message_fields },
	[ERROR_NOT_PERMITTED]       = { "io.nuncio.NotPermitted",     reason_field },
	[ERROR_OVER_LIMIT]          = { "io.nuncio.OverLimit",        limit_fields },
	[ERROR_NO_SUCH_MESSAGE]     = { "io.nuncio.NoSuchMessage",    show_params },
	[ERROR_NO_SUCH_TRANSPORT]   = { "io.nuncio.NoSuchTransport",  known_fields },
	[ERROR_KEY_CONFLICT]        = { "io.nuncio.KeyConflict",      key_fields },
	[ERROR_NO_TRANSPORT]        = { "io.nuncio.NoTransport",      channel_fields },
	[ERROR_LOGIN_REFUSED]       = { "io.nuncio.LoginRefused",     transport_fields },
	[ERROR_TRANSPORT_SETUP]     = { "io.nuncio.TransportSetup",   transport_fields },
	[ERROR_TRANSPORT_AWAY]      = { "io.nuncio.TransportAway",    transport_fields },
	[ERROR_NOT_STORED]          = { "io.nuncio.NotStored",        reason_field },
	[ERROR_OVERRUN]             = { "io.nuncio.Overrun",          no_params },
	[ERROR_NO_SUCH_RULE]        = { "io.nuncio.NoSuchRule",       known_fields },
	[ERROR_NO_SUCH_RUN]         = { "io.nuncio.NoSuchRun",        run_params },
	[ERROR_NOT_RUN]             = { "io.nuncio.NotRun",           rule_fields },
	[ERROR_INTERFACE_NOT_FOUND] = { "org.varlink.service.InterfaceNotFound", description_params },
	[ERROR_METHOD_NOT_FOUND]    = { "org.varlink.service.MethodNotFound",    method_field },
	[ERROR_INVALID_PARAMETER]   = { "org.varlink.service.InvalidParameter",  parameter_fields },
	[ERROR_EXPECTED_MORE]       = { "org.varlink.service.ExpectedMore",      no_params },
};

/* The plain types, and how a person would call them. */
static const struct plain {
	const char *name, *one, *many;
} plains[] = {
	{ "string", "a text",        "a list of texts" },
	{ "int",    "a whole number", "a list of whole numbers" },
	{ "bool",   "true or false", "a list of true and false" },
	{ NULL,     "an object",     "a list of objects" },
};
/* clang-format on */

const struct error_kind *interface_error(enum error_id id)
{
	return &errors[id];
}

const struct named_type *interface_types(void)
{
	return types;
}

static const struct param *type_members(const char *name)
{
	for (const struct named_type *type = types; type->name; type++)
		if (strcmp(type->name, name) == 0)
			return type->members;
	return NULL;
}

/* "?[]string" without the marks in front. */
static const char *bare(const char *type, bool *ret_optional, bool *ret_list)
{
	*ret_optional = *type == '?';
	type += *ret_optional;
	*ret_list = strncmp(type, "[]", 2) == 0;
	return type + (*ret_list ? 2 : 0);
}

static const char *wanted(const char *type)
{
	bool optional, list;
	const struct plain *plain = plains;

	type = bare(type, &optional, &list);
	while (plain->name && strcmp(plain->name, type) != 0)
		plain++;
	return list ? plain->many : plain->one;
}

static int complain(struct complaint *c, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int complain(struct complaint *c, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->reason, sizeof(c->reason), fmt, args);
	va_end(args);
	snprintf(c->parameter, sizeof(c->parameter), "%s", path);
	return -1;
}

static int check_members(const struct param *params, json_t *object, const char *path,
			 struct complaint *ret);

static int check_one(const char *type, json_t *value, const char *path, struct complaint *ret)
{
	const struct param *members = type_members(type);
	bool fits = members                       ? json_is_object(value)
		    : strcmp(type, "string") == 0 ? json_is_string(value)
		    : strcmp(type, "int") == 0    ? json_is_integer(value)
						  : json_is_boolean(value);

	if (!fits)
		return complain(ret, path, "%s is wanted here.", wanted(type));
	return members ? check_members(members, value, path, ret) : 0;
}

static int check_value(const char *type, json_t *value, const char *path, struct complaint *ret)
{
	bool optional, list;
	const char *base = bare(type, &optional, &list);
	size_t i;
	json_t *item;

	if (!list)
		return check_one(base, value, path, ret);
	if (!json_is_array(value))
		return complain(ret, path, "%s is wanted here.", wanted(type));
	json_array_foreach(value, i, item)
	{
		AUTO(free) char *place = xprintf("%s[%zu]", path, i);

		if (check_one(base, item, place, ret) < 0)
			return -1;
	}
	return 0;
}

static const struct param *param_find(const struct param *params, const char *name)
{
	while (params->name && strcmp(params->name, name) != 0)
		params++;
	return params->name ? params : NULL;
}

static char *join(const char *path, const char *name)
{
	char safe[64];

	text_safe_line(safe, sizeof(safe), name, strlen(name));
	return xprintf("%s%s%s", path, *path ? "." : "", safe);
}

static int complain_unknown(const struct param *params, const char *place, struct complaint *ret)
{
	char known[300] = "";

	for (const struct param *p = params; p->name; p++) {
		size_t used = strlen(known);

		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", p->name);
	}
	if (!*known)
		return complain(ret, place, "there is no such parameter: this method has none.");
	return complain(ret, place, "there is no such parameter; known are: %s.", known);
}

static int check_members(const struct param *params, json_t *object, const char *path,
			 struct complaint *ret)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const struct param *param = param_find(params, name);
		AUTO(free) char *place = join(path, name);

		if (!param)
			return complain_unknown(params, place, ret);
		if (!json_is_null(value) && check_value(param->type, value, place, ret) < 0)
			return -1;
	}
	for (const struct param *p = params; p->name; p++) {
		value = json_object_get(object, p->name);
		if (*p->type == '?' || (value && !json_is_null(value)))
			continue;
		AUTO(free) char *place = join(path, p->name);
		return complain(ret, place, "it is missing: %s is wanted.", wanted(p->type));
	}
	return 0;
}

int interface_check(const struct param *params, json_t *object, struct complaint *ret)
{
	return check_members(params, object, "", ret);
}
