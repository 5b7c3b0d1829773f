/* transport/smtp.h - mail by SMTP: keeps sessions (smtp_session.h), as many as
 * there is work for and the configuration allows. */
#ifndef NUNCIO_TRANSPORT_SMTP_H
#define NUNCIO_TRANSPORT_SMTP_H
#include "transport/transport.h"

extern const struct transport_kind transport_smtp;
#endif
