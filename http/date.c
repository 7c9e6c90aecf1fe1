/*
 * Reading and writing dates: http/date.h.
 *
 * Days are counted with the Gregorian calendar's 400-year cycle, in years that start
 * in March: so the leap day is the last of its year and needs no case of its own.
 */
#include "http/date.h"

#include "http/cursor.h"

#define DAY_S 86400
#define CYCLE_DAYS 146097   /* days of 400 years */
#define EPOCH_DAYS 719468   /* days from 0000-03-01 to 1970-01-01 */

struct date {
	int64_t year;
	uint32_t month;         /* 0..11, January is 0 */
	uint32_t day;           /* 1..31 */
	uint32_t hour, minute, second;
	uint32_t weekday;       /* 0..6, Sunday is 0; not used when reading */
};

static const char month_names[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* The first three letters are the short name. */
static const char day_names[7][10] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday",
};

/* ---- Time to date and back ------------------------------------------------- */

static struct date date_of(int64_t time)
{
	time = time < 0 ? 0 : time > HTTP_TIME_MAX ? HTTP_TIME_MAX : time;

	const uint32_t seconds = (uint32_t)(time % DAY_S);
	const uint32_t days = (uint32_t)(time / DAY_S);
	const uint32_t shifted = days + EPOCH_DAYS;
	const uint32_t cycle = shifted / CYCLE_DAYS;
	const uint32_t in_cycle = shifted % CYCLE_DAYS;
	/* Take out the leap days: every 4 years, not every 100, every 400. */
	const uint32_t year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 -
	    in_cycle / 146096) / 365;
	const uint32_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
	/* 153 days in each five months from March on. */
	const uint32_t march = (5 * in_year + 2) / 153;
	const uint32_t month = march < 10 ? march + 2 : march - 10;

	return (struct date){
		.year = (int64_t)cycle * 400 + year + (month < 2),
		.month = month,
		.day = in_year - (153 * march + 2) / 5 + 1,
		.hour = seconds / 3600,
		.minute = seconds / 60 % 60,
		.second = seconds % 60,
		.weekday = (days + 4) % 7,  /* 1970-01-01 was a Thursday */
	};
}

/* d->year is 0..9999; year 0 exists here, as in ISO 8601. */
static int64_t time_of(const struct date *d)
{
	const bool before_march = d->month < 2;
	/* One cycle more, so that nothing is negative in between. */
	const int64_t year = d->year + 400 - before_march;
	const int64_t in_cycle = year % 400;
	const int64_t march = before_march ? d->month + 10 : d->month - 2;
	const int64_t in_year = (153 * march + 2) / 5 + d->day - 1;
	const int64_t days = (year / 400 - 1) * CYCLE_DAYS + in_cycle * 365 +
	    in_cycle / 4 - in_cycle / 100 + in_year - EPOCH_DAYS;

	return days * DAY_S + d->hour * 3600 + d->minute * 60 + d->second;
}

static bool is_possible(const struct date *d)
{
	static const uint8_t month_days[12] = {
		31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};
	const bool leap = d->year % 4 == 0 &&
	    (d->year % 100 != 0 || d->year % 400 == 0);

	if (d->day < 1 || d->day > month_days[d->month])
		return false;
	if (d->month == 1 && d->day == 29 && !leap)
		return false;
	return d->hour <= 23 && d->minute <= 59 && d->second <= 60;
}

/* ---- Writing ---------------------------------------------------------------- */

static uint8_t *put_text(uint8_t *at, const char *text, size_t len)
{
	__builtin_memcpy(at, text, len);
	return at + len;
}

static uint8_t *put_two(uint8_t *at, uint32_t value)
{
	*at++ = (uint8_t)('0' + value / 10);
	*at++ = (uint8_t)('0' + value % 10);
	return at;
}

static uint8_t *put_year(uint8_t *at, int64_t year)
{
	at = put_two(at, (uint32_t)(year / 100));
	return put_two(at, (uint32_t)(year % 100));
}

static uint8_t *put_time(uint8_t *at, const struct date *d)
{
	at = put_two(at, d->hour);
	*at++ = ':';
	at = put_two(at, d->minute);
	*at++ = ':';
	return put_two(at, d->second);
}

void http_format_date(int64_t time, uint8_t *out)
{
	const struct date d = date_of(time);

	out = put_text(out, day_names[d.weekday], 3);
	out = put_text(out, ", ", 2);
	out = put_two(out, d.day);
	*out++ = ' ';
	out = put_text(out, month_names[d.month], 3);
	*out++ = ' ';
	out = put_year(out, d.year);
	*out++ = ' ';
	out = put_time(out, &d);
	put_text(out, " GMT", 4);
}

