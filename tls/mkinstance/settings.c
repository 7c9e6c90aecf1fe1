/* Contract: settings.h. */
#include "tls/mkinstance/settings.h"

#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "net/range.h"
#include "net/settings.h"
#include "tls/mkinstance/report.h"

#define BLANKS " \t\r\n"
#define HSTS_YEAR_S 31536000ul
#define HSTS_MAX_S 999999999ul
#define THUMBPRINT_LEN 43    /* SHA-256 in base64url: RFC 8555, section 8.1 */

/* A number of at most 10 digits; returns what follows it, or NULL. */
static const char *skip_number(const char *at, unsigned long min,
    unsigned long max, unsigned long *out)
{
	const size_t digits = strspn(at, "0123456789");

	if (digits == 0 || digits > 10)
		return NULL;
	*out = strtoul(at, NULL, 10);
	return *out >= min && *out <= max ? at + digits : NULL;
}

static bool is_one_of(const char *value, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(value, *known) == 0)
			return true;
	return false;
}

static bool check_on_off(const char *value)
{
	return is_one_of(value, (const char *const[]){ "on", "off", NULL });
}

static bool check_on_crash(const char *value)
{
	return is_one_of(value,
	    (const char *const[]){ "restart", "reboot", "poweroff", NULL });
}

static bool check_sni(const char *value)
{
	return is_one_of(value, (const char *const[]){ "default", "refuse", NULL });
}

static bool check_stats(const char *value)
{
	unsigned long seconds;
	const char *end = skip_number(value, 1, 86400, &seconds);

	return end != NULL && *end == '\0';
}

static bool check_redirect(const char *value)
{
	unsigned long port;
	const char *end;

	if (is_one_of(value, (const char *const[]){ "off", "https", NULL }))
		return true;
	if (strncmp(value, "https:", 6) != 0)
		return false;
	end = skip_number(value + 6, 1, 65535, &port);
	return end != NULL && *end == '\0';
}

/* RFC 6797, section 6.1; "preload" is what hstspreload.org asks for. */
static bool check_hsts(const char *value)
{
	static const char with_subdomains[] = ",includeSubDomains";
	static const char with_preload[] = ",preload";
	bool subdomains = false, preload = false;
	unsigned long seconds;
	const char *end;

	if (strcmp(value, "off") == 0)
		return true;
	end = skip_number(value, 0, HSTS_MAX_S, &seconds);
	if (end == NULL)
		return false;
	if (strncmp(end, with_subdomains, sizeof with_subdomains - 1) == 0) {
		subdomains = true;
		end += sizeof with_subdomains - 1;
	}
	if (strncmp(end, with_preload, sizeof with_preload - 1) == 0) {
		preload = true;
		end += sizeof with_preload - 1;
	}
	if (*end == '\0' && preload && !(subdomains && seconds >= HSTS_YEAR_S))
		report_warning("hsts", "browsers' preload lists want at least "
		    "31536000,includeSubDomains,preload");
	return *end == '\0';
}

#define LETTERS_AND_DIGITS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool check_thumbprint(const char *value)
{
	return strlen(value) == THUMBPRINT_LEN &&
	    strspn(value, LETTERS_AND_DIGITS "-_") == THUMBPRINT_LEN;
}

/* The path of a page about the server; returns what follows it, or NULL. */
static const char *skip_path(const char *at)
{
	const size_t len = strspn(at, LETTERS_AND_DIGITS "-._~/");

	return len >= 2 && len <= LIMIT_OPS_PATH_LEN && at[0] == '/' &&
	    at[len - 1] != '/' ? at + len : NULL;
}

static bool check_proxy(const char *value)
{
	struct net_ranges ranges;

	return strcmp(value, "off") == 0 ||
	    net_read_ranges(value, strlen(value), &ranges);
}

static bool check_status(const char *value)
{
	const char *end = skip_path(value);

	return strcmp(value, "off") == 0 ||
	    (end != NULL && *end == ',' && strcmp(end + 1, "off") != 0 &&
	    check_proxy(end + 1));
}

static bool check_healthz(const char *value)
{
	const char *end = skip_path(value);

	return check_on_off(value) || (end != NULL && *end == '\0');
}

