/* links: tls/tls.c tls/certificates.c tls/bundle.c net/text.c
 *        tests/host_panic.c */
/*
 * What the operator hears of certificates, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tls/certificates.h"
#include "tls/engine.h"
#include "tls/private.h"
#include "tls/tls_int.h"

#define DAY INT64_C(86400)
#define NOW (INT64_C(20000) * DAY)     /* 2024-10-04 */

/* ---- The world of tls.c -------------------------------------------------- */

struct tls_counters private_counters = { 1, 2, 3 };
static uint64_t now_ms, unix_time;
static char console[4096];
static size_t console_len;
static unsigned engine_starts;

uint64_t net_now_ms(void)
{
	return now_ms;
}

uint64_t net_unix_time(void)
{
	return unix_time;
}

void net_log(const char *text, size_t len)
{
	assert_true(console_len + len < sizeof console);
	memcpy(console + console_len, text, len);
	console_len += len;
	console[console_len] = '\0';
}

size_t private_session_len(void)
{
	return 777;
}

size_t tls_handshake_len(void)
{
	return 4444;
}

void tls_engine_start(void)
{
	engine_starts++;
}

static void clear_console(void)
{
	console_len = 0;
	console[0] = '\0';
}

/* ---- Lines --------------------------------------------------------------- */

static const char *line_of(const struct tls_chain *chain, bool is_development,
    int64_t now)
{
	static char line[CERTIFICATE_LINE_CAP + 1];
	struct text t = text_start(line, CERTIFICATE_LINE_CAP);

	certificate_describe(chain, 3, is_development, now, &t);
	line[t.len] = '\0';
	return line;
}

static struct tls_chain ordinary(void)
{
	static const char names[] = "example.org\0www.example.org";
	static const char issuer[] = "Let's Encrypt R11";

	return (struct tls_chain){
		.kind = BUNDLE_KEY_P256, .key_bits = 256,
		.names = names, .names_len = sizeof names,
		.issuer = issuer, .issuer_len = sizeof issuer - 1,
		.not_before = NOW - 29 * DAY, .not_after = NOW + 61 * DAY,
	};
}

static void a_line_says_names_issuer_key_and_days(void **state)
{
	struct tls_chain c = ordinary();

	(void)state;
	assert_string_equal(line_of(&c, false, NOW), "certificate 3: example.org, "
	    "www.example.org; Let's Encrypt R11; ECDSA P-256; 61 days left\n");
	c.kind = BUNDLE_KEY_P384;
	c.key_bits = 384;
	c.self_signed = true;
	assert_string_equal(line_of(&c, false, NOW), "certificate 3: example.org, "
	    "www.example.org; self-signed; ECDSA P-384; 61 days left\n");
	c.kind = BUNDLE_KEY_RSA;
	c.key_bits = 4096;
	c.names_len = 0;
	assert_string_equal(line_of(&c, true, NOW), "certificate 3: no DNS name; "
	    "self-signed, for development only; RSA 4096; 61 days left\n");
}

