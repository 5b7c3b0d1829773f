/* tests/talk/recorder.h - the other end of a talk: a line whose words and lines
 * are written down as "CONNECTED|220 hello|CLOSED|". LINE_DRAINED and
 * LINE_READABLE themselves are not; the lines that became readable are. */
#ifndef NUNCIO_TESTS_RECORDER_H
#define NUNCIO_TESTS_RECORDER_H
#include <stdbool.h>
#include "buf.h"
#include "failure.h"
#include "net/line.h"
#include "net/tls.h"

struct recorder {
	struct loop *loop;         /* owned */
	struct resolver *resolver; /* owned */
	struct tls *tls;           /* owned, or NULL */
	struct line *line;         /* owned, or NULL */
	struct line_options options;
	struct buf story;
	struct failure why;       /* once it FAILED */
	bool leaves_unread;       /* takes nothing by itself */
	unsigned drained;         /* how often LINE_DRAINED was said */
	unsigned free_at;         /* 1 << enum line_word: frees the line when this is said */
	const char *secure_after; /* a line; then line_secure() */
	const char *awaited;      /* in the story */
	bool heard;               /* it is there */
};

/* options: localhost, 10 s, 64 KiB; ca_file may be NULL: no TLS. */
void recorder_init(struct recorder *r, const char *ca_file, const char *pin);
void recorder_clear(struct recorder *r);
void recorder_dial(struct recorder *r, uint16_t port);
void recorder_over(struct recorder *r, int fd);
void recorder_take(struct recorder *r); /* all whole lines there are */
void recorder_until(struct recorder *r, const char *awaited);
void recorder_forget(struct recorder *r); /* frees the line, empties the story */
const char *recorder_story(const struct recorder *r);
#endif
