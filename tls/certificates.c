/*
 * Describes certificates in one line each; see certificates.h.
 */
#include "tls/certificates.h"

#define DAY_S 86400

/*
 * Characters of names and of the issuer that are shown; further names are
 * counted.
 */
#define NAMES_LEN 512
#define ISSUER_LEN 128

static void add_padded(struct text *t, uint64_t value)
{
	if (value < 10)
		text_add_char(t, '0');
	text_add_u64(t, value);
}

/*
 * "2027-01-05", of a time in 0..TLS_TIME_MAX.  Years are counted from March
 * here, so that a leap day is the last of its year; 400 of them have 146097
 * days.
 */
static void add_date(struct text *t, int64_t time)
{
	/* Since 0000-03-01. */
	const uint64_t days = (uint64_t)time / DAY_S + 719468;
	const uint64_t era = days / 146097;
	const uint64_t day_of_era = days % 146097;
	const uint64_t year_of_era = (day_of_era - day_of_era / 1460 +
	    day_of_era / 36524 - day_of_era / 146096) / 365;
	const uint64_t day = day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const uint64_t month = (5 * day + 2) / 153;      /* 0 is March */
	const uint64_t year = era * 400 + year_of_era + (month >= 10);

	text_add_u64(t, year);
	text_add_char(t, '-');
	add_padded(t, month < 10 ? month + 3 : month - 9);
	text_add_char(t, '-');
	add_padded(t, day - (153 * month + 2) / 5 + 1);
}

static void add_days(struct text *t, int64_t seconds)
{
	const uint64_t days = (uint64_t)seconds / DAY_S;

	if (days == 0) {
		text_add(t, "less than a day");
		return;
	}
	text_add_u64(t, days);
	text_add(t, days == 1 ? " day" : " days");
}

static void add_names(struct text *t, const struct tls_chain *chain)
{
	const size_t start = t->len;
	const char *name = chain->names_len > 0 ? chain->names : NULL;
	size_t hidden = 0;

	if (name == NULL)
		text_add(t, "no DNS name");
	for (; name != NULL;
	    name = tls_next_name(chain->names, chain->names_len, name)) {
		if (hidden > 0 ||
		    t->len - start + __builtin_strlen(name) + 2 > NAMES_LEN) {
			hidden++;
			continue;
		}
		if (t->len > start)
			text_add(t, ", ");
		text_add(t, name);
	}
	if (hidden > 0) {
		text_add(t, " and ");
		text_add_u64(t, hidden);
		text_add(t, " more");
	}
}

static void add_issuer(struct text *t, const struct tls_chain *chain,
    bool is_development)
{
	if (is_development) {
		text_add(t, "self-signed, for development only");
	} else if (chain->self_signed) {
		text_add(t, "self-signed");
	} else {
		for (size_t i = 0; i < chain->issuer_len && i < ISSUER_LEN; i++)
			text_add_char(t, chain->issuer[i]);
	}
}

static void add_key(struct text *t, const struct tls_chain *chain)
{
	if (chain->kind == BUNDLE_KEY_RSA)
		text_add(t, "RSA ");
	else
		text_add(t, "ECDSA P-");
	text_add_u64(t, chain->key_bits);
}

static void add_validity(struct text *t, const struct tls_chain *chain,
    int64_t now)
{
	if (now == 0) {
		text_add(t, "valid from ");
		add_date(t, chain->not_before);
		text_add(t, " to ");
		add_date(t, chain->not_after);
		text_add(t, ", and this machine does not know the date");
	} else if (now < chain->not_before) {
		text_add(t, "not valid before ");
		add_date(t, chain->not_before);
	} else if (now > chain->not_after) {
		text_add(t, "expired ");
		add_days(t, now - chain->not_after);
		text_add(t, " ago");
	} else {
		add_days(t, chain->not_after - now);
		text_add(t, " left");
	}
}

void certificate_describe(const struct tls_chain *chain, size_t index,
    bool is_development, int64_t now, struct text *out)
{
	if (certificate_is_worrying(chain, now))
		text_add(out, "warning: ");
	text_add(out, "certificate ");
	text_add_u64(out, index);
	text_add(out, ": ");
	add_names(out, chain);
	text_add(out, "; ");
	add_issuer(out, chain, is_development);
	text_add(out, "; ");
	add_key(out, chain);
	text_add(out, "; ");
	add_validity(out, chain, now);
	text_add(out, "\n");
}

_Static_assert(NAMES_LEN + ISSUER_LEN + 256 <= CERTIFICATE_LINE_CAP,
    "a line always reaches its end");

bool certificate_is_worrying(const struct tls_chain *chain, int64_t now)
{
	return now != 0 && (now < chain->not_before ||
	    chain->not_after - now < (int64_t)LIMIT_CERT_DAYS * DAY_S);
}
