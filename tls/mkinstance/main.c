/*
 * mkinstance: put certificates, private keys and settings into an instance bundle.
 * Usage is below; what is checked, and why, is in tls/mkinstance/README.md.
 *
 * Exit status: 0 done, perhaps with warnings; 1 something is wrong with the input
 * (every reason is on stderr) and nothing was written; 2 wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "config/limits.h"
#include "tls/mkinstance/bundle.h"
#include "tls/mkinstance/develop.h"
#include "tls/mkinstance/file.h"
#include "tls/mkinstance/output.h"
#include "tls/mkinstance/report.h"
#include "tls/mkinstance/settings.h"

static const char usage[] =
	"usage: mkinstance [--cert FILE --key FILE]... [options] -o OUT\n"
	"       mkinstance --development -o OUT   a bundle for localhost, made once\n"
	"       mkinstance --list BUNDLE          print what is in it; never a key\n"
	"\n"
	"  --cert FILE         certificate chain, PEM, the server's certificate first;\n"
	"                      the first --cert is the one for unknown names\n"
	"  --key FILE          its private key, PEM; the first --key for the first --cert\n"
	"  --host NAME         a name that the machine serves; again for more\n"
	"  --settings WORDS    as on the command line: \"ip=dhcp log=off\"\n"
	"  -o, --output FILE   what is made, readable by its owner only\n"
	"  --now SECONDS       check dates as of then, in Unix seconds\n"
	"  -q, --quiet         no summary\n"
	"  -h, --help          this text\n";

enum mode { MODE_MAKE, MODE_DEVELOPMENT, MODE_LIST };

struct options {
	enum mode mode;
	const char **certs;
	const char **keys;
	const char **hosts;
	size_t cert_count;
	size_t key_count;
	size_t host_count;
	const char *settings;
	const char *out;
	const char *list;
	int64_t now;
	bool quiet;
};

__attribute__((format(printf, 1, 2)))
NORETURN static void wrong_usage(const char *format, ...)
{
	va_list args;

	fputs("mkinstance: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'mkinstance --help'.\n", stderr);
	exit(2);
}

static int64_t parse_time(const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0)
		wrong_usage("--now: '%s' is no time in Unix seconds", text);
	return value;
}

static void check_options(const struct options *o, int left)
{
	const bool has_input = o->cert_count + o->key_count + o->host_count > 0 ||
	    o->settings != NULL;

	if (left > 0)
		wrong_usage("every file has an option of its own");
	if (o->mode == MODE_LIST ? o->out != NULL : o->out == NULL)
		wrong_usage(o->mode == MODE_LIST ? "--list makes nothing" :
		    "-o FILE is needed");
	if (o->mode != MODE_MAKE && has_input)
		wrong_usage("--development and --list take no certificates, keys, "
		    "hosts or settings");
	if (o->mode == MODE_MAKE && !has_input)
		wrong_usage("there is nothing to put in");
	if (o->cert_count != o->key_count)
		wrong_usage("%zu certificate files and %zu key files: "
		    "each certificate needs its key", o->cert_count, o->key_count);
}

static const struct option known[] = {
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "host", required_argument, NULL, 'H' },
	{ "settings", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ "development", no_argument, NULL, 'd' },
	{ "list", required_argument, NULL, 'l' },
	{ "now", required_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void take_option(struct options *o, int option)
{
	switch (option) {
	case 'c':
		o->certs[o->cert_count++] = optarg;
		break;
	case 'k':
		o->keys[o->key_count++] = optarg;
		break;
	case 'H':
		o->hosts[o->host_count++] = optarg;
		break;
	case 's':
		o->settings = optarg;
		break;
	case 'o':
		o->out = optarg;
		break;
	case 'd':
		o->mode = MODE_DEVELOPMENT;
		break;
	case 'l':
		o->mode = MODE_LIST;
		o->list = optarg;
		break;
	case 'n':
		o->now = parse_time(optarg);
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		fputs("Try 'mkinstance --help'.\n", stderr);
		exit(2);
	}
}

static struct options parse_options(int argc, char **argv)
{
	const size_t room = (size_t)argc * sizeof(char *);
	struct options o = {
		.certs = xmalloc(room), .keys = xmalloc(room),
		.hosts = xmalloc(room), .now = (int64_t)time(NULL),
	};
	int option;

	while ((option = getopt_long(argc, argv, "o:qh", known, NULL)) != -1)
		take_option(&o, option);
	check_options(&o, argc - optind);
	return o;
}

/* ---- Making ------------------------------------------------------------- */

