/* Mail addresses: the grammar of RFC 5321 and 6531, names, domains of the world. */
#include "address.h"

#include "alloc.h"
#include "auto.h"
#include "expect.h"
#include "failure.h"

struct parsed {
	const char *text, *name, *mailbox, *ascii;
};

static void expect_parsed(const struct parsed *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct address a;
		struct failure f = {0};

		expect_ok(address_parse(all[i].text, strlen(all[i].text), &a, &f), &f);
		expect_text(a.name, all[i].name);
		expect_text(a.mailbox, all[i].mailbox);
		expect_text(a.ascii, all[i].ascii ? all[i].ascii : all[i].mailbox);
		address_clear(&a);
	}
}
#define EXPECT_PARSED(all) expect_parsed((all), sizeof(all) / sizeof(*(all)))

TEST(plain_mailboxes)
{
	static const struct parsed good[] = {
		{"ana@example.com", NULL, "ana@example.com"},
		{"<ana@example.com>", NULL, "ana@example.com"},
		{"  ana@example.com  ", NULL, "ana@example.com"},
		{"a.b+c_d@mail.example.co.uk", NULL, "a.b+c_d@mail.example.co.uk"},
		{"!#$%&'*+-/=?^_`{|}~@example.com", NULL, "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"-f@example.com", NULL, "-f@example.com"},
		{"root@localhost", NULL, "root@localhost"},
		{"a@x-1.y2", NULL, "a@x-1.y2"},
		{"a@1.2.3.4a", NULL, "a@1.2.3.4a"},
		{"a@r3---sn.example.com", NULL, "a@r3---sn.example.com"},
	};

	EXPECT_PARSED(good);
}

TEST(domains_become_lower_case_in_ascii_only)
{
	static const struct parsed good[] = {
		{"Ana@Example.COM", NULL, "Ana@Example.COM", "Ana@example.com"},
		{"ana@XN--BCHER-KVA.example", NULL, "ana@XN--BCHER-KVA.example",
		 "ana@xn--bcher-kva.example"},
	};

	EXPECT_PARSED(good);
}

TEST(quoted_local_parts)
{
	static const struct parsed good[] = {
		{"\"ana maria\"@example.com", NULL, "\"ana maria\"@example.com"},
		{"\"a@b\"@example.com", NULL, "\"a@b\"@example.com"},
		{"\"a\\\"b\\\\\"@example.com", NULL, "\"a\\\"b\\\\\"@example.com"},
		{"\"<\"@example.com", NULL, "\"<\"@example.com"},
		{"<\"a>b\"@example.com>", NULL, "\"a>b\"@example.com"},
		{"\"\"@example.com", NULL, "\"\"@example.com"},
	};

	EXPECT_PARSED(good);
}

TEST(display_names)
{
	static const struct parsed good[] = {
		{"Ana <ana@example.com>", "Ana", "ana@example.com"},
		{"Ana Maria<ana@example.com>", "Ana Maria", "ana@example.com"},
		{"Ana   Maria  <ana@example.com>", "Ana Maria", "ana@example.com"},
		{"\"Ana Maria\" <ana@example.com>", "Ana Maria", "ana@example.com"},
		{"\"Doe, \\\"J\\\" <x>\" <j@example.com>", "Doe, \"J\" <x>", "j@example.com"},
		{"J. R. \"Doe, Jr.\" <j@example.com>", "J. R. Doe, Jr.", "j@example.com"},
		{"Müller 😀 <m@example.com>", "Müller 😀", "m@example.com"},
		{"\"\" <a@example.com>", NULL, "a@example.com"},
		{"\"  \" <a@example.com>", "  ", "a@example.com"},
		{"\"a\\b\" <a@example.com>", "ab", "a@example.com"},
		{"=?utf-8?q?x?= <a@example.com>", "=?utf-8?q?x?=", "a@example.com"},
	};

	EXPECT_PARSED(good);
}

TEST(international_domains_become_a_labels)
{
	static const struct parsed good[] = {
		{"a@bücher.example", NULL, "a@bücher.example", "a@xn--bcher-kva.example"},
		{"a@BÜCHER.example", NULL, "a@BÜCHER.example", "a@xn--bcher-kva.example"},
		/* decomposed: u and U+0308 */
		{"a@bu\xcc\x88"
		 "cher.example",
		 NULL,
		 "a@bu\xcc\x88"
		 "cher.example",
		 "a@xn--bcher-kva.example"},
		/* nontransitional: a sharp s is itself */
		{"a@straße.example", NULL, "a@straße.example", "a@xn--strae-oqa.example"},
		{"a@例え.テスト", NULL, "a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"},
		{"a@例え。テスト", NULL, "a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"},
		{"a@münchen.Example.COM", NULL, "a@münchen.Example.COM",
		 "a@xn--mnchen-3ya.example.com"},
	};

	EXPECT_PARSED(good);
}

TEST(literals)
{
	static const struct parsed good[] = {
		{"a@[192.0.2.1]", NULL, "a@[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", NULL, "a@[IPv6:2001:db8::1]"},
		{"a@[ipv6:::ffff:192.0.2.1]", NULL, "a@[ipv6:::ffff:192.0.2.1]"},
	};

	EXPECT_PARSED(good);
}

TEST(the_local_part_says_whether_smtputf8_is_needed)
{
	struct failure f = {0};
	struct address a;

	expect_ok(address_parse("josé@example.com", 17, &a, &f), &f);
	expect_text(a.ascii, "josé@example.com");
	expect_true(a.needs_smtputf8);
	address_clear(&a);
	expect_ok(address_parse("jose@bücher.example", strlen("jose@bücher.example"), &a, &f), &f);
	expect_false(a.needs_smtputf8);
	address_clear(&a);
	expect_null(a.mailbox);
	address_clear(&a);
}

static void expect_refused(const char *text, size_t len, const char *why)
{
	struct address a = {0};
	struct failure f = {0};

	expect_failure(address_parse(text, len, &a, &f), &f, FAILURE_REFUSED);
	expect_contains(f.text, why);
	expect_null(a.mailbox);
}

TEST(what_is_no_address_is_refused_with_a_reason)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "empty"},
		{"   ", "empty"},
		{"ana", "no @"},
		{"@example.com", "nothing before the @"},
		{"@", "nothing before the @"},
		{"<>", "nothing before the @"},
		{"ana@", "empty part"},
		{"ana@.", "empty part"},
		{"ana@example..com", "empty part"},
		{"ana@.example.com", "empty part"},
		{"ana@example.com.", "empty part"},
		{"ana@-example.com", "begins or ends with '-'"},
		{"ana@example-.com", "begins or ends with '-'"},
		{"ana@exa mple.com", "character that no host name has"},
		{"ana@exa_mple.com", "character that no host name has"},
		{"ana@example.com>", "character that no host name has"},
		{"ana@b@example.com", "character that no host name has"},
		{"ana@example.com, bob@example.com", "character that no host name has"},
		{"ana@example.com (Ana)", "character that no host name has"},
		{"ana@192.0.2.1", "ends in a number"},
		{"ana@[192.0.2]", "in brackets"},
		{"ana@[192.0.2.1", "in brackets"},
		{"ana@[192.0.2.1]x", "in brackets"},
		{"ana@[2001:db8::1]", "in brackets"},
		{"ana@[IPv6:192.0.2.1]", "in brackets"},
		{"ana@[IPv6:1::2::3]", "in brackets"},
		{"ana@[]", "in brackets"},
		{"ana@[", "in brackets"},
		{".ana@example.com", "nothing before the @"},
		{"ana.@example.com", "a dot stands"},
		{"a..b@example.com", "a dot stands"},
		{"a b@example.com", "needs quotes"},
		{"a,b@example.com", "needs quotes"},
		{"a(c)@example.com", "needs quotes"},
		{"\"ana@example.com", "do not end"},
		{"\"ana\\\"@example.com", "do not end"},
		{"\"ana\"b@example.com", "needs quotes"},
		{"\"a\".b@example.com", "needs quotes"},
		{"Ana <ana@example.com", "there is none"},
		{"Ana <ana@example.com> x", "behind the '>'"},
		{"Ana <ana@example.com>, Bob <b@example.com>", "no host name has"},
		{"<<ana@example.com>>", "nothing before the @"},
		{"<@relay.example:ana@example.com>", "nothing before the @"},
		{"Doe, J <j@example.com>", "the name has a character that needs quotes"},
		{"team: <j@example.com>", "the name has a character that needs quotes"},
		{"Ana (x) <j@example.com>", "the name has a character that needs quotes"},
		{"a@b <j@example.com>", "the name has a character that needs quotes"},
		{"Ana <Ana <j@example.com>>", "before the @ stands a character"},
		{"ana@example.com\r\nRCPT TO:<x@y>", "control character"},
		{"ana\n@example.com", "control character"},
		{"\"a\tb\"@example.com", "control character"},
		{"a\x7f@example.com", "control character"},
		{"a\xc2\x85@example.com", "control character"},
		{"Ana\r\nBcc: x <ana@example.com>", "control character"},
		{"ana\xff@example.com", "not UTF-8"},
		{"ana@ex\xe4mple.com", "not UTF-8"},
		{"ana@\xef\xbc\xa0.com", "domain"},  /* a fullwidth @ */
		{"ana@a\xe2\x84\x80.com", "domain"}, /* maps to a/c */
		{"ana@a\xe2\x80\xae"
		 "b.com",
		 "domain"}, /* right-to-left override */
		{"ana@\xcc\x88"
		 "a.com",
		 "domain"}, /* begins with a combining mark */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_refused(bad[i].text, strlen(bad[i].text), bad[i].why);
	expect_refused("ana@example.com\0", 16, "not UTF-8");
	expect_refused("a\0na@example.com", 16, "not UTF-8");
}