static bool check_syslog(const char *value)
{
	struct net_peer peer;

	return strcmp(value, "off") == 0 ||
	    net_read_endpoint(value, strlen(value), 514, &peer);
}

/* Every word, and how its value is written; NULL: net/settings.h reads it. */
static const struct word {
	const char *name;
	bool (*check)(const char *value);
	const char *syntax;
	bool needs_certificate;
} words_known[] = {
	{ "ip", NULL, NULL, false },
	{ "ip6", NULL, NULL, false },
	{ "log", check_on_off, "on or off", false },
	{ "stats", check_stats, "1 to 86400 (seconds)", false },
	{ "on-crash", check_on_crash, "restart, reboot or poweroff", false },
	{ "redirect", check_redirect, "off, https or https:PORT", true },
	{ "hsts", check_hsts, "off or SECONDS[,includeSubDomains][,preload]", true },
	{ "sni", check_sni, "default or refuse", true },
	{ "acme_thumbprint", check_thumbprint,
	    "the 43 characters that the ACME client calls thumbprint", false },
	{ "status", check_status,
	    "off, or /PATH,ADDRESS[/BITS][,ADDRESS[/BITS]...] with up to eight "
	    "ranges", false },
	{ "healthz", check_healthz, "on, off or /PATH", false },
	{ "syslog", check_syslog,
	    "off, or ADDRESS[:PORT], an IPv6 address with a port in brackets",
	    false },
	{ "proxy", check_proxy,
	    "off, or ADDRESS[/BITS][,ADDRESS[/BITS]...] with up to eight ranges",
	    false },
};

static void report_unknown(const char *word)
{
	char *text;
	size_t len;
	FILE *out = text_stream(&text, &len);

	for (size_t i = 0; i < ARRAY_LEN(words_known); i++)
		fprintf(out, " %s=", words_known[i].name);
	fclose(out);
	report_error(word, "no such setting; there are:%s", text);
	free(text);
}

static void check_word(const char *word, bool has_certificate, bool *seen)
{
	const char *equals = strchr(word, '=');
	const size_t len = equals == NULL ? 0 : (size_t)(equals - word);
	const struct word *known = NULL;
	struct settings ignored;

	for (const char *c = word; *c != '\0'; c++)
		if (*c < 0x21 || *c > 0x7e) {
			report_error(word, "settings are ASCII");
			return;
		}
	for (size_t i = 0; i < ARRAY_LEN(words_known); i++)
		if (strlen(words_known[i].name) == len &&
		    memcmp(words_known[i].name, word, len) == 0)
			known = &words_known[i];
	if (known == NULL) {
		report_unknown(word);
		return;
	}
	if (seen[known - words_known])
		report_error(word, "%s= is given twice", known->name);
	seen[known - words_known] = true;
	if (known->check == NULL) {
		const char *wrong = settings_parse(word, strlen(word), &ignored);

		if (wrong != NULL)
			report_error(word, "%s", wrong);
	} else if (!known->check(equals + 1)) {
		report_error(word, "%s= takes %s", known->name, known->syntax);
	} else if (known->needs_certificate && !has_certificate) {
		report_warning(word, "means nothing without a certificate");
	}
}

void settings_read(const char *words, bool has_certificate,
    char out[BUNDLE_SETTINGS_CAP])
{
	bool seen[ARRAY_LEN(words_known)] = { false };
	char *copy = xstrdup(words);
	char *rest = copy;
	size_t used = 0;
	bool fits = true;

	memset(out, 0, BUNDLE_SETTINGS_CAP);
	for (char *word; (word = strtok_r(rest, BLANKS, &rest)) != NULL;) {
		const size_t len = strlen(word);
		const size_t blank = used > 0;

		check_word(word, has_certificate, seen);
		/* There is a NUL behind the last. */
		fits = fits && used + blank + len < BUNDLE_SETTINGS_CAP;
		if (!fits)
			continue;
		if (blank)
			out[used++] = ' ';
		memcpy(out + used, word, len);
		used += len;
	}
	if (!fits)
		report_error("the settings", "are longer than %d characters together",
		    BUNDLE_SETTINGS_CAP - 1);
	free(copy);
}
