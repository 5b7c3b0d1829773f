/* mailbox/imap_scan.h - what a whole response says. For mailbox/imap_wire.c. */
#ifndef NUNCIO_MAILBOX_IMAP_SCAN_H
#define NUNCIO_MAILBOX_IMAP_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct failure;
struct imap_parser;
struct imap_reply;

/* text is p's, NUL-ended, and changed: ret points into it. */
int imap_scan(struct imap_parser *p, char *text, size_t len, struct imap_reply *ret,
	      struct failure *f);
/* Digits alone, up to most. */
bool imap_number(const char *digits, size_t len, uint32_t most, uint32_t *ret);
#endif
