/* The command line. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding.h"
#include "romfs/mkromfs/options.h"
#include "romfs/mkromfs/text.h"

enum mode {
	MODE_BAKE,
	MODE_MANIFEST,
	MODE_LIST,
	MODE_CHECK,
	MODE_RESOLVE,
	MODE_DIFF,
};

struct command {
	enum mode mode;
	const char *first;       /* the site, the folder of sites, or the image */
	const char *out;         /* MODE_BAKE */
	const char *second;      /* MODE_RESOLVE: a host, or NULL; MODE_DIFF: the new image */
	bool many;               /* `first` is a folder of sites */
	const char *mime_types;
	struct image_times times;
	struct site_options options;
	struct coding_options codings;
	struct text info;        /* lines "word value\n" */
	bool quiet;
};

/* Read it; ends the program after --help, and with status 2 if it is wrong. */
struct command command_read(int argc, char **argv);