/* The names this machine serves: each has to be a certificate's. */
static void read_hosts(const struct options *o, struct instance *in)
{
	bool have_names = false;

	for (size_t i = 0; i < in->chain_count; i++)
		have_names |= in->chains[i].names.len > 0;
	for (size_t i = 0; i < o->host_count; i++) {
		const char *host = o->hosts[i];
		const char *problem = host_problem(host);
		bool covered = false;

		if (problem != NULL) {
			report_error(host, "%s", problem);
			continue;
		}
		for (size_t j = 0; j < in->chain_count; j++)
			covered |= names_cover(&in->chains[j].names, host);
		if (o->cert_count == 0)
			report_error(host, "a host needs a certificate");
		else if (have_names && !covered)
			report_error(host, "no certificate names this host");
		names_add(&in->hosts, host);
	}
}

/* A slip of the hand must not replace a key by a bundle. */
static void check_out(const struct options *o)
{
	struct stat out, in;

	if (stat(o->out, &out) != 0)
		return;
	if (S_ISDIR(out.st_mode))
		report_error(o->out, "is a folder");
	for (size_t i = 0; i < o->cert_count + o->key_count; i++) {
		const char *path = i < o->cert_count ? o->certs[i] :
		    o->keys[i - o->cert_count];

		if (stat(path, &in) == 0 && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			report_error(o->out, "would overwrite what it is made from");
	}
}

static void write_bundle(const struct options *o, struct instance *in)
{
	size_t len;
	uint8_t *bytes = bundle_make(in, &len);

	ASSERT(bundle_problem(bytes, len) == NULL);
	if (len > LIMIT_BUNDLE_LEN)
		report_error(o->out, "would have %zu bytes; %u are the most", len,
		    LIMIT_BUNDLE_LEN);
	else if (output_write(o->out, bytes, len, 0600) && !o->quiet)
		bundle_show(stdout, bytes, len, o->now);
	bundle_free(bytes, len);
}

static void make(const struct options *o)
{
	struct chain chains[LIMIT_CHAINS];
	struct instance in = { .chains = chains, .chain_count = o->cert_count };

	if (o->cert_count > LIMIT_CHAINS) {
		report_error("--cert", "%zu certificate chains; %d are the most",
		    o->cert_count, LIMIT_CHAINS);
		return;
	}
	check_out(o);
	for (size_t i = 0; i < in.chain_count; i++)
		chain_read(&chains[i], o->certs[i], o->keys[i]);
	for (size_t i = 0; i < in.chain_count; i++)
		chain_check(chains, in.chain_count, i, o->now);
	read_hosts(o, &in);
	settings_read(o->settings == NULL ? "" : o->settings, in.chain_count > 0,
	    in.settings);
	if (report_count() == 0)
		write_bundle(o, &in);
	for (size_t i = 0; i < in.chain_count; i++)
		chain_free(&chains[i]);
	names_free(&in.hosts);
}

static void list(const struct options *o)
{
	const char *problem;
	struct file f;

	if (!file_read(o->list, &f))
		return;
	problem = bundle_problem(f.bytes, f.len);
	if (problem != NULL)
		report_error(o->list, "%s", problem);
	else
		bundle_show(stdout, f.bytes, f.len, o->now);
	file_free(&f);
}

int main(int argc, char **argv)
{
	const struct options o = parse_options(argc, argv);

	/* Keys are in our memory: no core dumps. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	switch (o.mode) {
	case MODE_MAKE:
		make(&o);
		break;
	case MODE_DEVELOPMENT:
		develop(o.out, o.now, o.quiet);
		break;
	case MODE_LIST:
		list(&o);
		break;
	}
	if (fflush(stdout) != 0)
		report_error("stdout", "%s", strerror(errno));
	free(o.certs);
	free(o.keys);
	free(o.hosts);
	return report_count() > 0 ? 1 : 0;
}