TEST(only_len_bytes_are_read)
{
	struct failure f = {0};
	struct address a;

	expect_ok(address_parse("ana@example.com, bob@example.com", 15, &a, &f), &f);
	expect_text(a.mailbox, "ana@example.com");
	address_clear(&a);
}

static bool is_taken(const char *text)
{
	struct address a;

	if (address_parse(text, strlen(text), &a, NULL) < 0)
		return false;
	address_clear(&a);
	return true;
}

TEST(lengths_have_ceilings)
{
	static const char label[] =
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk";
	AUTO(free) char *local_64 = xprintf("%064d@example.com", 1);
	AUTO(free) char *local_65 = xprintf("%065d@example.com", 1);
	AUTO(free) char *quoted_64 = xprintf("\"%062d\"@example.com", 1);
	AUTO(free) char *quoted_65 = xprintf("\"%063d\"@example.com", 1);
	AUTO(free) char *label_63 = xprintf("a@%s.example", label);
	AUTO(free) char *label_64 = xprintf("a@x%s.example", label);
	AUTO(free) char *whole_254 = xprintf("%059d@%s.%s.%s.ab", 1, label, label, label);
	AUTO(free) char *whole_255 = xprintf("%060d@%s.%s.%s.ab", 1, label, label, label);

	expect_true(is_taken(local_64));
	expect_false(is_taken(local_65));
	expect_true(is_taken(quoted_64));
	expect_false(is_taken(quoted_65));
	expect_true(is_taken(label_63));
	expect_false(is_taken(label_64));
	expect_int(strlen(whole_254), 254);
	expect_true(is_taken(whole_254));
	expect_false(is_taken(whole_255));
}

