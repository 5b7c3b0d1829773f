/* mailbox/imap_steps.h - what is said and heard in each step of an IMAP conversation, file
 * by file; the table of them is in imap.c. */
#ifndef NUNCIO_MAILBOX_IMAP_STEPS_H
#define NUNCIO_MAILBOX_IMAP_STEPS_H
#include "mailbox/imap_parts.h"

/* imap_login.c: steps */
void imap_hear_greeting(struct imap *m, const struct imap_reply *reply);
void imap_say_capability(struct imap *m);
void imap_hear_capability(struct imap *m, const struct imap_reply *reply);
void imap_say_starttls(struct imap *m);
void imap_hear_starttls(struct imap *m, const struct imap_reply *reply);
void imap_say_secure(struct imap *m);
void imap_say_login(struct imap *m);
void imap_hear_login(struct imap *m, const struct imap_reply *reply);
void imap_hear_inside(struct imap *m, const struct imap_reply *reply);
void imap_take_caps(struct imap *m, const char *words);
void imap_login_free(struct imap_login *login); /* wipes; NULL is fine */

/* imap_folder.c: steps */
void imap_folder_begin(struct imap *m); /* logged in */
void imap_say_id(struct imap *m);
void imap_hear_id(struct imap *m, const struct imap_reply *reply);
void imap_say_enable(struct imap *m);
void imap_hear_enable(struct imap *m, const struct imap_reply *reply);
void imap_say_select(struct imap *m);
void imap_hear_select(struct imap *m, const struct imap_reply *reply);
void imap_folder_data(struct imap *m, const struct imap_reply *reply);
void imap_say_noop(struct imap *m);
void imap_hear_noop(struct imap *m, const struct imap_reply *reply);
void imap_say_pause(struct imap *m);
void imap_pause_late(struct imap *m);
void imap_pause_poke(struct imap *m);
void imap_say_idle(struct imap *m);
void imap_hear_idle_asked(struct imap *m, const struct imap_reply *reply);
void imap_idle_wait(struct imap *m);
void imap_hear_idle(struct imap *m, const struct imap_reply *reply);
void imap_idle_leave(struct imap *m);
void imap_rest(struct imap *m); /* there is nothing to say */
bool imap_idles(const struct imap *m);

/* imap_news.c: steps, and */
bool imap_news_begin(struct imap *m); /* steps to what new mail needs; false: nothing */
bool imap_news_newest(struct imap *m);
void imap_news_data(struct imap *m, const struct imap_reply *reply);
bool imap_news_hand(struct imap *m, struct imap_mail *ret); /* the next, the caller's */
void imap_news_ended(struct imap *m); /* the conversation, in the step it is in */
void imap_news_clear(struct imap_news *n);
void imap_say_highest(struct imap *m);
void imap_say_search(struct imap *m);
void imap_hear_search(struct imap *m, const struct imap_reply *reply);
void imap_say_dates(struct imap *m);
void imap_hear_dates(struct imap *m, const struct imap_reply *reply);
void imap_say_newest(struct imap *m);
void imap_hear_newest(struct imap *m, const struct imap_reply *reply);
void imap_say_fetch(struct imap *m);
void imap_hear_fetch(struct imap *m, const struct imap_reply *reply);
void imap_say_rest_of_mail(struct imap *m);

/* imap_deed.c: steps, and */
bool imap_deed_begin(struct imap *m); /* steps to what the next deed needs; false: none waits */
void imap_deed_data(struct imap *m, const struct imap_reply *reply);
void imap_say_find(struct imap *m);
void imap_hear_find(struct imap *m, const struct imap_reply *reply);
void imap_say_copy(struct imap *m);
void imap_hear_copy(struct imap *m, const struct imap_reply *reply);
void imap_say_move(struct imap *m);
void imap_say_mark(struct imap *m);
void imap_hear_mark(struct imap *m, const struct imap_reply *reply);
void imap_say_expunge(struct imap *m);
void imap_hear_deed(struct imap *m, const struct imap_reply *reply);
void imap_say_read(struct imap *m);
void imap_hear_read(struct imap *m, const struct imap_reply *reply);
#endif
