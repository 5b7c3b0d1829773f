/* message/html_text.h - what an html mail says, as plain text: for those who read
 * no html. Pure. */
#ifndef NUNCIO_MESSAGE_HTML_TEXT_H
#define NUNCIO_MESSAGE_HTML_TEXT_H
#include <stddef.h>

/* Paragraphs, lists and tables as lines, quotations behind "> ", links numbered and listed at the end;
 * broken or cut html is read as far as it makes sense. UTF-8 with LF line ends;
 * owned by the caller. Never NULL. */
char *html_text(const char *html, size_t len, size_t *ret_len);
#endif
