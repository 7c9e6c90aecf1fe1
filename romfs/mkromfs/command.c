/* Contract: command.h. */
#include "romfs/mkromfs/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "romfs/romfs.h"

#define LATEST_TIME 253402300799  /* the last second whose year has four digits */

static const char usage[] =
	"usage: mkromfs [options] SITE OUT   bake the folder SITE into the image OUT\n"
	"       mkromfs --sites DIR OUT      the same for several: a folder for each host name\n"
	"       mkromfs --manifest SITE      print URL, status and file of every path\n"
	"       mkromfs --list IMAGE         print URL, status, type, length of every path\n"
	"       mkromfs --check IMAGE        say whether the server would accept IMAGE\n"
	"       mkromfs --resolve IMAGE [HOST]  answer targets from stdin: status, and where\n"
	"       mkromfs --diff OLD NEW       print the URLs that two images answer differently\n"
	"\n"
	"  --clean-urls MODE      keep: /about and /about.html answer (default); auto:\n"
	"                         /about.html redirects to /about; off: names as they are\n"
	"  --trailing-slash MODE  auto: folders end in '/', pages do not (default); always,\n"
	"                         never; both: with and without answer\n"
	"  --redirects WHOSE      netlify (default) or cloudflare: what _redirects leaves open\n"
	"  --spa                  /index.html answers what nothing else does\n"
	"  --listings             folders without index.html list their files\n"
	"  --csp POLICY           Content-Security-Policy of HTML\n"
	"  --codings LIST         gzip,br,zstd (default), some of them, or none\n"
	"  --cache FOLDER         keep compressed files there for the next time\n"
	"  --info WORD=VALUE      note where the content is from; more than one may be given\n"
	"  --mime-types FILE      table of content types (default: /etc/mime.types)\n"
	"  --mtime SECONDS        give every file this Last-Modified, in Unix seconds\n"
	"  -q, --quiet            no summary\n"
	"  -h, --help             this text\n"
	"\n"
	"With SOURCE_DATE_EPOCH in the environment, files changed after that moment\n"
	"get it as their Last-Modified: the same folder gives the same image.\n";

__attribute__((format(printf, 1, 2)))
NORETURN static void wrong_usage(const char *format, ...)
{
	va_list args;

	fputs("mkromfs: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'mkromfs --help'.\n", stderr);
	exit(2);
}

static int64_t parse_time(const char *name, const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' ||
	    value < 0 || value > LATEST_TIME)
		wrong_usage("%s: '%s' is no time in Unix seconds", name, text);
	return value;
}

/* RFC 9110, section 8.8.2.1: no Last-Modified later than the answer, so not after now. */
static int64_t latest_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	return epoch == NULL ? (int64_t)time(NULL) :
	    parse_time("SOURCE_DATE_EPOCH", epoch);
}

