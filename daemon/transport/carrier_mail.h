/* transport/carrier_mail.h - a letter as the mail that a carrier's gateway makes a text
 * message of: plain words and nothing else that a telephone would show. Pure. */
#ifndef NUNCIO_TRANSPORT_CARRIER_MAIL_H
#define NUNCIO_TRANSPORT_CARRIER_MAIL_H
#include <stdbool.h>
#include <stddef.h>
struct carrier_config;
struct failure;
struct gateway;
struct letter;

struct carrier_mail {
	struct letter *letter; /* owned; to the gateway, without a subject */
	char *address;         /* owned */
	char *content;         /* owned, of len: the text, then the attachments */
	size_t len;
	bool was_cut; /* the text was too long */
};

/* How much of the letter's content is looked at, from its beginning. */
size_t carrier_mail_wants(const struct carrier_config *config, const struct gateway *gateway,
			  const char *number, const struct letter *letter);
/* Does its reader get all of it by this gateway? content: text and html. */
bool carrier_mail_fits(const struct carrier_config *config, const struct gateway *gateway,
		       const struct letter *letter, const char *content, size_t len);
/* number: E.164. content: what is wanted. FAILURE_REFUSED: this gateway can't have it; the
 * sentence says why. */
int carrier_mail_make(const struct carrier_config *config, const struct gateway *gateway,
		      const char *number, const struct letter *letter, const char *content,
		      size_t len, struct carrier_mail *ret, struct failure *f);
void carrier_mail_clear(struct carrier_mail *mail);
#endif
