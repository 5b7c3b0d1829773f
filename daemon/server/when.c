/* server/when.c - decides which moment a text means. Grammar (RFC 3339 5.6):
 *
 *   date-time = YYYY-MM-DD ( "T" / "t" / " " ) hh:mm:ss [ "." 1*DIGIT ] offset
 *   offset    = "Z" / "z" / ( "+" / "-" ) hh:mm
 */
#include "server/when.h"

#include <stdbool.h>
#include <string.h>

#include "duration.h"
#include "failure.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)
#define FAR_MS (3653 * DAY_MS)

static bool take_digits(const char **at, unsigned n, int *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*ret = *ret * 10 + (**at - '0');
	}
	return true;
}

static bool take_one_of(const char **at, const char *set)
{
	if (!**at || !strchr(set, **at))
		return false;
	(*at)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01, of the proleptic Gregorian calendar; years begin in
 * March, so that the leap day is their last. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static bool take_date(const char **at, int64_t *ret_ms)
{
	int year, month, day;

	if (!take_digits(at, 4, &year) || !take_one_of(at, "-") || !take_digits(at, 2, &month) ||
	    !take_one_of(at, "-") || !take_digits(at, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	*ret_ms = days_since_1970(year, month, day) * DAY_MS;
	return true;
}

static bool take_time(const char **at, int64_t *ret_ms)
{
	int hour, minute, second, scale = 100;

	if (!take_digits(at, 2, &hour) || !take_one_of(at, ":") || !take_digits(at, 2, &minute) ||
	    !take_one_of(at, ":") || !take_digits(at, 2, &second))
		return false;
	/* 60 is a leap second */
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*ret_ms = ((hour * 60 + minute) * 60 + second) * 1000LL;
	if (!take_one_of(at, "."))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
		*ret_ms += (**at - '0') * scale;
	return true;
}

static bool take_offset(const char **at, int64_t *ret_ms)
{
	int sign = **at == '-' ? -1 : 1, hour, minute;

	*ret_ms = 0;
	if (take_one_of(at, "Zz"))
		return true;
	if (!take_one_of(at, "+-") || !take_digits(at, 2, &hour) || !take_one_of(at, ":") ||
	    !take_digits(at, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ret_ms = sign * (hour * 60 + minute) * 60000LL;
	return true;
}

static bool take_moment(const char *at, int64_t *ret_ms)
{
	int64_t date, time, offset;

	if (!take_date(&at, &date) || !take_one_of(&at, "Tt ") || !take_time(&at, &time) ||
	    !take_offset(&at, &offset) || *at)
		return false;
	*ret_ms = date + time - offset;
	return true;
}

int when_parse(const char *text, int64_t now_ms, int64_t *ret_ms, struct failure *f)
{
	int64_t moment_ms;

	if (!take_moment(text, &moment_ms)) {
		if (duration_parse(text, &moment_ms, NULL) < 0)
			return failure_set(f, FAILURE_REFUSED,
					   "a moment like \"2026-12-24T18:00:00Z\" or a duration "
					   "from now like \"2h\" is wanted.");
		moment_ms = moment_ms > FAR_MS ? INT64_MAX : now_ms + moment_ms;
	}
	if (moment_ms > now_ms + FAR_MS)
		return failure_set(f, FAILURE_REFUSED, "this is more than ten years away.");
	*ret_ms = moment_ms;
	return 0;
}
