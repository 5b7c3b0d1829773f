/* rules/audience.h - whom a rule tells: stored addresses and numbers of contacts,
 * never what a mail says of its sender. Pure. */
#ifndef NUNCIO_RULES_AUDIENCE_H
#define NUNCIO_RULES_AUDIENCE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
struct address;
struct config;
struct contact_config;

struct audience {
	struct address *mail; /* owned, of nmail */
	size_t nmail;
	char **texts; /* owned, of ntexts: E.164 numbers */
	size_t ntexts;
	char *route; /* owned; a transport's name; NULL: by channel */
};
void audience_clear(struct audience *a);
bool audience_is_empty(const struct audience *a);
/* How somebody is reached: BY_EITHER is mail, or a text where there is no mail. */
enum by { BY_EITHER, BY_MAIL, BY_SMS, BY_BOTH };
/* "mail" "sms" "both"; another word is a transport's name: BY_EITHER. NULL: otherwise. */
enum by by_of(const char *word, enum by otherwise);
void audience_add_contact(struct audience *a, const struct config *config,
			  const struct contact_config *contact, enum by by);
/* Of each name: a contact, a group, a mail address, a number; "sender" is sender, who may
 * be NULL: nobody; so is "nobody". word: as by_of() takes it. */
void audience_add(struct audience *a, const struct config *config, char *const *names,
		  const struct contact_config *sender, const char *word, enum by otherwise);
/* Texts go by mail where no transport carries them, when carries is false; returns how many
 * there is no mail address for either. */
size_t audience_without_texts(struct audience *a, const struct config *config);

json_t *audience_to_json(const struct audience *a);
void audience_from_json(struct audience *a, const json_t *object);
#endif
