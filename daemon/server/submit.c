/* server/submit.c - Submit: a raw mail for the given envelope. */
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "message/raw.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/order.h"
#include "text.h"
#include "transport/transport.h"

#define ENVID_MAX 100 /* RFC 3461 */

/* The envelope sender: the default, the null sender, or what access allows. */
static int read_sender(struct order *o)
{
	const char *given = call_text(o->call, "from");
	struct address address;
	struct failure f = {0};

	if (!given || !*given) {
		o->sender = xstrdup(given ? "" : o->call->config->from.ascii);
		return 0;
	}
	if (address_parse(given, strlen(given), &address, &f) < 0) {
		call_bad(o->call, "from", "%s", f.text);
		return -1;
	}
	int result = order_check_from(o, &address);
	o->sender = xstrdup(address.ascii);
	address_clear(&address);
	return result;
}

/* "never", or words with commas between them. */
static int read_notify(struct order *o)
{
	const char *at = call_text(o->call, "notify");

	o->tell_failure = o->tell_delay = !at;
	if (!at || text_equal_nocase(at, "never"))
		return 0;
	while (at) {
		size_t len = strcspn(at, ",");

		if (len == 7 && text_starts_nocase(at, "failure"))
			o->tell_failure = true;
		else if (len == 5 && text_starts_nocase(at, "delay"))
			o->tell_delay = true;
		else if (len != 7 || !text_starts_nocase(at, "success"))
			break;
		at = at[len] ? at + len + 1 : NULL;
	}
	if (!at)
		return 0;
	call_bad(o->call, "notify", "\"never\" or some of \"success,failure,delay\" is wanted.");
	return -1;
}

/* What a notice to the sender is to be like; of the null sender's mail there is none. */
static int read_notices(struct order *o)
{
	const char *ret = call_text(o->call, "ret"), *envid = call_text(o->call, "envid");
	size_t len = envid ? strlen(envid) : 1;

	if (read_notify(o) < 0)
		return -1;
	if (ret && !text_equal_nocase(ret, "full") && !text_equal_nocase(ret, "hdrs")) {
		call_bad(o->call, "ret", "full or hdrs is wanted.");
		return -1;
	}
	if (!len || len > ENVID_MAX ||
	    (envid && (!text_is_ascii(envid, len) || !text_is_one_line(envid, len) ||
		       strpbrk(envid, " <>")))) {
		call_bad(o->call, "envid", "1 to %d printable ASCII characters are wanted.",
			 ENVID_MAX);
		return -1;
	}
	o->letter->return_full = ret && text_equal_nocase(ret, "full");
	o->letter->envid = envid ? xstrdup(envid) : NULL;
	o->tell_failure = o->tell_failure && *o->sender;
	o->tell_delay = o->tell_delay && *o->sender;
	return 0;
}

void submit_start(struct call *c)
{
	struct order *o;

	if (order_new(c, &o) < 0)
		return;
	o->letter->kind = LETTER_RAW;
	if (read_sender(o) < 0 || read_notices(o) < 0 ||
	    order_address(o, call_text(c, "by"), CARRIES_MAIL) < 0 ||
	    order_add(o, "to", NULL) < 0 || order_check_ways(o) < 0)
		return;
	if (order_take_content(o, c->request.parameters, "content") < 0 || order_check_size(o) < 0)
		return;
	order_default_from(o);
	order_fix(o);
	o->raw = raw_new(o->letter);
	order_start(o);
}
