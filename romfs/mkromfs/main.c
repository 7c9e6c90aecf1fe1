/*
 * mkromfs: bake a folder of files into a ROM image.  Usage is below; what goes
 * in, what is refused, and the image's layout are in romfs/README.md.
 *
 * Exit status: 0 done, 1 something is wrong with the site or the image (every
 * reason is on stderr), 2 wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/base.h"
#include "romfs/mkromfs/image.h"
#include "romfs/mkromfs/media.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/show.h"
#include "romfs/mkromfs/site.h"

#define SKIPPED_SHOWN 8
#define LATEST_TIME 253402300799  /* the last second whose year has four digits */

static const char usage[] =
	"usage: mkromfs [options] SITE OUT   bake the folder SITE into the image OUT\n"
	"       mkromfs --manifest SITE      print URL, status and file of every path\n"
	"       mkromfs --list IMAGE         print URL, status, type, length of every path\n"
	"       mkromfs --check IMAGE        say whether the server would accept IMAGE\n"
	"\n"
	"  --mime-types FILE   table of content types (default: /etc/mime.types)\n"
	"  --mtime SECONDS     give every file this Last-Modified, in Unix seconds\n"
	"  -q, --quiet         no summary\n"
	"  -h, --help          this text\n"
	"\n"
	"With SOURCE_DATE_EPOCH in the environment, files changed after that moment\n"
	"get it as their Last-Modified: the same folder gives the same image.\n";

enum mode { MODE_BAKE, MODE_MANIFEST, MODE_LIST, MODE_CHECK };

struct options {
	enum mode mode;
	const char *mime_types;
	struct image_times times;
	bool quiet;
};

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

static struct options parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "manifest", no_argument, NULL, 'm' },
		{ "list", no_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'c' },
		{ "mime-types", required_argument, NULL, 't' },
		{ "mtime", required_argument, NULL, 'T' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { .mime_types = "/etc/mime.types" };
	int option;

	o.times.latest = latest_time();
	while ((option = getopt_long(argc, argv, "qh", known, NULL)) != -1) {
		switch (option) {
		case 'm':
			o.mode = MODE_MANIFEST;
			break;
		case 'l':
			o.mode = MODE_LIST;
			break;
		case 'c':
			o.mode = MODE_CHECK;
			break;
		case 't':
			o.mime_types = optarg;
			break;
		case 'T':
			o.times.fixed = true;
			o.times.fixed_at = parse_time("--mtime", optarg);
			break;
		case 'q':
			o.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs("Try 'mkromfs --help'.\n", stderr);
			exit(2);
		}
	}
	if (argc - optind != (o.mode == MODE_BAKE ? 2 : 1))
		wrong_usage(o.mode == MODE_BAKE ? "SITE and OUT are needed" :
		    "exactly one argument is needed");
	return o;
}

/* One line each: a word, its number, and what a person wants beside it. */
static void print_summary(const struct site *site, const struct image_summary *summary)
{
	printf("files   %zu\n", site->file_count);
	printf("folders %zu\n", site->directory_count);
	printf("input   %llu bytes\n", (unsigned long long)summary->bytes_in);
	printf("rom     %llu bytes\n", (unsigned long long)summary->image_len);
	printf("skipped %zu", site->skipped_count);
	for (size_t i = 0; i < site->skipped_count && i < SKIPPED_SHOWN; i++) {
		fputs(i == 0 ? "  " : ", ", stdout);
		print_escaped(stdout, site->skipped[i]);
	}
	if (site->skipped_count > SKIPPED_SHOWN)
		printf(", and %zu more", site->skipped_count - SKIPPED_SHOWN);
	putchar('\n');
}

/* An image inside the site would be part of the next image. */
static void check_out(const struct site *site, const char *out)
{
	char *copy = xstrdup(out);
	char *folder = realpath(dirname(copy), NULL);

	if (folder == NULL)
		report_error(out, "%s", strerror(errno));
	else if (site->real_root != NULL && path_is_inside(folder, site->real_root))
		report_error(out, "lies inside the site: put the image elsewhere");
	free(folder);
	free(copy);
}

static void bake(const struct options *o, const char *root, const char *out)
{
	struct media_table *table = media_load(o->mime_types);
	struct image_summary summary;
	struct site site;

	site_walk(&site, root);
	check_out(&site, out);
	if (report_count() > 0)
		return;
	if (image_write(&site, table, &o->times, out, &summary) && !o->quiet)
		print_summary(&site, &summary);
}

int main(int argc, char **argv)
{
	const struct options o = parse_options(argc, argv);
	struct site site;

	switch (o.mode) {
	case MODE_BAKE:
		bake(&o, argv[optind], argv[optind + 1]);
		break;
	case MODE_MANIFEST:
		site_walk(&site, argv[optind]);
		if (report_count() == 0)
			show_manifest(&site);
		break;
	case MODE_LIST:
		show_list(argv[optind]);
		break;
	case MODE_CHECK:
		show_check(argv[optind]);
		break;
	}
	if (fflush(stdout) != 0)
		report_error("stdout", "%s", strerror(errno));
	return report_count() > 0 ? 1 : 0;
}
