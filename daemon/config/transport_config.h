/* config/transport_config.h - what a row of `transports` says; part of config.h. */
#ifndef NUNCIO_CONFIG_TRANSPORT_CONFIG_H
#define NUNCIO_CONFIG_TRANSPORT_CONFIG_H
#include <stdbool.h>
#include <stdint.h>
#include "config/secret_ref.h"
#include "duration.h"
#include "throttle.h"
struct config;

enum tls_mode { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE };

struct smtp_config {
	char *host; /* name or address literal without brackets */
	uint16_t port;
	enum tls_mode tls;
	char *user;                 /* NULL: no AUTH */
	struct secret_ref password; /* for PLAIN, LOGIN, SCRAM-SHA-256 */
	struct secret_ref token;    /* for XOAUTH2, OAUTHBEARER */
	char **auth;                /* mechanisms allowed, in order; NULL-ended; NULL: our order */
	char *ca_file;              /* NULL: the system's */
	char *pin;   /* NULL, or 64 hex digits: SHA-256 of the SubjectPublicKeyInfo */
	char *hello; /* name in EHLO; NULL: the machine's */
	char *hint;  /* NULL, or what the provider's preset says about passwords */
	int64_t connect_timeout_ms, answer_timeout_ms, idle_ms;
	/* answer_timeout_ms 0: RFC 5321's per command, else the ceiling of each of them */
	unsigned mails_per_session, recipients_per_mail;
};

struct maildir_config {
	char *path;
};

/* For tests and for trying things out: delivers nowhere, answers from a file. */
struct fake_config {
	char *answers; /* file; each line "PATTERN CODE TEXT"; NULL: all is accepted */
	char *log;     /* file; a JSON line for each recipient's transaction */
};

/* _MAIL: cut, and the whole goes by mail, too, where its reader has an address. */
enum too_long { TOO_LONG_REFUSE, TOO_LONG_CUT, TOO_LONG_MAIL };
enum on_uncertain { UNCERTAIN_RESEND, UNCERTAIN_HOLD };

struct twilio_config {
	char *account_sid;            /* "AC..." */
	struct secret_ref auth_token; /* this, or the next two */
	char *api_key;                /* "SK..." or NULL */
	struct secret_ref api_secret;
	char *from;            /* E.164, or NULL: service */
	char *service;         /* "MG...", or NULL: from */
	char *api;             /* base URL, without a slash at its end */
	char *status_callback; /* URL, or NULL */
	char *ca_file;         /* NULL: the system's */
	bool exact;            /* characters as they are: no look-alikes */
	unsigned segments;     /* most of one text */
	enum too_long too_long;
	bool smart_encoded; /* Twilio maps look-alikes, too */
	char *risk_check;   /* "enable" "disable", or NULL: as the account has it */
	enum on_uncertain on_uncertain;
	char *price;          /* "0.0079 USD", of a segment; NULL: not said */
	int64_t price_micros; /* the same in millionths; 0: not said */
	int64_t timeout_ms;   /* of a request */
	bool inbound;         /* texts are taken in; the next are of these */
	char **numbers;       /* E.164, NULL-ended: whose; from, unless others were named */
	int64_t poll_ms;
	uint64_t max_media_bytes; /* of what comes with one text */
};

/* Texts as mail to a carrier's gateway. */
struct carrier_config {
	char *via;     /* name of the transport that carries the mail */
	char *carrier; /* of numbers that are no contact's; NULL: none */
	bool exact;    /* as twilio's */
	bool mms;      /* long texts and attachments go to the gateway for these */
	enum too_long too_long;
	uint64_t max_attached;             /* bytes of attachments */
	const struct transport_config *by; /* of config: via's */
	const struct config *config;       /* the one this is part of */
};

/* Ceilings of a day, local time. */
struct daily_config {
	unsigned messages; /* 0: none */
	int64_t cost;      /* millionths of the account's money; 0: none */
	unsigned warn;     /* per cent: at this share the operator is told */
	bool urgent;       /* urgent texts go out all the same */
};

struct transport_config {
	char *name;    /* [A-Za-z0-9_-]{1,32} */
	char *type;    /* "smtp" "maildir" "twilio" "carrier" "fake": a kind of that name */
	unsigned line; /* where it stands, for messages */
	unsigned concurrency;
	struct rate rate;
	struct throttle throttle; /* of texts to one number */
	struct daily_config daily;
	int64_t expires_ms, retry_first_ms, retry_max_ms;
	int64_t max_down_ms; /* then the operator is told; 0: never */
	char **failover;     /* names, in order, NULL-ended; NULL: none */
	char *fingerprint;   /* equal text: nothing was changed by a reload */
	struct smtp_config smtp;
	struct maildir_config maildir;
	struct fake_config fake;
	struct twilio_config twilio;
	struct carrier_config carrier;
};
#endif
