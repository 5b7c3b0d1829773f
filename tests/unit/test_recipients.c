/* Whom a message goes to: contacts, groups, addresses and numbers, and which way. */
#include "server/recipients.h"

#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "buf.h"
#include "config/config.h"
#include "expect.h"
#include "failure.h"
#include "transport/transport.h"

static const char settings[] =
	"state = \"/tmp\";\n"
	"limits = { recipients = 6; };\n"
	"contacts = ( { name = \"me\"; mail = [\"Me <me@Example.org>\", \"me@old.example\"]; sms = "
	"\"+15551234567\"; },\n"
	"  { name = \"bo\"; mail = [\"bo@example.org\"]; }, { name = \"cy\"; sms = \"+15557654321\"; },\n"
	"  { name = \"pair\"; members = [\"me\", \"bo\"]; }, { name = \"all\"; members = [\"pair\", \"cy\", "
	"\"bo\"]; } );\n"
	"aliases = ( { name = \"adm\"; to = [\"pair\", \"x@example.org\"]; },\n"
	"  { name = \"web\"; to = [\"adm\", \"bo\"]; } );\n"
	"transports = ( { name = \"box\"; type = \"maildir\"; path = \"/tmp/box\"; },\n"
	"  { name = \"any\"; type = \"fake\"; } );\n";

/* What came of one taking: "address>route ...", or the refusal as JSON. */
struct stage {
	const struct config *config;
	struct recipients r;
	struct shown to, cc;
	struct refusal refusal;
	struct buf said;
};

static void stage_init(struct stage *s, const char *by, unsigned carries)
{
	char path[] = "/tmp/nuncio-recipients-XXXXXX";
	struct failure f = {0};
	int fd = mkstemp(path);

	*s = (struct stage){0};
	buf_init(&s->said, 10000);
	fchmod(fd, 0600);
	expect_int(write(fd, settings, strlen(settings)), strlen(settings));
	close(fd);
	expect_ok(config_load(path, &s->config, NULL, NULL, &f), &f);
	unlink(path);
	if (recipients_init(&s->r, s->config, by, carries, &s->refusal) == 0)
		s->refusal.parameters = NULL;
}

static void stage_clear(struct stage *s)
{
	recipients_clear(&s->r);
	shown_clear(&s->to);
	shown_clear(&s->cc);
	json_decref(s->refusal.parameters);
	config_unref(s->config);
	buf_clear(&s->said);
}

static int add(struct stage *s, const char *given, const char *field, struct shown *shown)
{
	json_t *list = json_loads(given, 0, NULL);
	int result = recipients_add(&s->r, list, field, shown, &s->refusal);

	expect_some(list);
	json_decref(list);
	return result;
}

static const char *all_of(struct stage *s)
{
	buf_drain(&s->said, s->said.len);
	for (size_t i = 0; i < s->r.n; i++)
		buf_printf(&s->said, "%s%s>%s", i ? " " : "", s->r.list[i].address,
			   s->r.list[i].route);
	return buf_bytes(&s->said);
}

static void expect_refusal(const struct stage *s, enum error_id id, const char *field,
			   const char *reason)
{
	expect_int(s->refusal.id, id);
	expect_text(json_string_value(json_object_get(s->refusal.parameters, "field")), field);
	expect_contains(json_string_value(json_object_get(s->refusal.parameters, "reason")),
			reason);
}

#define BOTH (CARRIES_MAIL | CARRIES_TEXTS)

TEST(each_kind_of_name_finds_its_channel)
{
	struct stage s;

	stage_init(&s, NULL, BOTH);
	expect_int(add(&s, "[\"me\", \"cy\", \"x@B\u00fccher.example\", \"+1 (555) 000-1111\"]",
		       "to", &s.to),
		   0);
	expect_text(all_of(&s),
		    "me@example.org>#mail +15557654321>#sms x@xn--bcher-kva.example>#mail "
		    "+15550001111>#sms");
	expect_int(s.to.n, 2);
	expect_text(s.to.list[0].name, "Me");
	stage_clear(&s);
}

TEST(an_alias_is_whoever_it_names_each_once)
{
	struct stage s;

	stage_init(&s, NULL, CARRIES_MAIL);
	expect_int(add(&s, "[\"web\", \"adm\"]", "to", &s.to), 0);
	expect_text(all_of(&s), "me@example.org>#mail bo@example.org>#mail x@example.org>#mail");
	expect_int(add(&s, "[\"nobody\"]", "to", &s.to), -1);
	expect_refusal(&s, ERROR_BAD_RECIPIENT, "to[0]", "nor in `aliases`");
	stage_clear(&s);
}

