/* client/send.h - nuncio send, for a command that sends in another manner. */
#ifndef NUNCIO_CLIENT_SEND_H
#define NUNCIO_CLIENT_SEND_H
struct context;

/* As send_run(), but the text is given, whatever it says, and no operand. NULL: it is not. */
int send_text(struct context *context, int argc, char **argv, const char *text);
#endif
