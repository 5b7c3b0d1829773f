/* The provider's word: what its Authentication-Results say (RFC 8601), as the large
 * providers write them, and all that a forger may try. */
#include "rules/authres.h"

#include "alloc.h"
#include "expect.h"
#include "message/parse.h"

/* A header in lines (continued ones begin with a blank) as parsed fields. */
struct mail {
	struct parsed parsed;
	struct mail_address from;
	struct mail_field fields[40];
};

static void mail_of(struct mail *m, const char *from, const char *header)
{
	*m = (struct mail){.from = {NULL, (char *)(uintptr_t)from}};
	m->parsed.from = (struct mail_addresses){&m->from, 1};
	m->parsed.fields = m->fields;
	while (*header) {
		struct mail_field *f = &m->fields[m->parsed.nfields++];
		const char *end = strchr(header, '\n');

		while (end[1] == ' ' || end[1] == '\t')
			end = strchr(end + 1, '\n');
		f->name = header;
		f->name_len = strcspn(header, ":");
		f->value = header + f->name_len + 1;
		f->value_len = (size_t)(end - f->value);
		header = end + 1;
	}
}

static enum authres_verdict judge(const char *from, const char *authserv,
				  const char *const *received_by, const char *header)
{
	struct provider provider = {authserv, received_by};
	struct failure why = {0};
	struct mail m;

	mail_of(&m, from, header);
	enum authres_verdict verdict = authres_judge(&m.parsed, &provider, &why);
	expect_true(*why.text);
	expect_int(why.kind == FAILURE_NONE, verdict == AUTHRES_VOUCHED);
	return verdict;
}

static const char *const google[] = {"mx.google.com", "2002:a05:*", NULL};

static bool reads(const char *value, struct authres *ret)
{
	return authres_parse(value, strlen(value), ret);
}

TEST(every_piece_of_the_grammar)
{
	struct authres a;

	expect_true(reads(" mx.example.com (our (own) relay) 1;\r\n\tdkim/1 = pass (good)\r\n"
			  "  reason=\"it \\\"is\\\" so\" header . d = example.com\r\n"
			  " header.b=aB/c+d==; spf=fail smtp.mailfrom=\"o d\"@example.org ;",
			  &a));
	expect_text(a.authserv, "mx.example.com");
	expect_int(a.n, 2);
	expect_text(a.at[0].method, "dkim");
	expect_text(a.at[0].result, "pass");
	expect_int(a.at[0].n, 3);
	expect_text(a.at[0].at[0].ptype, "");
	expect_text(a.at[0].at[0].value, "it \"is\" so");
	expect_text(a.at[0].at[1].ptype, "header");
	expect_text(a.at[0].at[1].property, "d");
	expect_text(a.at[0].at[1].value, "example.com");
	expect_text(a.at[0].at[2].value, "aB/c+d==");
	expect_text(a.at[1].at[0].value, "o d@example.org");
	expect_true(reads("\"mx.example.com\"; none", &a));
	expect_text(a.authserv, "mx.example.com");
	expect_int(a.n, 0);
	expect_true(reads("mx.example.com", &a));
	expect_int(a.n, 0);
}

TEST(what_is_not_by_the_grammar_is_nothing)
{
	static const char *const bad[] = {
		"",
		" ",
		";dkim=pass",
		"mx.example.com 2; dkim=pass",
		"mx.example.com; dkim/2=pass",
		"mx.example.com; dkim",
		"mx.example.com; dkim=",
		"mx.example.com dkim=pass",
		"mx.example.com; dkim=pass header.d",
		"mx.example.com; dkim=pass (open",
		"mx.example.com; dkim=pass header.d=\"open",
		"mx.example.com; =pass",
		"mx.example.com; dkim=pass header.d=a) b",
		"mx.example.com; none; dkim=pass",
		"mx.example.com; dkim=pa\x01ss",
		"\"mx\x01.example.com\"; none",
		"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com",
	};
	struct authres a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (reads(bad[i], &a))
			expect_stop(__FILE__, __LINE__, "taken: %s", bad[i]);
	}
	expect_false(authres_parse("mx.example.com; dkim=pa\0ss", 26, &a));
}

/* head, then n times more. */
static bool reads_many(const char *head, const char *more, size_t n)
{
	size_t len = strlen(head), each = strlen(more);
	char *value = xmalloc(len + n * each + 1);
	struct authres a;

	strcpy(value, head);
	for (size_t i = 0; i < n; i++)
		strcpy(value + len + i * each, more);
	bool good = authres_parse(value, len + n * each, &a);
	free(value);
	return good;
}

