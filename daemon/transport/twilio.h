/* transport/twilio.h - text messages by Twilio's Messages resource: created once, never
 * twice by our doing; then their fate is asked for (twilio_ask.h). */
#ifndef NUNCIO_TRANSPORT_TWILIO_H
#define NUNCIO_TRANSPORT_TWILIO_H
struct transport_kind;

extern const struct transport_kind transport_twilio;
#endif
