/* server/usage.c - counts in slots of a minute, the sixty last of each user. When there
 * are too many users, the one who was quiet longest is forgotten. */
#include "server/usage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define SLOTS 60
#define SLOT_MS (60 * 1000)
#define USERS_MAX 1024

struct slot {
	uint64_t messages, bytes;
};
struct user {
	uid_t uid;
	int64_t last; /* number of the newest slot */
	struct allowance allowance;
	struct slot slots[SLOTS];
};
struct usage {
	struct user *users; /* owned, of nusers */
	size_t nusers;
};

struct usage *usage_new(void)
{
	return xcalloc(1, sizeof(struct usage));
}

void usage_free(struct usage *u)
{
	if (!u)
		return;
	free(u->users);
	free(u);
}

/* Moments before the machine started have numbers, too. */
static int64_t slot_number(int64_t at_ms)
{
	return (at_ms + 2LL * SLOTS * SLOT_MS) / SLOT_MS;
}

static struct user *find(const struct usage *u, uid_t uid)
{
	for (size_t i = 0; i < u->nusers; i++)
		if (u->users[i].uid == uid)
			return &u->users[i];
	return NULL;
}

static struct user *quietest(struct usage *u)
{
	struct user *user = &u->users[0];

	for (size_t i = 1; i < u->nusers; i++)
		if (u->users[i].last < user->last)
			user = &u->users[i];
	return user;
}

static struct user *find_or_add(struct usage *u, uid_t uid, int64_t now)
{
	struct user *user = find(u, uid);

	if (user)
		return user;
	if (u->nusers < USERS_MAX) {
		u->users = xrealloc(u->users, (u->nusers + 1) * sizeof(*u->users));
		user = &u->users[u->nusers++];
	} else {
		user = quietest(u);
	}
	memset(user, 0, sizeof(*user));
	user->uid = uid;
	user->last = now;
	return user;
}

/* Slots that were not used meanwhile are empty. */
static void advance(struct user *user, int64_t now)
{
	if (now - user->last >= SLOTS) {
		memset(user->slots, 0, sizeof(user->slots));
		user->last = now;
	}
	while (user->last < now)
		user->slots[++user->last % SLOTS] = (struct slot){0};
}

/* NULL: it is no longer, or not yet, counted. */
static struct slot *slot_at(struct user *user, int64_t at_ms, int64_t now_ms)
{
	int64_t number = slot_number(at_ms), now = slot_number(now_ms);

	advance(user, now);
	if (number > user->last || number <= user->last - SLOTS)
		return NULL;
	return &user->slots[number % SLOTS];
}

static struct usage_sum sum_of(const struct user *user, int64_t now_ms)
{
	struct usage_sum sum = {.uid = user->uid, .allowance = user->allowance};
	int64_t first = slot_number(now_ms) - SLOTS + 1;

	for (int64_t n = first; n <= user->last; n++)
		if (n > user->last - SLOTS) {
			sum.messages += user->slots[n % SLOTS].messages;
			sum.bytes += user->slots[n % SLOTS].bytes;
		}
	return sum;
}

struct usage_sum usage_of(const struct usage *u, uid_t uid, int64_t now_ms)
{
	const struct user *user = find(u, uid);

	return user ? sum_of(user, now_ms) : (struct usage_sum){.uid = uid};
}

void usage_each(const struct usage *u, int64_t now_ms,
		void (*each)(void *ctx, const struct usage_sum *sum), void *ctx)
{
	for (size_t i = 0; i < u->nusers; i++) {
		struct usage_sum sum = sum_of(&u->users[i], now_ms);

		if (sum.messages)
			each(ctx, &sum);
	}
}

/* How long until enough of the oldest slots are past. */
static int64_t wait_ms(const struct user *user, struct usage_sum sum, bool by_bytes, uint64_t most,
		       int64_t now_ms)
{
	for (int64_t n = user->last - SLOTS + 1; n <= user->last; n++) {
		const struct slot *slot = &user->slots[n % SLOTS];

		sum.messages -= slot->messages;
		sum.bytes -= slot->bytes;
		if ((by_bytes ? sum.bytes : sum.messages) <= most)
			return (n + SLOTS - 2LL * SLOTS) * SLOT_MS - now_ms;
	}
	return -1;
}

static int excess(const struct user *user, const struct usage_sum *sum, bool by_bytes,
		  uint64_t limit, uint64_t wanted, int64_t now_ms, struct usage_excess *ret)
{
	*ret = (struct usage_excess){.field = by_bytes ? "bytes" : "messages", .limit = limit};
	ret->wait_ms = wanted > limit ? -1 : wait_ms(user, *sum, by_bytes, limit - wanted, now_ms);
	return -1;
}

int usage_take(struct usage *u, uid_t uid, uint64_t bytes, const struct allowance *allowance,
	       int64_t now_ms, struct usage_excess *ret)
{
	struct user *user = find_or_add(u, uid, slot_number(now_ms));
	struct slot *slot = slot_at(user, now_ms, now_ms);
	struct usage_sum sum = sum_of(user, now_ms);

	user->allowance = *allowance;
	if (allowance->messages && sum.messages + 1 > allowance->messages)
		return excess(user, &sum, false, allowance->messages, 1, now_ms, ret);
	if (allowance->bytes && sum.bytes + bytes > allowance->bytes)
		return excess(user, &sum, true, allowance->bytes, bytes, now_ms, ret);
	slot->messages++;
	slot->bytes += bytes;
	return 0;
}

void usage_give_back(struct usage *u, uid_t uid, uint64_t bytes, int64_t taken_ms, int64_t now_ms)
{
	struct user *user = find(u, uid);
	struct slot *slot = user ? slot_at(user, taken_ms, now_ms) : NULL;

	if (!slot || !slot->messages)
		return;
	slot->messages--;
	slot->bytes -= bytes < slot->bytes ? bytes : slot->bytes;
}

void usage_note(struct usage *u, uid_t uid, uint64_t bytes, int64_t taken_ms, int64_t now_ms)
{
	struct user *user = find_or_add(u, uid, slot_number(now_ms));
	struct slot *slot = slot_at(user, taken_ms, now_ms);

	if (!slot)
		return;
	slot->messages++;
	slot->bytes += bytes;
}
