/*
 * The file _redirects: from lines to rules in the form of romfs/format.h.
 *
 * The grammar, and which documented form of Netlify and Cloudflare Pages means what here,
 * is in romfs/RULES.md, "Redirects".
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/options.h"
#include "romfs/mkromfs/pattern.h"

struct redirect {
	unsigned line;           /* for messages */
	struct rule_bytes pattern;      /* decoded; what is matched */
	struct rule_bytes query;        /* conditions; len 0: none */
	struct rule_bytes target;       /* 3xx: URI characters; 200, 404: a decoded path */
	struct rule_bytes tail;         /* 3xx: from '#' on */
	uint16_t status;         /* 200, 301, 302, 303, 307, 308, 404 */
	bool forced;             /* goes before files: '!', or the dialect */
	bool keeps_query;
	bool is_static;          /* the pattern has no marks: it is a path */
	bool target_is_static;   /* neither has the target */
	uint8_t capture_count;   /* of pattern and query */
};

struct redirects {
	/*
	 * In the order of the file: the first that matches wins.  A line of the Netlify dialect
	 * may be two rules: its source with and without a '/' at the end.  Whether rules send a
	 * client in circles is not looked at: that depends on the files.
	 */
	struct redirect *rules;
	size_t count, cap;
};

/*
 * Read a file's text.  Every line that is not understood is reported by report_error() with
 * `name`:line and the reason; the caller looks at report_count().
 *
 * name  the file as the user would write it
 * text  any bytes
 */
void redirects_read(struct redirects *out, const char *name, const char *text, size_t len,
    enum redirects_dialect dialect);

void redirects_free(struct redirects *redirects);
