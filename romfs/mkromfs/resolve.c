/* `mkromfs --resolve`: what a server with this image would answer.  Contract: show.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "config/limits.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/rom_file.h"
#include "romfs/mkromfs/show.h"
#include "romfs/mkromfs/url.h"
#include "romfs/romfs.h"

struct asked {
	const struct romfs *fs;
	struct romfs_host host;
	const char *query;       /* behind the '?'; NULL: there is none */
	struct romfs_answer answer;
};

/* What a path's escapes come to. */
enum decoded { DECODED, DECODED_SLASH, DECODED_BAD };

/* Decode in place; an escaped '/' names nothing (http/path.h), NUL is no path's. */
static enum decoded decode(char *path)
{
	enum decoded result = DECODED;
	const char *end = path + strlen(path);
	char *out = path;

	for (const char *in = path; in < end; in++) {
		int value;

		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		value = url_escape_value(in, end);
		if (value <= 0)
			return DECODED_BAD;
		*out = (char)value;
		if (*out++ == '/')
			result = DECODED_SLASH;
		in += 2;
	}
	*out = '\0';
	return result;
}

/* A Location as it is made of a ready one: the query goes before a '#'. */
static void print_ready(const uint8_t *location, uint32_t len, const char *query)
{
	const char *text = (const char *)location;
	const char *tail = memchr(text, '#', len);
	const int head_len = tail == NULL ? (int)len : (int)(tail - text);

	printf("%.*s", head_len, text);
	if (query != NULL)
		printf("?%s", query);
	printf("%.*s\n", (int)len - head_len, text + head_len);
}

static void print_entry(const struct asked *a)
{
	const struct romfs_entry *entry = &a->answer.entry;
	struct romfs_variant v;
	char *path, *url;

	romfs_variant(a->fs, entry, 0, &v);
	printf("%d\t", v.status);
	if (v.status / 100 == 3) {
		print_ready(v.mark, v.mark_len, entry->keeps_query ? a->query : NULL);
		return;
	}
	path = rom_file_text(entry->path, entry->path_len);
	url = url_encode(path);
	puts(entry->path_len == 0 ? "*" : url);
	free(url);
	free(path);
}

static void print_capture(const struct romfs_target *t, unsigned k)
{
	char *bytes = rom_file_text(t->captures[k].at, t->captures[k].len);
	char *url = k < t->path_captures ? url_encode(bytes) : xstrdup(bytes);

	fputs(url, stdout);
	free(url);
	free(bytes);
}

static void print_target(const struct asked *a)
{
	const struct romfs_target *t = &a->answer.target;

	printf("%d\t", t->status);
	for (uint32_t i = 0; i < t->text_len; i++) {
		if (t->text[i] == 0)
			print_capture(t, t->text[++i] - 1u);
		else
			putchar(t->text[i]);
	}
	if (t->keeps_query && a->query != NULL)
		printf("?%s", a->query);
	printf("%.*s\n", (int)t->tail_len, (const char *)t->tail);
}

static void resolve_line(struct asked *a, char *target)
{
	static uint8_t scratch[LIMIT_TARGET_LEN];
	char *mark = strchr(target, '?');
	enum decoded decoded;

	if (target[0] != '/') {
		puts("400\t*");
		return;
	}
	if (a->host.canonical != NULL) {
		printf("308\t//%.*s%s\n", (int)a->host.canonical_len,
		    (const char *)a->host.canonical, target);
		return;
	}
	if (mark != NULL)
		*mark = '\0';
	a->query = mark == NULL ? NULL : mark + 1;
	decoded = decode(target);
	if (decoded == DECODED_BAD) {
		puts("400\t*");
		return;
	}
	romfs_resolve(a->fs, a->host.site, (const uint8_t *)target,
	    decoded == DECODED ? strlen(target) : 0,
	    (const uint8_t *)a->query, mark == NULL ? 0 : strlen(a->query),
	    scratch, sizeof scratch, &a->answer);
	if (a->answer.target.status == 0)
		print_entry(a);
	else
		print_target(a);
}

static bool find_host(const struct romfs *fs, const char *host, struct romfs_host *out)
{
	if (host != NULL)
		return romfs_host(fs, (const uint8_t *)host, strlen(host), out);
	*out = (struct romfs_host){ .site = 0 };
	return true;
}

void show_resolve(const char *image, const char *host)
{
	struct asked asked = { 0 };
	struct romfs fs;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	bool known;

	if (!rom_file_open(image, &fs))
		return;
	asked.fs = &fs;
	known = find_host(&fs, host, &asked.host);
	while ((len = getline(&line, &cap, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		if (strlen(line) != (size_t)len)
			puts("400\t*");         /* a NUL in it */
		else if (!known)
			puts("421\t*");
		else
			resolve_line(&asked, line);
	}
	if (ferror(stdin))
		report_error("stdin", "cannot be read");
	free(line);
}
