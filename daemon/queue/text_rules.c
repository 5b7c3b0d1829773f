/* queue/text_rules.c - decides when a day begins, and which ceilings a text has by which
 * transport. */
#include "queue/text_rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "queue/store_work.h"

#define TWILIO_CHARACTERS 1600

/* Local midnight before now, or so many days later. */
static int64_t midnight_ms(int64_t now_ms, int days)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm local;

	localtime_r(&now, &local);
	local.tm_hour = local.tm_min = local.tm_sec = 0;
	local.tm_mday += days;
	local.tm_isdst = -1;
	return (int64_t)mktime(&local) * 1000;
}

int64_t text_segment_cost(const struct transport_config *config)
{
	return config->twilio.price_micros;
}

void text_rules_of(const struct transport_config *config, int64_t now_ms, struct text_rules *ret)
{
	bool twilio = strcmp(config->type, "twilio") == 0;

	*ret = (struct text_rules){
		.throttle = config->throttle,
		.max_messages = config->daily.messages,
		.max_cost = config->daily.cost,
		.segment_cost = text_segment_cost(config),
		.urgent_passes = config->daily.urgent,
		.day_ms = midnight_ms(now_ms, 0),
		.tomorrow_ms = midnight_ms(now_ms, 1),
		.segments = twilio ? config->twilio.segments : 1,
		.characters = twilio ? TWILIO_CHARACTERS : 0,
		.pictures = twilio,
		.exact = twilio ? config->twilio.exact : config->carrier.exact,
	};
}

int64_t text_tomorrow_ms(int64_t now_ms)
{
	return midnight_ms(now_ms, 1);
}

unsigned text_rules_share(const struct transport_config *config, uint64_t messages, int64_t cost)
{
	const struct daily_config *daily = &config->daily;
	uint64_t of_messages = daily->messages ? messages * 100 / daily->messages : 0;
	uint64_t of_cost =
		daily->cost ? (uint64_t)(cost > 0 ? cost : 0) * 100 / (uint64_t)daily->cost : 0;
	uint64_t share = of_messages > of_cost ? of_messages : of_cost;

	return share < 1000 ? (unsigned)share : 1000;
}

void text_rules_say_cap(const struct transport_config *config, const struct text_use *use,
			char *out, size_t size)
{
	const struct daily_config *daily = &config->daily;
	char spent[32], most[32];

	if (daily->messages && use->messages >= daily->messages)
		snprintf(out, size, "%llu texts today, %u are allowed",
			 (unsigned long long)use->messages, daily->messages);
	else
		snprintf(out, size, "%s spent today, %s are allowed",
			 money_print(spent, sizeof(spent), use->cost),
			 money_print(most, sizeof(most), daily->cost));
	size_t len = strlen(out);

	snprintf(out + len, size - len, "; on at midnight, or nuncio resume %s%s", config->name,
		 daily->urgent ? "; urgent ones go" : "");
}
