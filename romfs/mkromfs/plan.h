/*
 * Which paths a site answers, and with what: files, options and rules put together.  How they
 * go together is in romfs/README.md, "Paths" and "Redirects".
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/folders.h"
#include "romfs/mkromfs/options.h"
#include "romfs/mkromfs/pathmap.h"
#include "romfs/mkromfs/redirects.h"
#include "romfs/mkromfs/site.h"

enum answer_kind {
	ANSWER_FILE,             /* its content, 200 */
	ANSWER_LISTING,          /* the page that lists a folder, 200 */
	ANSWER_REDIRECT,
	ANSWER_BUILT_IN,         /* the page for sites without a 404.html; pages[0] only */
};

struct planned_answer {
	enum answer_kind kind;
	/* FILE: in site->files; LISTING: in plan->folders. */
	size_t index;
	const char *shown;       /* of a rewrite: the path it shows, whose fields it has; else NULL */
	/* REDIRECT: */
	char *location;          /* the field's value */
	uint16_t status;
	bool keeps_query;
	size_t canonical;        /* of a policy: where in plan->paths it leads; or SIZE_MAX */
};

struct planned_path {
	char *path;              /* decoded bytes, '/' in front */
	struct planned_answer answer;
	bool rules_first;        /* forced rules may answer at run time */
};

/* An answer without a path of its own. */
struct planned_page {
	struct planned_answer answer;
	uint16_t status;         /* 404, or 200 for content that no path shows */
};

/* Where a rule leads that does not make its target at run time. */
enum planned_goal { GOAL_TARGET, GOAL_PATH, GOAL_PAGE };

/* A rule for the automaton. */
struct planned_rule {
	struct rule_bytes pattern, query, target, tail;
	uint16_t status;
	bool forced, keeps_query;
	bool can_fail;
	uint8_t capture_count;
	enum planned_goal goal;
	size_t index;            /* in plan->paths or plan->pages */
	unsigned line;           /* in _redirects; 0: ours */
};

struct plan {
	const struct site *site;
	struct folders folders;
	struct planned_path *paths;
	size_t path_count, path_cap;
	struct pathmap by_path;
	struct planned_page *pages;     /* [0]: not found */
	size_t page_count, page_cap;
	struct planned_rule *rules;     /* the first that matches wins */
	size_t rule_count, rule_cap;
};

/*
 * Make the plan.  What is wrong with the rules is reported by report_error(); the caller
 * looks at report_count().
 *
 * redirects  of the site's _redirects, empty if it has none; has to live as long as the plan
 */
void plan_site(struct plan *plan, const struct site *site,
    const struct site_options *options, const struct redirects *redirects);

/* A file's name without its folders. */
const char *plan_file_name(const struct site_file *file);