TEST(beyond_a_ceiling_nothing_is_read)
{
	expect_true(reads_many("mx", ";a=b", 32));
	expect_false(reads("mx\xc2\x91;a=b", &(struct authres){0}));
	expect_false(reads("mx;\"\"=pass", &(struct authres){0}));
	expect_false(reads_many("mx", ";a=b", 33));
	expect_true(reads_many("mx;a=b", " c.d=e", 16));
	expect_false(reads_many("mx;a=b", " c.d=e", 17));
	expect_true(reads_many("", "m", 255));
	expect_false(reads_many("", "m", 256));
	expect_false(reads_many("mx;", "(", 33));
	expect_false(reads_many("mx; a=b ", " ", 1000000));
	expect_false(reads_many("mx; a=b ", "(", 1000000));
}

static const char gmail[] =
	"Delivered-To: me@gmail.com\n"
	"Received: by 2002:a05:6a10:1234:b0:5e with SMTP id a1csp1; Sun, 22 Nov 2026 12:30:00 -0800\n"
	"X-Received: by 2002:a17:902:cec1 with SMTP id d2e1a72; Sun, 22 Nov 2026 12:30:00 -0800\n"
	"ARC-Authentication-Results: i=1; mx.google.com;\n"
	"       dkim=pass header.i=@example.com header.s=s1 header.b=AbCdEfGh\n"
	"Return-Path: <ana@example.com>\n"
	"Received: from mail.example.com (mail.example.com. [192.0.2.25])\n"
	"        by mx.google.com with ESMTPS id d2e1a72si1 for <me@gmail.com>\n"
	"Received-SPF: pass (google.com: domain of ana@example.com designates 192.0.2.25)\n"
	"Authentication-Results: mx.google.com;\n"
	"       dkim=pass header.i=@example.com header.s=s1 header.b=AbCdEfGh;\n"
	"       spf=pass (google.com: domain of ana@example.com designates 192.0.2.25 as permitted "
	"sender) smtp.mailfrom=ana@example.com;\n"
	"       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com\n"
	"Received: from laptop (home [198.51.100.7]) by mail.example.com\n";

TEST(gmail_writes_it_below_its_own_relay)
{
	expect_int(judge("ana@example.com", "mx.google.com", google, gmail), AUTHRES_VOUCHED);
	expect_int(judge("ana@EXAMPLE.com", "MX.google.com", google, gmail), AUTHRES_VOUCHED);
	expect_int(judge("ana@example.org", "mx.google.com", google, gmail), AUTHRES_FAILED);
	expect_int(judge("ana@example.com", "mx.example.com", google, gmail), AUTHRES_SILENT);
}

TEST(without_relays_named_only_the_authserv_itself_is_one)
{
	expect_int(judge("ana@example.com", "mx.google.com", NULL, gmail), AUTHRES_SILENT);
	expect_int(
		judge("a@example.com", "mx.example.net", NULL,
		      "Received: from x by mx.example.net with LMTP\n"
		      "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com\n"),
		AUTHRES_VOUCHED);
}

TEST(fastmail_writes_several_fields)
{
	expect_int(
		judge("a@example.com", "*.messagingengine.com", NULL,
		      "Authentication-Results: mx5.messagingengine.com;\n"
		      "    x-csa=none;\n    x-me-sender=none;\n"
		      "    x-ptr=pass smtp.helo=mail.example.com policy.ptr=mail.example.com\n"
		      "Authentication-Results: mx5.messagingengine.com;\n"
		      "    bimi=none (No BIMI records found)\n"
		      "Authentication-Results: mx5.messagingengine.com;\n"
		      "    arc=none (no signatures found)\n"
		      "Authentication-Results: mx5.messagingengine.com;\n"
		      "    dkim=pass (2048-bit rsa key sha256) header.d=example.com\n"
		      "    header.i=@example.com header.b=AbCdEfGh header.a=rsa-sha256\n"
		      "    header.s=s1 x-bits=2048;\n"
		      "    dmarc=pass policy.published-domain-policy=reject\n"
		      "    policy.applied-disposition=none policy.evaluated-disposition=none\n"
		      "    (p=reject,d=none,d.eval=none) policy.policy-from=p header.from=example.com;\n"
		      "    spf=pass smtp.mailfrom=a@example.com smtp.helo=mail.example.com\n"
		      "Received: from mail.example.com by mx5.messagingengine.com\n"),
		AUTHRES_VOUCHED);
}

