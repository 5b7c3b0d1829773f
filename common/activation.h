/* common/activation.h - sockets that the service manager made and passed on
 * (sd_listen_fds(3), by hand). */
#ifndef NUNCIO_COMMON_ACTIVATION_H
#define NUNCIO_COMMON_ACTIVATION_H

/* The passed descriptor of that name (FileDescriptorName=), or the only one there is;
 * -1: none was passed to this process. The caller's from now on, closed on exec; to
 * ask a second time finds nothing. */
int activation_take(const char *name);
#endif
