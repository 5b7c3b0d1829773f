/* transport/carrier.h - text messages as mail to the gateways of telephone carriers, carried by
 * sessions of its own with another transport's SMTP server. What became of one nobody says. */
#ifndef NUNCIO_TRANSPORT_CARRIER_H
#define NUNCIO_TRANSPORT_CARRIER_H
struct transport_kind;

extern const struct transport_kind transport_carrier;
#endif