void http_format_log_date(int64_t time, uint8_t *out)
{
	const struct date d = date_of(time);

	out = put_two(out, d.day);
	*out++ = '/';
	out = put_text(out, month_names[d.month], 3);
	*out++ = '/';
	out = put_year(out, d.year);
	*out++ = ':';
	out = put_time(out, &d);
	put_text(out, " +0000", 6);
}

void http_format_timestamp(uint64_t time_ms, uint8_t *out)
{
	const struct date d = date_of((int64_t)(time_ms / 1000));
	const uint32_t ms = (uint32_t)(time_ms % 1000);

	out = put_year(out, d.year);
	*out++ = '-';
	out = put_two(out, d.month + 1);
	*out++ = '-';
	out = put_two(out, d.day);
	*out++ = 'T';
	out = put_time(out, &d);
	*out++ = '.';
	*out++ = (uint8_t)('0' + ms / 100);
	out = put_two(out, ms % 100);
	*out = 'Z';
}

/* ---- Reading ---------------------------------------------------------------- */

static bool take_number(struct rd *r, uint32_t digits, uint32_t *out)
{
	uint8_t c;

	*out = 0;
	for (; digits > 0; digits--) {
		if (!rd_take_class(r, HTTP_DIGIT, &c))
			return false;
		*out = *out * 10 + (c - '0');
	}
	return true;
}

static bool take_year(struct rd *r, struct date *d)
{
	uint32_t year;

	if (!take_number(r, 4, &year))
		return false;
	d->year = year;
	return true;
}

static bool take_month(struct rd *r, struct date *d)
{
	for (d->month = 0; d->month < 12; d->month++) {
		if (rd_take_text(r, (struct http_text){
		    (const uint8_t *)month_names[d->month], 3 }))
			return true;
	}
	return false;
}

/* Names are case-sensitive: RFC 9110, section 5.6.7. */
static bool take_day_name(struct rd *r, bool whole)
{
	for (size_t i = 0; i < ARRAY_LEN(day_names); i++) {
		const size_t len =
		    whole ? __builtin_strlen(day_names[i]) : 3;

		if (rd_take_text(r, (struct http_text){
		    (const uint8_t *)day_names[i], len }))
			return true;
	}
	return false;
}

static bool take_time(struct rd *r, struct date *d)
{
	return take_number(r, 2, &d->hour) && rd_take(r, ':') &&
	    take_number(r, 2, &d->minute) && rd_take(r, ':') &&
	    take_number(r, 2, &d->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool take_imf(struct rd r, struct date *d)
{
	return take_day_name(&r, false) &&
	    rd_take_text(&r, HTTP_TEXT(", ")) &&
	    take_number(&r, 2, &d->day) && rd_take(&r, ' ') &&
	    take_month(&r, d) && rd_take(&r, ' ') &&
	    take_year(&r, d) && rd_take(&r, ' ') && take_time(&r, d) &&
	    rd_take_text(&r, HTTP_TEXT(" GMT")) && rd_at_end(&r);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT"; leaves a year of 0..99 */
static bool take_rfc850(struct rd r, struct date *d)
{
	uint32_t year;

	if (!take_day_name(&r, true) ||
	    !rd_take_text(&r, HTTP_TEXT(", ")) ||
	    !take_number(&r, 2, &d->day) || !rd_take(&r, '-') ||
	    !take_month(&r, d) || !rd_take(&r, '-') ||
	    !take_number(&r, 2, &year) || !rd_take(&r, ' ') ||
	    !take_time(&r, d) ||
	    !rd_take_text(&r, HTTP_TEXT(" GMT")) || !rd_at_end(&r))
		return false;
	d->year = year;
	return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool take_asctime(struct rd r, struct date *d)
{
	if (!take_day_name(&r, false) || !rd_take(&r, ' ') ||
	    !take_month(&r, d) || !rd_take(&r, ' '))
		return false;
	if (!take_number(&r, rd_take(&r, ' ') ? 1 : 2, &d->day))
		return false;
	return rd_take(&r, ' ') && take_time(&r, d) && rd_take(&r, ' ') &&
	    take_year(&r, d) && rd_at_end(&r);
}

/* The century that puts d at most 50 years after now. */
static void choose_century(struct date *d, int64_t now)
{
	const struct date today = date_of(now);
	struct date limit = today;

	limit.year += 50;
	d->year += today.year / 100 * 100 + 100;
	while (time_of(d) > time_of(&limit))
		d->year -= 100;
}

bool http_parse_date(struct http_text text, int64_t now, int64_t *out)
{
	const struct rd r = rd_text(text);
	struct date d = { 0 };

	/* What is sent first; each says no within a few bytes. */
	if (!take_imf(r, &d)) {
		if (take_rfc850(r, &d))
			choose_century(&d, now);
		else if (!take_asctime(r, &d))
			return false;
	}
	if (!is_possible(&d))
		return false;
	*out = time_of(&d);
	return true;
}
