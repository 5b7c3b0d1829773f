/* queue/text_rules.h - what a transport's settings mean for its texts, at a moment. Pure but
 * for the time zone. */
#ifndef NUNCIO_QUEUE_TEXT_RULES_H
#define NUNCIO_QUEUE_TEXT_RULES_H
#include <stddef.h>
#include <stdint.h>
struct text_rules;
struct text_use;
struct transport_config;

void text_rules_of(const struct transport_config *config, int64_t now_ms, struct text_rules *ret);
/* What a segment costs, about, in millionths; 0: nobody said. */
int64_t text_segment_cost(const struct transport_config *config);
/* "200 of 200 texts today; ...": for people. */
void text_rules_say_cap(const struct transport_config *config, const struct text_use *use,
			char *out, size_t size);
/* The share of the day's limits that is used, in per cent: of the fuller one. */
unsigned text_rules_share(const struct transport_config *config, uint64_t messages, int64_t cost);
int64_t text_tomorrow_ms(int64_t now_ms);
#endif
