/* links: tests/host_panic.c tests/http/fake_net.c tests/http/fake_private.c
 * tls/stream.c @romfs @http_answers http/conn.c http/log.c */
/*
 * The transcripts of this folder without a network: the same files that run.py sends
 * to a server are given to the engine here, in packets of several sizes, under
 * whatever checks this program is compiled with.  Their form: README.md.  All run on
 * plain streams and on private ones, but those of https/ and hosts/names/, which say
 * on which.
 *
 * Runs in the top folder, with build/mkromfs.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/conn.h"
#include "tests/http/fake_net.h"

#define PACK "build/mkromfs --quiet --mtime 784111777"
#define HERE "tests/http/"
#define DATE_MARK "(now)"
#define DATE "Mon, 21 Sep 2026 14:13:20 GMT"  /* fake_net's time */
#define TEXT_CAP (1 << 20)

/* As in run.py, for https/. */
#define HOSTS "site.example\0www.site.example\0"
#define THUMBPRINT "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"

/* One file in one way. */
struct transcript {
	const char *path;
	bool beside_https;      /* it is one of https/ */
	bool is_private;        /* its connections are, until one says otherwise */
};

static struct romfs fs;
static size_t packet_len;

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
	FILE *const f = fopen(path, "rb");

	assert_non_null(f);
	const size_t len = fread(out, 1, cap, f);
	assert_true(len < cap && feof(f));
	fclose(f);
	return len;
}

/* The folder whose site and options are packed; ends in '/'. */
static const char *site_folder;

/* Its options, quoted for the shell; they hold no quotes. */
static void add_options(char *command, size_t cap)
{
	char path[128], line[128];

	snprintf(path, sizeof path, "%soptions", site_folder);
	FILE *const f = fopen(path, "r");
	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL)
		snprintf(command + strlen(command), cap - strlen(command),
		    " '%.*s'", (int)strcspn(line, "\n"), line);
	fclose(f);
}

static int set_up(void **state)
{
	static uint8_t image[TEXT_CAP];
	char rom[64], command[512] = PACK;

	/* This program may run twice at the same time, built in two ways. */
	(void)state;
	snprintf(rom, sizeof rom, "build/transcripts-%d.rom", (int)getpid());
	add_options(command, sizeof command);
	snprintf(command + strlen(command), sizeof command - strlen(command),
	    " %ssite %s", site_folder, rom);
	assert_int_equal(system(command), 0);
	const size_t len = read_file(rom, image, sizeof image);
	unlink(rom);
	assert_int_equal(romfs_open(&fs, image, len), ROMFS_OK);
	return 0;
}

static void start(const struct transcript *t)
{
	static const struct http_settings alone = { 0 };
	static const struct http_settings beside_https = {
		.redirect_port = 443,
		.hsts = { .on = true, .max_age_s = 31536000 },
		.thumbprint = HTTP_TEXT(THUMBPRINT),
	};

	http_conn_start(&fs, t->beside_https ? &beside_https : &alone,
	    HTTP_TEXT(HOSTS));
	fake_open(&http_app, t->is_private);
}

/* One line's bytes, in place: \r \n \t \0 \\ \xNN. */
static size_t decode(char *line)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
	char *out = line;

	for (const char *at = line; *at != 0; at++) {
		unsigned byte;

		if (*at != '\\') {
			*out++ = *at;
			continue;
		}
		at++;
		if (*at == 'x') {
			assert_int_equal(sscanf(at + 1, "%2x", &byte), 1);
			*out++ = (char)byte;
			at += 2;
			continue;
		}
		const char *const found = strchr(names, *at);
		assert_true(found != NULL && *found != 0);
		*out++ = values[found - names];
	}
	return (size_t)(out - line);
}

/* ---- What is expected, connection by connection ------------------------------------ */

static char *expected;   /* the rest of the .expect file */

static void check_end(const char *end)
{
	assert_string_equal(fake.closing ? "@closed" :
	    fake.reset ? "@reset" : "@open", end);
}

