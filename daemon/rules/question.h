/* rules/question.h - commands that wait for their confirmation: whose, for which code,
 * until when. What is known here is in the ledger too, as runs that were asked. */
#ifndef NUNCIO_RULES_QUESTION_H
#define NUNCIO_RULES_QUESTION_H
#include <stdbool.h>
#include <stdint.h>
struct engine;
struct run_row;
struct questions;

#define QUESTION_LIFE_MS (10 * 60 * 1000LL)
#define QUESTION_DIGEST_SIZE 65

/* How the mail that asks begins. What stands below it, in an answer, is that mail quoted, also
 * where no mark says so: the code in it is not given, it is shown. */
#define QUESTION_OPENING "A command came under your name:"

struct question {
	int64_t run;
	char *contact, *rule, *mailbox, *ref, *token, *digest; /* owned */
	int64_t expires_ms;                                    /* wall */
	bool taken; /* its answer is being dealt with: no second one */
	struct question *next;
};

struct questions *questions_new(struct engine *e);
void questions_stop(struct questions *q);
void questions_free(struct questions *q);
/* It is in the ledger, as RUN_ASKED. */
void questions_add(struct questions *q, const struct run_row *row);
bool questions_open(const struct questions *q, const char *contact); /* any at all? */
/* The one this code answers, received when it came; NULL: none. */
struct question *questions_find(struct questions *q, const char *contact, const char *code,
				int64_t received_ms);
struct question *questions_by_run(struct questions *q, int64_t run); /* NULL: none */
void questions_close(struct questions *q, int64_t run);              /* it was answered */
void question_digest(const char *token, const char *code, char ret[QUESTION_DIGEST_SIZE]);
#endif