TEST(yahoo_writes_it_above_all)
{
	expect_int(judge("a@example.com", "*.yahoo.com", NULL,
			 "X-Apparently-To: me@yahoo.com; Sun, 22 Nov 2026 20:30:00 +0000\n"
			 "Return-Path: <a@example.com>\n"
			 "Authentication-Results: atlas103.free.mail.ne1.yahoo.com;\n"
			 " dkim=pass header.i=@example.com header.s=s1;\n"
			 " spf=pass smtp.mailfrom=example.com;\n"
			 " dmarc=pass(p=REJECT) header.from=example.com;\n"
			 "Received-SPF: pass (domain of example.com designates 192.0.2.25)\n"
			 "Received: from 192.0.2.25 (EHLO mail.example.com) by 10.197.41.1\n"),
		   AUTHRES_VOUCHED);
}

TEST(icloud_has_an_id_for_each_method)
{
	static const char header[] =
		"Authentication-Results: bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"\n"
		"Authentication-Results: dmarc.icloud.com; dmarc=pass header.from=example.com\n"
		"Authentication-Results: dkim-verifier.icloud.com;\n"
		"\tdkim=pass (2048-bit key) header.d=example.com header.i=@example.com\n"
		"Authentication-Results: spf.icloud.com; spf=pass smtp.mailfrom=a@example.com\n"
		"Received: from mail.example.com by p00-smtp.mail.icloud.com\n";

	expect_int(judge("a@example.com", "*.icloud.com", NULL, header), AUTHRES_VOUCHED);
	expect_int(judge("a@example.com", "dmarc.icloud.com", NULL, header), AUTHRES_VOUCHED);
}

TEST(outlook_gives_no_id_and_so_nobody_to_believe)
{
	expect_int(judge("a@example.com", "*outlook.com", NULL,
			 "Authentication-Results: spf=pass (sender IP is 192.0.2.25)\n"
			 " smtp.mailfrom=example.com; dkim=pass (signature was verified)\n"
			 " header.d=example.com;dmarc=pass action=none\n"
			 " header.from=example.com;compauth=pass reason=100\n"),
		   AUTHRES_SILENT);
}

#define OWN "Authentication-Results: mx.example.net; "
#define LONG "a123456789b123456789c123456789d123456789e12345678"
#define RECEIVED "Received: from evil (evil [192.0.2.66]) by mx.example.net with ESMTP\n"
static const char *const relays[] = {"mx.example.net", NULL};

TEST(forged_results_do_not_count)
{
	static const char *const headers[] = {
		/* below the genuine one, with and without a gap */
		RECEIVED OWN "spf=pass smtp.mailfrom=evil.example\n" OWN
			     "dmarc=pass header.from=example.com\n",
		RECEIVED OWN
		"spf=pass smtp.mailfrom=evil.example\nReceived: from a by mx.example.net\n" OWN
		"dmarc=pass header.from=example.com\n",
		RECEIVED OWN "dmarc=fail header.from=example.com\n" OWN
			     "dmarc=pass header.from=example.com\n",
		RECEIVED OWN "dkim=none\n" OWN "dkim=pass header.d=example.com\n",
		/* another's name for the field */
		RECEIVED OWN "spf=fail\nX-Authentication-Results: mx.example.net; dmarc=pass\n",
		/* passed for another domain */
		RECEIVED OWN "dmarc=pass header.from=evil.example\n",
		RECEIVED OWN "dmarc=pass\n",
		RECEIVED OWN "dmarc=pass smtp.from=example.com\n",
		RECEIVED OWN "dkim=pass header.d=evil.example header.i=@example.com\n",
		RECEIVED OWN "spf=pass smtp.mailfrom=example.com\n",
		RECEIVED OWN "dkim=fail header.d=example.com\n",
		RECEIVED OWN "x=y (dmarc=pass header.from=example.com)\n",
		RECEIVED OWN "spf=none smtp.mailfrom=\"a; dmarc=pass header.from=example.com\"\n",
		RECEIVED OWN "none\n",
		/* made unreadable by what it says of the sender, and what he would have instead */
		RECEIVED OWN "dmarc=pass (open header.from=example.com\n",
		OWN "dmarc=fail header.from=example.com (((\n" RECEIVED OWN
		    "dmarc=pass header.from=example.com\n",
		RECEIVED OWN "spf=fail smtp.mailfrom=" LONG LONG LONG LONG LONG LONG "\n" OWN
			     "dmarc=pass header.from=example.com\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		if (judge("a@example.com", "mx.example.net", relays, headers[i]) != AUTHRES_FAILED)
			expect_stop(__FILE__, __LINE__, "no failure: %s", headers[i]);
	}
}