/* Which of the words, in their order; ends in NULL. */
static unsigned parse_word(const char *name, const char *text, const char *const *words)
{
	char all[64] = "";

	for (unsigned i = 0; words[i] != NULL; i++) {
		if (strcmp(text, words[i]) == 0)
			return i;
		strcat(all, i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ");
		strcat(all, words[i]);
	}
	wrong_usage("%s: '%s' is not %s", name, text, all);
}

/* "gzip,br,zstd", some of them, or "none": bits as in struct coding_options. */
static unsigned parse_codings(const char *text)
{
	unsigned codings = 0;

	if (strcmp(text, "none") == 0)
		return 0;
	for (const char *at = text; ; at++) {
		const size_t len = strcspn(at, ",");
		unsigned coding = 1;

		while (coding < CODING_COUNT && (strlen(coding_name(coding)) != len ||
		    memcmp(coding_name(coding), at, len) != 0))
			coding++;
		if (coding == CODING_COUNT)
			wrong_usage("--codings: '%s' is not gzip,br,zstd, some of them, or "
			    "none", text);
		codings |= 1u << coding;
		at += len;
		if (*at == '\0')
			return codings;
	}
}

static bool is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static const char *parse_csp(const char *text)
{
	if (*text == '\0' || !is_visible(text))
		wrong_usage("--csp: a policy is printable ASCII");
	return text;
}

static void parse_info(struct text *info, const char *text)
{
	const size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (len == 0 || text[len] != '=' || text[len + 1] == '\0' || !is_visible(text))
		wrong_usage("--info: '%s' is not WORD=VALUE, a word of small letters, digits "
		    "and '-' and a value of printable ASCII", text);
	text_add(info, "%.*s %s\n", (int)len, text, text + len + 1);
}

enum { OPTION_WORDS = 256, CLEAN_URLS = OPTION_WORDS, TRAILING_SLASH, REDIRECTS };

/* Options that take one of some words. */
static void take_word(struct site_options *options, int option, const char *text)
{
	static const char *const clean[] = { "keep", "auto", "off", NULL };
	static const char *const slash[] = { "auto", "always", "never", "both", NULL };
	static const char *const dialect[] = { "netlify", "cloudflare", NULL };

	switch (option) {
	case CLEAN_URLS:
		options->clean_urls = parse_word("--clean-urls", text, clean);
		break;
	case TRAILING_SLASH:
		options->trailing_slash = parse_word("--trailing-slash", text, slash);
		break;
	case REDIRECTS:
		options->redirects = parse_word("--redirects", text, dialect);
		break;
	}
}

static void take_value(struct command *c, int option, char *text)
{
	switch (option) {
	case 't':
		c->mime_types = text;
		break;
	case 'T':
		c->times.fixed = true;
		c->times.fixed_at = parse_time("--mtime", text);
		break;
	case 'p':
		c->options.csp = parse_csp(text);
		break;
	case 'C':
		c->codings.codings = parse_codings(text);
		break;
	case 'k':
		c->codings.cache = text;
		break;
	case 'i':
		parse_info(&c->info, text);
		break;
	default:
		take_word(&c->options, option, text);
		break;
	}
}

static void take_flag(struct command *c, int option)
{
	switch (option) {
	case 'm':
		c->mode = MODE_MANIFEST;
		break;
	case 'l':
		c->mode = MODE_LIST;
		break;
	case 'c':
		c->mode = MODE_CHECK;
		break;
	case 'r':
		c->mode = MODE_RESOLVE;
		break;
	case 'd':
		c->mode = MODE_DIFF;
		break;
	case 's':
		c->many = true;
		break;
	case 'a':
		c->options.spa = true;
		break;
	case 'L':
		c->options.listings = true;
		break;
	case 'q':
		c->quiet = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		fputs("Try 'mkromfs --help'.\n", stderr);
		exit(2);
	}
}

static void check_arguments(enum mode mode, int count)
{
	switch (mode) {
	case MODE_BAKE:
		if (count != 2)
			wrong_usage("SITE and OUT are needed");
		return;
	case MODE_DIFF:
		if (count != 2)
			wrong_usage("OLD and NEW are needed");
		return;
	case MODE_RESOLVE:
		if (count != 1 && count != 2)
			wrong_usage("IMAGE is needed, and HOST may follow");
		return;
	case MODE_MANIFEST:
	case MODE_LIST:
	case MODE_CHECK:
		if (count != 1)
			wrong_usage("exactly one argument is needed");
		return;
	}
}

struct command command_read(int argc, char **argv)
{
	static const struct option known[] = {
		{ "manifest", no_argument, NULL, 'm' },
		{ "list", no_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'c' },
		{ "resolve", no_argument, NULL, 'r' },
		{ "diff", no_argument, NULL, 'd' },
		{ "sites", no_argument, NULL, 's' },
		{ "clean-urls", required_argument, NULL, CLEAN_URLS },
		{ "trailing-slash", required_argument, NULL, TRAILING_SLASH },
		{ "redirects", required_argument, NULL, REDIRECTS },
		{ "spa", no_argument, NULL, 'a' },
		{ "listings", no_argument, NULL, 'L' },
		{ "csp", required_argument, NULL, 'p' },
		{ "codings", required_argument, NULL, 'C' },
		{ "cache", required_argument, NULL, 'k' },
		{ "info", required_argument, NULL, 'i' },
		{ "mime-types", required_argument, NULL, 't' },
		{ "mtime", required_argument, NULL, 'T' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct command c = { .mime_types = "/etc/mime.types" };
	int option;

	c.times.latest = latest_time();
	c.codings.codings = 1u << ROMFS_GZIP | 1u << ROMFS_BROTLI | 1u << ROMFS_ZSTD;
	while ((option = getopt_long(argc, argv, "qh", known, NULL)) != -1) {
		if (optarg != NULL)
			take_value(&c, option, optarg);
		else
			take_flag(&c, option);
		optarg = NULL;
	}
	check_arguments(c.mode, argc - optind);
	if (c.many && c.mode != MODE_BAKE && c.mode != MODE_MANIFEST)
		wrong_usage("--sites is for baking, and for --manifest");
	c.codings.progress = !c.quiet;
	c.first = argv[optind];
	c.out = c.second = argv[optind + 1];
	return c;
}
