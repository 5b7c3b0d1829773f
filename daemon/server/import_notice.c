/* server/import_notice.c - see import_notice.h. A notice of before is as good: its key
 * tells that it was given. */
#include "server/import_notice.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "base64.h"
#include "buf.h"
#include "clock.h"
#include "message/dsn.h"
#include "message/letter.h"
#include "server/drop_file.h"

#define ORIGINAL_MAX 65536 /* its header is in there, as a rule */
#define NOTICE_MAX (8 * 1024 * 1024)

static void compose(const struct drop_mail *mail, const struct address *from, const char *to,
		    const struct dsn_recipient *recipients, size_t n, struct buf *out)
{
	AUTO(free) char *original = xmalloc(ORIGINAL_MAX);
	ssize_t len = pread(mail->memfd, original, ORIGINAL_MAX, 0);
	struct address named = {.name = (char *)"Mail delivery",
				.mailbox = from->mailbox,
				.ascii = from->ascii,
				.needs_smtputf8 = from->needs_smtputf8};
	int64_t now_ms = clock_wall_ms();
	AUTO(free) char *message_id = letter_make_message_id(from, now_ms);
	AUTO(free) char *boundary = letter_make_boundary();
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		strcpy(host, "localhost");
	dsn_compose(&(struct dsn){.from = &named,
				  .to = to,
				  .reporter = host,
				  .message_id = message_id,
				  .boundary = boundary,
				  .marker = "",
				  .envid = mail->spool.envid,
				  .now_ms = now_ms,
				  .arrived_ms = now_ms,
				  .recipients = recipients,
				  .n = n,
				  .original = original,
				  .original_len = len > 0 ? (size_t)len : 0},
		    out);
}

static json_t *pack(const char *to, const char *key, const struct buf *notice)
{
	struct buf content;

	buf_init(&content, 2 * NOTICE_MAX);
	base64_encode(&content, buf_bytes(notice), notice->len);
	json_t *parameters = json_pack("{s:[s], s:s, s:s, s:s}", "to", to, "from", "", "key", key,
				       "content", buf_bytes(&content));
	buf_clear(&content);
	return parameters;
}

json_t *import_notice(const struct drop_mail *mail, const struct address *from,
		      const struct refused *refused, size_t n)
{
	const char *to = mail->spool.sender ? mail->spool.sender : from->ascii;
	AUTO(free) char *key = xprintf("%s.notice", mail->spool.key);
	struct buf notice;

	if (!*to)
		return NULL;
	struct dsn_recipient *recipients = xcalloc(n + 1, sizeof(*recipients));

	for (size_t i = 0; i < n; i++)
		recipients[i] = (struct dsn_recipient){.address = refused[i].recipient,
						       .text = refused[i].reason};
	buf_init(&notice, NOTICE_MAX);
	compose(mail, from, to, recipients, n, &notice);
	json_t *parameters = pack(to, key, &notice);

	buf_clear(&notice);
	free(recipients);
	return parameters;
}