TEST(silence_is_not_filled_by_the_sender)
{
	static const char *const headers[] = {
		"",
		RECEIVED,
		"Received: from a by b.example\n" OWN "dmarc=pass header.from=example.com\n",
		RECEIVED "Received: from a by b.example\n" OWN
			 "dmarc=pass header.from=example.com\n",
		/* a greeting that looks like our relay's name */
		"Received: from by (mx.example.net [192.0.2.66]) by b.example\n" OWN
		"dmarc=pass header.from=example.com\n",
		"Received: (by mx.example.net) from by by b.example\n" OWN
		"dmarc=pass header.from=example.com\n",
		"Received: from x; by mx.example.net\n" OWN "dmarc=pass header.from=example.com\n",
		RECEIVED
		"Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		if (judge("a@example.com", "mx.example.net", relays, headers[i]) != AUTHRES_SILENT)
			expect_stop(__FILE__, __LINE__, "not silent: %s", headers[i]);
	}
}

TEST(several_genuine_results)
{
	expect_int(judge("a@example.com", "mx.example.net", relays,
			 OWN "dmarc=pass header.from=example.com\n" OWN "spf=fail\n"),
		   AUTHRES_VOUCHED);
	expect_int(judge("a@example.com", "mx.example.net", relays,
			 OWN "dmarc=none header.from=example.com\n" OWN
			     "dkim=pass header.d=list.example; dkim=fail header.d=example.com;"
			     " dkim=pass header.d=example.com\n"),
		   AUTHRES_VOUCHED);
	expect_int(judge("a@example.com", "mx.example.net", relays,
			 OWN
			 "dmarc=fail header.from=example.com; dkim=pass header.d=example.com\n"),
		   AUTHRES_FAILED);
	expect_int(judge("a@example.com", "mx.example.net", relays,
			 OWN "dkim=pass header.d=example.com\n" OWN "dmarc=fail\n"),
		   AUTHRES_FAILED);
}

static enum authres_verdict signed_by(const char *from, const char *signer)
{
	char *header = xprintf(OWN "dkim=pass %s\n", signer);
	enum authres_verdict verdict = judge(from, "mx.example.net", relays, header);

	free(header);
	return verdict;
}

TEST(a_signature_stands_for_its_domain_and_those_below)
{
	expect_int(signed_by("a@example.com", "header.d=EXAMPLE.com"), AUTHRES_VOUCHED);
	expect_int(signed_by("a@example.com", "header.i=@example.com"), AUTHRES_VOUCHED);
	expect_int(signed_by("a@example.com", "header.i=a@example.com"), AUTHRES_VOUCHED);
	expect_int(signed_by("a@mail.example.com", "header.d=example.com"), AUTHRES_VOUCHED);
	expect_int(signed_by("a@example.com", "header.d=mail.example.com"), AUTHRES_FAILED);
	expect_int(signed_by("a@example.com", "header.d=com"), AUTHRES_FAILED);
	expect_int(signed_by("a@badexample.com", "header.d=example.com"), AUTHRES_FAILED);
	expect_int(signed_by("a@example.com", "header.d=ample.com"), AUTHRES_FAILED);
	expect_int(signed_by("a@example.com", "header.s=example.com"), AUTHRES_FAILED);
	expect_int(signed_by("a@b\xc3\xbc"
			     "cher.example",
			     "header.d=xn--bcher-kva.example"),
		   AUTHRES_VOUCHED);
}

TEST(two_of_what_stands_once_is_refused_whoever_vouches)
{
	static const unsigned flaws[] = {FLAW_TWO_FROM, FLAW_FROM_LIST};
	struct provider none = {"none", NULL};
	struct failure why;
	struct mail m;

	mail_of(&m, "a@example.com", "");
	expect_int(authres_judge(&m.parsed, &none, &why), AUTHRES_VOUCHED);
	for (size_t i = 0; i < 2; i++) {
		m.parsed.flaws = flaws[i];
		expect_int(authres_judge(&m.parsed, &none, &why), AUTHRES_FAILED);
		expect_int(why.kind, FAILURE_REFUSED);
	}
	m.parsed.flaws = 0;
	m.parsed.from.n = 0;
	expect_int(authres_judge(&m.parsed, &none, &why), AUTHRES_FAILED);
}

TEST(a_mailbox_that_says_nobody_believes_nobody)
{
	expect_int(judge("a@example.com", NULL, relays, OWN "dmarc=pass header.from=example.com\n"),
		   AUTHRES_SILENT);
	expect_int(judge("nobody", "mx.example.net", relays, OWN "none\n"), AUTHRES_FAILED);
}

RUN_TESTS()