/* A domain of few characters may be long as A-labels. */
TEST(the_ascii_form_keeps_the_ceilings_too)
{
	char domain[700] = "a@";

	for (int i = 0; i < 59; i++)
		strcat(domain, i % 15 == 14 ? "." : "例");
	strcat(domain, ".example");
	expect_true(is_taken(domain));
	strcpy(domain, "a@");
	for (int i = 0; i < 64; i++)
		strcat(domain, "ü");
	expect_false(is_taken(domain));
}

TEST(names_have_a_ceiling)
{
	AUTO(free) char *name_256 = xprintf("%0256d <a@example.com>", 1);
	AUTO(free) char *name_257 = xprintf("%0257d <a@example.com>", 1);
	AUTO(free) char *name_huge = xprintf("%0100000d <a@example.com>", 1);
	AUTO(free) char *domain_huge = xprintf("a@%0100000d.example", 1);

	expect_true(is_taken(name_256));
	expect_false(is_taken(name_257));
	expect_false(is_taken(name_huge));
	expect_false(is_taken(domain_huge));
}

TEST(domains_alone)
{
	AUTO(free) char *plain = domain_to_ascii("Example.COM", 11);
	AUTO(free) char *world = domain_to_ascii("bücher.example", strlen("bücher.example"));

	expect_text(plain, "example.com");
	expect_text(world, "xn--bcher-kva.example");
	expect_null(domain_to_ascii("", 0));
	expect_null(domain_to_ascii("a b", 3));
	expect_null(domain_to_ascii("a\0b", 3));
	expect_null(domain_to_ascii("a\n", 2));
	expect_null(domain_to_ascii("\xff", 1));
	expect_null(domain_to_ascii("[192.0.2.1]", 11));
}

static bool equal(const char *a_text, const char *b_text)
{
	struct failure f = {0};
	struct address a, b;

	expect_ok(address_parse(a_text, strlen(a_text), &a, &f), &f);
	expect_ok(address_parse(b_text, strlen(b_text), &b, &f), &f);
	bool result = address_equal(&a, &b);

	expect_int(address_equal(&b, &a), result);
	address_clear(&a);
	address_clear(&b);
	return result;
}

TEST(equality)
{
	expect_true(equal("ana@example.com", "Ana <ana@EXAMPLE.com>"));
	expect_true(equal("ana@bücher.example", "ana@XN--bcher-kva.example"));
	expect_true(equal("ana@[IPv6:2001:DB8::1]", "ana@[ipv6:2001:db8::1]"));
	expect_false(equal("ana@example.com", "Ana@example.com"));
	expect_false(equal("ana@example.com", "ana@example.org"));
	expect_false(equal("ana@example.com", "anab@example.com"));
	expect_false(equal("\"x@y\"@example.com", "x@example.com"));
}

TEST(what_is_meant_as_an_address)
{
	expect_true(address_looks_like("a@b"));
	expect_true(address_looks_like("@"));
	expect_false(address_looks_like("ana"));
	expect_false(address_looks_like(""));
}

RUN_TESTS()
