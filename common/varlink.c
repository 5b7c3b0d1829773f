/* common/varlink.c - where a frame ends, and what its envelope says. Grammar
 * (varlink.org/Method-Call):
 *
 *   stream = *( blank / frame )    blank = SP / HT / CR / LF / NUL, between frames
 *   frame  = object ( NUL / LF )   LF only where the object is complete
 *   call   = { "method": string, "parameters": object, "more": bool, "oneway": bool }
 *   reply  = { "parameters": object, "continues": bool, "error": string }
 *
 * Which methods there are, and what their parameters mean, is for the two ends. */
#include "varlink.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "failure.h"
#include "secret.h"

enum {
	VARLINK_DEPTH_MAX = 64,
	VARLINK_VALUES_MAX = 1 << 17, /* of a call: each costs many times its bytes */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static size_t count_blank(const char *data, size_t len)
{
	size_t n = 0;

	while (n < len && is_blank(data[n]))
		n++;
	return n;
}

/* One byte inside a string. JSON has no raw control characters there. */
static enum varlink_framing scan_string(struct varlink_framer *framer, char c)
{
	if ((unsigned char)c < ' ')
		return VARLINK_BROKEN;
	if (framer->escaped)
		framer->escaped = false;
	else if (c == '\\')
		framer->escaped = true;
	else if (c == '"')
		framer->in_string = false;
	return VARLINK_PARTIAL;
}

/* One byte of the object outside its strings. */
static enum varlink_framing scan_object(struct varlink_framer *framer, char c)
{
	switch (c) {
	case '"':
		framer->in_string = true;
		break;
	case '{':
	case '[':
		if (framer->depth == VARLINK_DEPTH_MAX)
			return VARLINK_BROKEN;
		framer->depth++;
		break;
	case '}':
	case ']':
		framer->depth--;
		framer->closed = framer->depth == 0;
		break;
	case '\0':
		return VARLINK_BROKEN;
	}
	return VARLINK_PARTIAL;
}

static enum varlink_framing scan_byte(struct varlink_framer *framer, char c)
{
	if (framer->in_string)
		return scan_string(framer, c);
	if (framer->closed) {
		if (c == '\0' || c == '\n')
			return VARLINK_FRAME;
		return is_blank(c) ? VARLINK_PARTIAL : VARLINK_BROKEN;
	}
	if (framer->begun)
		return scan_object(framer, c);
	if (is_blank(c))
		return VARLINK_PARTIAL;
	framer->begun = true;
	return c == '{' ? scan_object(framer, c) : VARLINK_BROKEN;
}

enum varlink_framing varlink_frame(struct varlink_framer *framer, const char *data, size_t len,
				   size_t *ret_start, size_t *ret_len, size_t *ret_used,
				   char *ret_end)
{
	enum varlink_framing found = VARLINK_PARTIAL;
	size_t at = framer->scanned;

	while (at < len && found == VARLINK_PARTIAL)
		found = scan_byte(framer, data[at++]);
	framer->scanned = at;
	if (found != VARLINK_FRAME)
		return found;
	*ret_end = data[at - 1];
	*ret_start = count_blank(data, len);
	*ret_len = at - 1 - *ret_start;
	/* a pretty printer's last newline, and then the NUL of one who speaks Varlink */
	if (*ret_end == '\n' && at < len && data[at] == '\0')
		*ret_end = data[at++];
	*ret_used = at;
	*framer = (struct varlink_framer){0};
	return VARLINK_FRAME;
}

bool varlink_frame_at_end(const struct varlink_framer *framer)
{
	return framer->closed;
}

/* Each value but the first stands behind a comma, or opens what it is in. */
static size_t count_values(const char *frame, size_t len)
{
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (frame[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += frame[i] == '\\';
		else
			n += frame[i] == ',' || frame[i] == '[' || frame[i] == '{';
	return n;
}

static json_t *load_object(const char *frame, size_t len, struct failure *f)
{
	size_t blank = count_blank(frame, len);
	json_error_t error;
	json_t *root = json_loadb(frame + blank, len - blank, JSON_REJECT_DUPLICATES, &error);

	if (!root) {
		failure_set(f, FAILURE_REFUSED, "not JSON: %s (line %d, column %d)", error.text,
			    error.line, error.column);
		return NULL;
	}
	if (!json_is_object(root)) {
		failure_set(f, FAILURE_REFUSED, "not a JSON object");
		json_decref(root);
		return NULL;
	}
	return root;
}

/* Members of an envelope. null is as good as none for all of them. */
static int take_text(json_t *value, const char *name, const char **ret, struct failure *f)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) || !json_string_length(value))
		return failure_set(f, FAILURE_REFUSED, "'%s' must be a text", name);
	*ret = json_string_value(value);
	return 0;
}

static int take_flag(json_t *value, const char *name, bool *ret, struct failure *f)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return failure_set(f, FAILURE_REFUSED, "'%s' must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

static int take_parameters(json_t *value, json_t **ret, struct failure *f)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return failure_set(f, FAILURE_REFUSED, "'parameters' must be an object");
	*ret = value;
	return 0;
}