TEST(a_group_is_its_members_each_once)
{
	struct stage s;

	stage_init(&s, NULL, BOTH);
	expect_int(add(&s, "[\"all\", \"pair\", \"bo\", \"me@EXAMPLE.ORG\"]", "to", &s.to), 0);
	expect_text(all_of(&s), "me@example.org>#mail bo@example.org>#mail +15557654321>#sms");
	expect_int(s.to.n, 2);
	expect_int(add(&s, "[\"bo\", \"new@example.org\"]", "cc", &s.cc), 0);
	expect_int(s.cc.n, 1);
	expect_text(s.cc.list[0].ascii, "new@example.org");
	expect_int(add(&s, "[\"secret@example.org\"]", "bcc", NULL), 0);
	expect_int(s.r.n, 5);
	stage_clear(&s);
}

TEST(by_names_a_channel_or_a_transport)
{
	struct stage s;

	stage_init(&s, "sms", BOTH);
	expect_int(add(&s, "[\"me\"]", "to", NULL), 0);
	expect_text(all_of(&s), "+15551234567>#sms");
	stage_clear(&s);
	stage_init(&s, "mail", BOTH);
	expect_int(add(&s, "[\"me\"]", "to", NULL), 0);
	expect_text(all_of(&s), "me@example.org>#mail");
	stage_clear(&s);
	stage_init(&s, "any", BOTH);
	expect_int(add(&s, "[\"me\", \"cy\"]", "to", NULL), 0);
	expect_text(all_of(&s), "me@example.org>any +15557654321>any");
	stage_clear(&s);
}

TEST(a_way_that_is_none_is_refused_by_its_name)
{
	struct stage s;

	stage_init(&s, "pigeon", BOTH);
	expect_int(s.refusal.id, ERROR_NO_TRANSPORT);
	expect_text(json_string_value(json_object_get(s.refusal.parameters, "channel")), "pigeon");
	stage_clear(&s);
	stage_init(&s, "sms", CARRIES_MAIL);
	expect_int(s.refusal.id, ERROR_NO_TRANSPORT);
	stage_clear(&s);
}

TEST(one_whom_the_way_does_not_reach_is_refused)
{
	struct stage s;

	stage_init(&s, "box", BOTH);
	expect_int(add(&s, "[\"me\", \"cy\"]", "to", NULL), -1);
	expect_refusal(&s, ERROR_BAD_RECIPIENT, "to[1]", "no mail address");
	stage_clear(&s);
	stage_init(&s, "sms", BOTH);
	expect_int(add(&s, "[\"a@example.org\"]", "cc", NULL), -1);
	expect_refusal(&s, ERROR_BAD_RECIPIENT, "cc[0]", "texts");
	stage_clear(&s);
	stage_init(&s, NULL, CARRIES_MAIL);
	expect_int(add(&s, "[\"+15551234567\"]", "to", NULL), -1);
	expect_refusal(&s, ERROR_BAD_RECIPIENT, "to[0]", "mail");
	stage_clear(&s);
}

TEST(a_plain_name_that_nobody_has_lists_those_there_are)
{
	struct stage s;

	stage_init(&s, NULL, BOTH);
	expect_int(add(&s, "[\"bo\", \"root\"]", "to", NULL), -1);
	expect_refusal(&s, ERROR_BAD_RECIPIENT, "to[1]", "me, bo, cy, pair, all");
	stage_clear(&s);
}

TEST(what_would_smuggle_is_no_address)
{
	static const char *const wrong[] = {"[\"a@b.example\\nRCPT TO:<c@d.example>\"]",
					    "[\"a@b.example>\"]",
					    "[\"a@\"]",
					    "[\"@\"]",
					    "[\"a@b@c\"]",
					    "[\"\"]",
					    "[\"+12345\"]"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct stage s;

		stage_init(&s, NULL, BOTH);
		expect_int(add(&s, wrong[i], "to", NULL), -1);
		expect_int(s.refusal.id, ERROR_BAD_RECIPIENT);
		expect_int(s.r.n, 0);
		stage_clear(&s);
	}
}

TEST(the_ceiling_counts_recipients_and_what_is_written)
{
	struct stage s;

	stage_init(&s, NULL, BOTH);
	expect_int(
		add(&s, "[\"all\", \"1@x.example\", \"2@x.example\", \"3@x.example\"]", "to", NULL),
		0);
	expect_int(add(&s, "[\"4@x.example\"]", "cc", NULL), -1);
	expect_refusal(&s, ERROR_OVER_LIMIT, "cc", "at most 6");
	stage_clear(&s);
	stage_init(&s, NULL, BOTH);
	expect_int(add(&s, "[\"me\", \"me\", \"me\", \"me\", \"me\", \"me\", \"me\"]", "to", NULL),
		   -1);
	expect_refusal(&s, ERROR_OVER_LIMIT, "to", "at most 6");
	stage_clear(&s);
}

RUN_TESTS()
