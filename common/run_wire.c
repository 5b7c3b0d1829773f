/* common/run_wire.c - names and forms of what nunciod and nuncio-runner say to each
 * other. What they do about it is theirs. */
#include "run_wire.h"

#include <string.h>

#include "base64.h"
#include "buf.h"
#include "failure.h"

static const char *const ends[] = {
	[RUN_END_RUNNING] = "running",   [RUN_END_EXITED] = "exited",
	[RUN_END_SIGNALED] = "signaled", [RUN_END_TIMED_OUT] = "timed_out",
	[RUN_END_KILLED] = "killed",     [RUN_END_REFUSED] = "refused",
	[RUN_END_LOST] = "lost",         [RUN_END_UNKNOWN] = "unknown",
};

const char *run_end_name(enum run_end end)
{
	return ends[end];
}

bool run_end_find(const char *name, enum run_end *ret)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (strcmp(ends[i], name) != 0)
			continue;
		*ret = (enum run_end)i;
		return true;
	}
	return false;
}

bool run_id_is_good(const char *id)
{
	size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789-");

	return len && len <= RUN_ID_MAX && !id[len];
}

static json_t *encode(const char *bytes, size_t len)
{
	struct buf text;

	buf_init(&text, len / 3 * 4 + 8);
	base64_encode(&text, bytes, len);
	json_t *value = json_stringn(buf_bytes(&text), text.len);

	buf_clear(&text);
	return value;
}

json_t *run_result_write(const struct run_result *r)
{
	return json_pack("{s:s s:i s:I s:I s:I s:I s:s s:o s:I s:I}", "end", run_end_name(r->end),
			 "code", r->code, "started", (json_int_t)r->started_ms, "ended",
			 (json_int_t)r->ended_ms, "cpu", (json_int_t)r->cpu_ms, "rss",
			 (json_int_t)r->max_rss_kib, "reason", r->reason ? r->reason : "", "output",
			 encode(r->output ? r->output : "", r->output_len), "total",
			 (json_int_t)r->output_total, "head", (json_int_t)r->head_len);
}

static int64_t number(json_t *parameters, const char *name)
{
	return json_integer_value(json_object_get(parameters, name));
}

static const char *text(json_t *parameters, const char *name)
{
	const char *value = json_string_value(json_object_get(parameters, name));

	return value ? value : "";
}

int run_result_read(json_t *parameters, struct run_result *ret, struct buf *output,
		    struct failure *f)
{
	json_t *bytes = json_object_get(parameters, "output");
	struct run_result r = {.code = (int)number(parameters, "code"),
			       .started_ms = number(parameters, "started"),
			       .ended_ms = number(parameters, "ended"),
			       .cpu_ms = number(parameters, "cpu"),
			       .max_rss_kib = number(parameters, "rss"),
			       .reason = text(parameters, "reason"),
			       .output_total = (uint64_t)number(parameters, "total"),
			       .head_len = (size_t)number(parameters, "head")};

	buf_drain(output, output->len);
	if (!run_end_find(text(parameters, "end"), &r.end))
		return failure_set(f, FAILURE_REFUSED, "a result without a known end");
	if (bytes && base64_decode(output, json_string_value(bytes) ? json_string_value(bytes) : "",
				   json_string_length(bytes)) < 0)
		return failure_set(f, FAILURE_REFUSED, "a result with an output that is none");
	r.output = buf_bytes(output);
	r.output_len = output->len;
	if (r.head_len > r.output_len || r.output_total < r.output_len)
		return failure_set(f, FAILURE_REFUSED, "a result with more output than there is");
	*ret = r;
	return 0;
}