/* The parameters of an envelope without any are an empty object in it. */
static json_t *need_parameters(json_t *root, json_t *parameters)
{
	if (parameters)
		return parameters;
	json_object_set_new(root, "parameters", json_object());
	return json_object_get(root, "parameters");
}

static int take_call_member(struct varlink_call *call, const char *key, json_t *value,
			    struct failure *f)
{
	bool upgrade = false;

	if (!strcmp(key, "method"))
		return take_text(value, key, &call->method, f);
	if (!strcmp(key, "parameters"))
		return take_parameters(value, &call->parameters, f);
	if (!strcmp(key, "more"))
		return take_flag(value, key, &call->more, f);
	if (!strcmp(key, "oneway"))
		return take_flag(value, key, &call->oneway, f);
	if (strcmp(key, "upgrade") != 0)
		return failure_set(f, FAILURE_REFUSED, "a call has no member '%.60s'", key);
	if (take_flag(value, key, &upgrade, f) < 0)
		return -1;
	return upgrade ? failure_set(f, FAILURE_REFUSED, "'upgrade' is not supported") : 0;
}

static int fill_call(struct varlink_call *call, struct failure *f)
{
	const char *key;
	json_t *value;

	json_object_foreach(call->root, key, value)
	{
		if (take_call_member(call, key, value, f) < 0)
			return -1;
	}
	if (!call->method)
		return failure_set(f, FAILURE_REFUSED, "a call needs a 'method'");
	if (call->more && call->oneway)
		return failure_set(f, FAILURE_REFUSED, "'more' and 'oneway' exclude each other");
	call->parameters = need_parameters(call->root, call->parameters);
	return 0;
}

int varlink_call_parse(const char *frame, size_t len, struct varlink_call *ret, struct failure *f)
{
	struct varlink_call call = {0};

	if (count_values(frame, len) > VARLINK_VALUES_MAX)
		return failure_set(f, FAILURE_REFUSED, "a call holds at most %d values",
				   VARLINK_VALUES_MAX);
	call.root = load_object(frame, len, f);
	if (!call.root)
		return -1;
	if (fill_call(&call, f) < 0) {
		varlink_call_clear(&call);
		return -1;
	}
	*ret = call;
	return 0;
}

void varlink_call_clear(struct varlink_call *call)
{
	json_decref(call->root);
	*call = (struct varlink_call){0};
}

static int fill_reply(struct varlink_reply *reply, struct failure *f)
{
	json_t *error = json_object_get(reply->root, "error");
	json_t *continues = json_object_get(reply->root, "continues");
	json_t *parameters = json_object_get(reply->root, "parameters");

	if (error && take_text(error, "error", &reply->error, f) < 0)
		return -1;
	if (continues && take_flag(continues, "continues", &reply->continues, f) < 0)
		return -1;
	if (parameters && take_parameters(parameters, &reply->parameters, f) < 0)
		return -1;
	reply->parameters = need_parameters(reply->root, reply->parameters);
	return 0;
}

int varlink_reply_parse(const char *frame, size_t len, struct varlink_reply *ret, struct failure *f)
{
	struct varlink_reply reply = {.root = load_object(frame, len, f)};

	if (!reply.root)
		return -1;
	if (fill_reply(&reply, f) < 0) {
		varlink_reply_clear(&reply);
		return -1;
	}
	*ret = reply;
	return 0;
}

void varlink_reply_clear(struct varlink_reply *reply)
{
	json_decref(reply->root);
	*reply = (struct varlink_reply){0};
}

/* Takes envelope. Its text has no newline and no NUL: JSON escapes them. */
static int add_frame(struct buf *out, json_t *envelope, json_t *parameters, char end)
{
	if (parameters)
		json_object_set(envelope, "parameters", parameters);
	else
		json_object_set_new(envelope, "parameters", json_object());
	char *text = json_dumps(envelope, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;
	char *room = text ? buf_room(out, len + 1) : NULL;

	if (room) {
		memcpy(room, text, len);
		room[len] = end;
		buf_wrote(out, len + 1);
	}
	secret_wipe(text, len); /* it may hold one */
	free(text);
	json_decref(envelope);
	return room ? 0 : -1;
}

int varlink_add_call(struct buf *out, const char *method, json_t *parameters,
		     enum varlink_wants wants, char end)
{
	json_t *envelope = json_object();

	json_object_set_new(envelope, "method", json_string(method));
	if (wants != VARLINK_ONE)
		json_object_set_new(envelope, wants == VARLINK_MORE ? "more" : "oneway",
				    json_true());
	return add_frame(out, envelope, parameters, end);
}

int varlink_add_reply(struct buf *out, json_t *parameters, bool continues, char end)
{
	json_t *envelope = json_object();

	if (continues)
		json_object_set_new(envelope, "continues", json_true());
	return add_frame(out, envelope, parameters, end);
}

int varlink_add_error(struct buf *out, const char *error, json_t *parameters, char end)
{
	json_t *envelope = json_object();

	json_object_set_new(envelope, "error", json_string(error));
	return add_frame(out, envelope, parameters, end);
}