/* The line's bytes with our date, at the given place of the answers. */
static size_t check_bytes(size_t at, char *line)
{
	char *const mark = strstr(line, "Date: " DATE_MARK);

	if (mark != NULL) {
		static char dated[256];

		snprintf(dated, sizeof dated, "Date: " DATE "%s",
		    mark + strlen("Date: " DATE_MARK));
		line = dated;
	}
	const size_t len = decode(line);
	assert_true(at + len <= fake.out_len);
	assert_memory_equal(fake.out + at, line, len);
	return len;
}

/* The connection is over: hold it against the next part of the file. */
static void check_connection(void)
{
	size_t at = 0;

	for (;;) {
		char *const line = strsep(&expected, "\n");

		assert_non_null(line);
		if (line[0] == '@') {
			assert_int_equal(at, fake.out_len);
			check_end(line);
			return;
		}
		at += check_bytes(at, line);
	}
}

/* ---- What is sent ------------------------------------------------------------------- */

static void send(const char *data, size_t len, size_t times)
{
	static char all[TEXT_CAP];

	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, data, len);
	len *= times;
	for (size_t at = 0; at < len; at += packet_len)
		fake_receive(all + at,
		    packet_len < len - at ? packet_len : len - at);
}

static void run(const struct transcript *t, char *text)
{
	size_t times = 1;
	char *line;

	start(t);
	while ((line = strsep(&text, "\n")) != NULL) {
		if (strcmp(line, "@new") == 0) {
			check_connection();
			fake_open(&http_app, t->is_private);
		} else if (strcmp(line, "@private") == 0) {
			fake_open(&http_app, true);
		} else if (strcmp(line, "@half-close") == 0) {
			fake_peer_closes();
		} else if (strncmp(line, "@wait", 5) == 0) {
			fake_expire();
		} else if (sscanf(line, "@repeat %zu", &times) == 1) {
			continue;
		} else if (line[0] != '@' && line[0] != '#') {
			const size_t len = decode(line);

			send(line, len, times);
			times = 1;
		}
	}
	check_connection();
}

static void transcript_gives_what_is_expected(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 50, 1460 };
	static uint8_t requests[TEXT_CAP], answers[TEXT_CAP];
	const struct transcript *const t = *state;
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		packet_len = sizes[i];
		requests[read_file(t->path, requests, sizeof requests)] = 0;
		snprintf(path, sizeof path, "%.*s.expect",
		    (int)(strlen(t->path) - strlen(".req")), t->path);
		answers[read_file(path, answers, sizeof answers)] = 0;
		expected = (char *)answers;
		run(t, (char *)requests);
		assert_string_equal(expected, "");
	}
}

/* All files of a folder, about the site of a folder, in one way. */
static int run_folder(const char *title, const char *folder,
    const char *site, bool beside_https, bool private)
{
	char pattern[128];
	glob_t found;

	site_folder = site;
	snprintf(pattern, sizeof pattern, "%s*.req", folder);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 1;
	struct transcript *const all = calloc(found.gl_pathc, sizeof *all);
	struct CMUnitTest *const tests = calloc(found.gl_pathc, sizeof *tests);
	if (all == NULL || tests == NULL)
		return 1;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		all[i] = (struct transcript){
			found.gl_pathv[i], beside_https, private
		};
		tests[i] = (struct CMUnitTest){
			.name = found.gl_pathv[i],
			.test_func = transcript_gives_what_is_expected,
			.initial_state = &all[i],
		};
	}
	const int failed = _cmocka_run_group_tests(title, tests,
	    found.gl_pathc, set_up, NULL);
	free(tests);
	free(all);
	globfree(&found);
	return failed;
}

int main(void)
{
	int failed =
	    run_folder("beside HTTPS", HERE "https/", HERE, true, false) +
	    run_folder("names", HERE "hosts/names/", HERE "hosts/", false, false);

	for (int private = 0; private < 2; private++) {
		const char *const title = private ? "private" : "plain";

		failed += run_folder(title, HERE, HERE, false, private) +
		    run_folder(title, HERE "hosts/", HERE "hosts/", false, private) +
		    run_folder(title, HERE "pages/", HERE "pages/", false, private);
	}
	return failed;
}