static void days_are_counted_whole(void **state)
{
	static const struct {
		int64_t left;
		const char *words;
		bool is_warning;
	} cases[] = {
		{ 14 * DAY, "; 14 days left\n", false },
		{ 14 * DAY - 1, "; 13 days left\n", true },
		{ 2 * DAY - 1, "; 1 day left\n", true },
		{ DAY - 1, "; less than a day left\n", true },
		{ 0, "; less than a day left\n", true },
		{ -1, "; expired less than a day ago\n", true },
		{ -DAY, "; expired 1 day ago\n", true },
		{ -3 * DAY, "; expired 3 days ago\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_chain c = ordinary();
		const char *line;

		c.not_after = NOW + cases[i].left;
		line = line_of(&c, false, NOW);
		assert_non_null(strstr(line, cases[i].words));
		assert_int_equal(strncmp(line, "warning: ", 9) == 0,
		    cases[i].is_warning);
		assert_int_equal(certificate_is_worrying(&c, NOW),
		    cases[i].is_warning);
	}
}

static void what_is_not_valid_yet_has_a_date(void **state)
{
	struct tls_chain c = ordinary();

	(void)state;
	c.not_before = 1798761600;     /* 2027-01-01 */
	c.not_after = c.not_before + 90 * DAY;
	assert_non_null(strstr(line_of(&c, false, c.not_before - 1),
	    "; not valid before 2027-01-01\n"));
	assert_true(certificate_is_worrying(&c, c.not_before - 1));
	assert_false(certificate_is_worrying(&c, c.not_before));
}

static void without_a_clock_nobody_worries(void **state)
{
	struct tls_chain c = ordinary();

	(void)state;
	assert_non_null(strstr(line_of(&c, false, 0), "; valid from 2024-09-05 to "
	    "2024-12-04, and this machine does not know the date\n"));
	assert_false(certificate_is_worrying(&c, 0));
}

/* Every day from 1970 to 9999, as gmtime() has it. */
static void dates_are_those_of_the_calendar(void **state)
{
	struct tls_chain c = ordinary();

	(void)state;
	for (int64_t day = 0; day * DAY <= TLS_TIME_MAX; day += 13) {
		const time_t time = day * DAY + DAY - 1;
		char want[64];
		struct tm tm;

		gmtime_r(&time, &tm);
		strftime(want, sizeof want, "valid from %Y-%m-%d to ", &tm);
		c.not_before = c.not_after = time;
		if (strstr(line_of(&c, false, 0), want) == NULL)
			fail_msg("not %s: %s", want, line_of(&c, false, 0));
	}
}

static void many_names_are_counted(void **state)
{
	static char names[100 * 20];
	struct tls_chain c = ordinary();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(names + i * 20, "abcdefghi.exampleorg", 20);
	for (size_t i = 19; i < sizeof names; i += 20)
		names[i] = '\0';
	c.names = names;
	c.names_len = sizeof names;
	assert_non_null(strstr(line_of(&c, false, NOW),
	    ", abcdefghi.exampleor and 76 more; "));

	/* The longest line keeps its end. */
	static char one[254], issuer[4096];

	memset(one, 'a', 253);
	memset(issuer, 'i', sizeof issuer);
	c.names = one;
	c.names_len = sizeof one;
	c.issuer = issuer;
	c.issuer_len = sizeof issuer;
	assert_non_null(strstr(line_of(&c, false, NOW), " left\n"));
}

/* ---- tls.c --------------------------------------------------------------- */

static struct {
	struct bundle_public head;
	struct bundle_chain chains[2];
	char bytes[64];
} file;

static void make_file(void)
{
	const uint32_t at = offsetof(__typeof__(file), bytes);

	memset(&file, 0, sizeof file);
	file.head.chain_count = 2;
	for (size_t i = 0; i < 2; i++)
		file.chains[i] = (struct bundle_chain){
			.key_kind = BUNDLE_KEY_P256, .key_bits = 256, .cert_count = 1,
			.certs = { at, 5 }, .names = { at + 5, 10 }, .issuer = { at, 0 },
			.not_before = NOW, .not_after = NOW + 10 * DAY,
		};
	file.chains[1].not_after = NOW + 90 * DAY;
	file.chains[1].names.off += 10;
	memcpy(file.bytes, "\x01\0\0\0c" "a.example\0b.example\0h.example\0", 35);
	file.head.hosts = (struct bundle_span){ at + 25, 10 };
}

static const char *read_file(struct net_needs *needs)
{
	static struct gate_info info;

	info.bundle = (const uint8_t *)&file;
	info.bundle_len = sizeof file;
	info.key_count = 1;
	info.key_kind[0] = BUNDLE_KEY_P256;
	info.key_bits[0] = 256;
	return tls_read_bundle(&info, needs);
}

static void without_a_bundle_there_is_nothing(void **state)
{
	static const struct gate_info info;
	struct net_needs needs = {
		.session_len = 1, .handshake_len = 1, .records = true,
	};
	const char *name;
	int64_t not_after;
	size_t len;

	(void)state;
	assert_null(tls_read_bundle(&info, &needs));
	assert_int_equal(needs.session_len + needs.handshake_len + needs.records, 0);
	assert_false(tls_has_certificate());
	assert_false(tls_is_real());
	assert_false(tls_read_chain(0, &name, &not_after));
	assert_string_equal(tls_hosts(&len), "");
	assert_int_equal(len, 0);
	tls_print_certificates();
	assert_int_equal(console_len, 0);
}

static void a_damaged_bundle_is_nothing_and_says_so(void **state)
{
	struct net_needs needs;

	(void)state;
	make_file();
	file.chains[1].key = 1;
	assert_non_null(read_file(&needs));
	assert_int_equal(needs.session_len + needs.handshake_len + needs.records, 0);
	assert_false(tls_has_certificate());
}

static void a_bundle_is_what_it_says(void **state)
{
	struct net_needs needs;
	const char *name;
	int64_t not_after;
	size_t len;

	(void)state;
	make_file();
	assert_null(read_file(&needs));
	assert_true(tls_read_chain(0, &name, &not_after));
	assert_string_equal(name, tls_bundle()->chains[0].names);
	assert_int_equal(not_after, tls_bundle()->chains[0].not_after);
	assert_false(tls_read_chain(tls_bundle()->chain_count, &name,
	    &not_after));
	assert_int_equal(needs.session_len, 777);
	assert_int_equal(needs.handshake_len, 4444);
	assert_true(needs.records);
	assert_true(tls_has_certificate());
	assert_true(tls_is_real());
	assert_memory_equal(tls_hosts(&len), "h.example", 10);
	assert_int_equal(len, 10);
	assert_int_equal(tls_counters()->resumed, 2);
	tls_start(true);
	assert_true(tls_refuses_unknown());
	assert_int_equal(engine_starts, 1);

	file.head.flags = BUNDLE_DEVELOPMENT;
	assert_null(read_file(&needs));
	assert_true(tls_has_certificate());
	assert_false(tls_is_real());
	/* HOST, and no certificate. */
	file.head.chain_count = 0;
	assert_null(read_file(&needs));
	assert_false(needs.records);
	assert_memory_equal(tls_hosts(&len), "h.example", 10);
}

static void warnings_come_once_a_day(void **state)
{
	struct net_needs needs;

	(void)state;
	make_file();
	assert_null(read_file(&needs));
	now_ms = 5000;
	unix_time = NOW;
	clear_console();
	tls_print_certificates();
	assert_non_null(strstr(console, "warning: certificate 0: a.example"));
	assert_non_null(strstr(console, "\ncertificate 1: b.example"));

	clear_console();
	now_ms = 5000 + 86400000 - 1;
	tls_check_expiry();
	assert_int_equal(console_len, 0);
	now_ms++;
	unix_time += DAY;
	tls_check_expiry();
	assert_non_null(strstr(console, "warning: certificate 0"));
	assert_non_null(strstr(console, "9 days left"));
	assert_null(strstr(console, "certificate 1"));
	clear_console();
	tls_check_expiry();
	assert_int_equal(console_len, 0);
	/* The second begins to expire. */
	now_ms += 86400000;
	unix_time = NOW + 80 * DAY;
	tls_check_expiry();
	assert_non_null(strstr(console, "expired 70 days ago"));
	assert_non_null(strstr(console, "warning: certificate 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_names_issuer_key_and_days),
		cmocka_unit_test(days_are_counted_whole),
		cmocka_unit_test(what_is_not_valid_yet_has_a_date),
		cmocka_unit_test(without_a_clock_nobody_worries),
		cmocka_unit_test(dates_are_those_of_the_calendar),
		cmocka_unit_test(many_names_are_counted),
		cmocka_unit_test(without_a_bundle_there_is_nothing),
		cmocka_unit_test(a_damaged_bundle_is_nothing_and_says_so),
		cmocka_unit_test(a_bundle_is_what_it_says),
		cmocka_unit_test(warnings_come_once_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
