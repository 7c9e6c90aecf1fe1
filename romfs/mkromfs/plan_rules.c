/*
 * Contract: plan_int.h.  What rules do to paths, decided as far as it can be before anybody
 * asks.
 *
 * A rule is ready if it is for one path, whatever the query, and not about a 404 page: it can
 * be that path's answer.  For each path the first rule counts that matches; for a path of a
 * file, the first forced one.  If that rule is ready, the path answers as it says.  If not, the
 * automaton decides at run time, and has to know all rules that match the path.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/lines.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/plan_int.h"
#include "romfs/mkromfs/report.h"
#include "romfs/rules.h"

struct work {
	struct plan *plan;
	const struct redirect *rules;
	size_t rule_count;
	char *name;              /* of the file, for messages */
	size_t natural_count;    /* paths that are there without rules */
	struct pathmap by_path;  /* the first rule for exactly this path ... */
	size_t *next;            /* ... and the others; SIZE_MAX: no more */
	size_t *marked;          /* rules with marks, in their order */
	size_t marked_count;
	bool *needed;            /* by the automaton, though it would be ready */
	size_t *goals;           /* of static 200 and 404: an index in paths, or a file */
	bool any_rules_first;
};

static bool is_redirect(const struct redirect *rule)
{
	return rule->status >= 300 && rule->status < 400;
}

static bool is_ready(const struct redirect *rule)
{
	return rule->is_static && rule->query.len == 0 && rule->status != 404;
}

static size_t natural_of(const struct work *w, const char *path, size_t len)
{
	const size_t i = pathmap_get(&w->plan->by_path, path, len);

	return i < w->natural_count ? i : SIZE_MAX;
}

/* ---- Which rule ------------------------------------------------------------- */

static void index_rules(struct work *w)
{
	w->next = xmalloc(w->rule_count * sizeof *w->next);
	w->marked = xmalloc(w->rule_count * sizeof *w->marked);
	w->needed = xmalloc(w->rule_count * sizeof *w->needed);
	w->goals = xmalloc(w->rule_count * sizeof *w->goals);
	for (size_t i = 0; i < w->rule_count; i++) {
		const struct rule_bytes *pattern = &w->rules[i].pattern;
		const char *path = (const char *)pattern->at;
		size_t last;

		w->next[i] = w->goals[i] = SIZE_MAX;
		w->needed[i] = false;
		if (!w->rules[i].is_static) {
			w->marked[w->marked_count++] = i;
			continue;
		}
		last = pathmap_get(&w->by_path, path, pattern->len);
		if (last == SIZE_MAX) {
			pathmap_put(&w->by_path, path, pattern->len, i);
			continue;
		}
		while (w->next[last] != SIZE_MAX)
			last = w->next[last];
		w->next[last] = i;
	}
}

static bool matches(const struct redirect *rule, const char *path, size_t len)
{
	const struct romfs_pattern pattern = { rule->pattern.at, rule->pattern.len };
	struct romfs_capture captures[ROM_CAPTURE_CAP];
	uint8_t count = 0;

	return romfs_match_path(pattern, (const uint8_t *)path, len, captures, &count);
}

/* The first rule that matches, or the first forced one; SIZE_MAX: none. */
static size_t first_match(const struct work *w, const char *path, size_t len,
    bool forced_only)
{
	size_t fixed = pathmap_get(&w->by_path, path, len);

	while (fixed != SIZE_MAX && forced_only && !w->rules[fixed].forced)
		fixed = w->next[fixed];
	for (size_t i = 0; i < w->marked_count && w->marked[i] < fixed; i++) {
		const struct redirect *rule = &w->rules[w->marked[i]];

		if ((rule->forced || !forced_only) && matches(rule, path, len))
			return w->marked[i];
	}
	return fixed;
}

static void need_rules(struct work *w, const char *path, size_t len)
{
	size_t i = pathmap_get(&w->by_path, path, len);

	for (; i != SIZE_MAX; i = w->next[i])
		w->needed[i] = true;
}

/* ---- Targets ---------------------------------------------------------------- */

/* Two rules may come from one line. */
static bool is_told(const struct work *w, size_t i)
{
	return i > 0 && w->rules[i - 1].line == w->rules[i].line &&
	    w->goals[i - 1] == SIZE_MAX;
}

__attribute__((format(printf, 3, 4)))
static void rule_error(const struct work *w, size_t i, const char *format, ...)
{
	const struct line line = { .file = w->name, .number = w->rules[i].line };
	char *message;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		die("out of memory");
	va_end(args);
	line_error(&line, message);
	free(message);
}

/* The path that answers with the content that a rewrite's target names; SIZE_MAX: none. */
static size_t content_of(const struct work *w, const struct rule_bytes *target)
{
	const size_t i = natural_of(w, (const char *)target->at, target->len);

	if (i == SIZE_MAX || w->plan->paths[i].answer.kind != ANSWER_REDIRECT)
		return i;
	return w->plan->paths[i].answer.canonical;
}

/* Rewrites and 404 pages to what is not there are errors. */
static void check_targets(struct work *w)
{
	for (size_t i = 0; i < w->rule_count; i++) {
		const struct redirect *rule = &w->rules[i];
		const struct planned_path *path;

		if (is_redirect(rule) || !rule->target_is_static)
			continue;
		w->goals[i] = content_of(w, &rule->target);
		if (w->goals[i] == SIZE_MAX) {
			if (!is_told(w, i))
				rule_error(w, i, "no file answers %.*s",
				    (int)rule->target.len, (char *)rule->target.at);
			continue;
		}
		path = &w->plan->paths[w->goals[i]];
		if (rule->status == 404 && path->answer.kind != ANSWER_FILE)
			rule_error(w, i, "%s is a listing, not a page for 404", path->path);
	}
}

/* ---- Circles ---------------------------------------------------------------- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The decoded path of a target on this host; NULL if it is on another one. */
static char *path_of_target(const char *target, size_t len)
{
	char *path, *out;

	if (len == 0 || target[0] != '/' || (len > 1 && target[1] == '/'))
		return NULL;
	path = out = xmalloc(len + 1);
	for (size_t i = 0; i < len && target[i] != '?' && target[i] != '#'; i++) {
		if (target[i] == '%' && i + 2 < len && hex_value(target[i + 1]) >= 0 &&
		    hex_value(target[i + 2]) >= 0) {
			*out++ = (char)(hex_value(target[i + 1]) << 4 |
			    hex_value(target[i + 2]));
			i += 2;
		} else {
			*out++ = target[i];
		}
	}
	*out = '\0';
	return path;
}

/*
 * One step from a path for whoever asks: *rule is the rule that answers it, or SIZE_MAX
 * and the result is where the policy for slashes redirects to; NULL: nowhere.  Takes the path.
 */
static char *follow(const struct work *w, char *path, size_t *rule)
{
	const size_t len = strlen(path);
	const size_t natural = natural_of(w, path, len);
	const struct planned_answer *answer;

	*rule = first_match(w, path, len, natural != SIZE_MAX);
	free(path);
	if (*rule != SIZE_MAX || natural == SIZE_MAX)
		return NULL;
	answer = &w->plan->paths[natural].answer;
	return answer->kind != ANSWER_REDIRECT ? NULL :
	    path_of_target(answer->location, strlen(answer->location));
}

/* The next rule on the way from rule i's target; SIZE_MAX: none. */
static size_t next_rule(const struct work *w, size_t i)
{
	const struct redirect *r = &w->rules[i];
	size_t rule = SIZE_MAX;
	char *path;

	if (!is_redirect(r) || r->query.len > 0 || !r->target_is_static)
		return SIZE_MAX;
	path = path_of_target((const char *)r->target.at, r->target.len);
	while (path != NULL && rule == SIZE_MAX)
		path = follow(w, path, &rule);
	free(path);
	return rule;
}

static void report_circle(const struct work *w, size_t i)
{
	size_t first = i;

	for (size_t r = next_rule(w, i); r != i; r = next_rule(w, r))
		first = r < first ? r : first;
	rule_error(w, first, "leads in a circle: %.*s comes back here",
	    (int)w->rules[first].target.len, (char *)w->rules[first].target.at);
}

/* Each rule leads to one other at most, so each is walked over once. */
static void check_circles(const struct work *w)
{
	size_t *seen = xmalloc(w->rule_count * sizeof *seen);

	for (size_t i = 0; i < w->rule_count; i++)
		seen[i] = SIZE_MAX;
	for (size_t i = 0; i < w->rule_count; i++) {
		size_t r = i;

		while (r != SIZE_MAX && seen[r] == SIZE_MAX) {
			seen[r] = i;
			r = next_rule(w, r);
		}
		/* Where this walk ends is where it has been, or where another has. */
		if (r != SIZE_MAX && seen[r] == i)
			report_circle(w, r);
	}
	free(seen);
}

/* ---- Answers ---------------------------------------------------------------- */

static struct planned_answer answer_of(const struct work *w, size_t i)
{
	const struct redirect *rule = &w->rules[i];
	struct planned_answer answer;
	char *location;

	if (!is_redirect(rule)) {
		answer = w->plan->paths[w->goals[i]].answer;
		answer.shown = w->plan->paths[w->goals[i]].path;
		return answer;
	}
	location = xmalloc(rule->target.len + rule->tail.len + 1);
	memcpy(location, rule->target.at, rule->target.len);
	if (rule->tail.len > 0)
		memcpy(location + rule->target.len, rule->tail.at, rule->tail.len);
	location[rule->target.len + rule->tail.len] = '\0';
	return (struct planned_answer){
		.kind = ANSWER_REDIRECT, .location = location,
		.status = rule->status, .keeps_query = rule->keeps_query,
		.canonical = SIZE_MAX,
	};
}

/* Paths of files, under forced rules; rewrites show what was there before. */
static void apply_forced(struct work *w)
{
	struct plan *plan = w->plan;
	size_t *by = xmalloc(w->natural_count * sizeof *by);
	struct planned_answer *answers = xmalloc(w->natural_count * sizeof *answers);

	for (size_t i = 0; i < w->natural_count; i++) {
		struct planned_path *path = &plan->paths[i];
		const size_t len = strlen(path->path);

		by[i] = first_match(w, path->path, len, true);
		if (by[i] == SIZE_MAX)
			continue;
		if (is_ready(&w->rules[by[i]])) {
			answers[i] = answer_of(w, by[i]);
			continue;
		}
		by[i] = SIZE_MAX;
		path->rules_first = w->any_rules_first = true;
		need_rules(w, path->path, len);
	}
	for (size_t i = 0; i < w->natural_count; i++)
		if (by[i] != SIZE_MAX)
			plan->paths[i].answer = answers[i];
	free(answers);
	free(by);
}

static char *copy_path(const struct rule_bytes *pattern)
{
	char *path = xmalloc(pattern->len + 1);

	memcpy(path, pattern->at, pattern->len);
	path[pattern->len] = '\0';
	return path;
}

/* Paths of rules alone. */
static void add_ready(struct work *w)
{
	for (size_t i = 0; i < w->rule_count; i++) {
		const struct rule_bytes *pattern = &w->rules[i].pattern;
		const char *path = (const char *)pattern->at;

		if (!w->rules[i].is_static ||
		    pathmap_get(&w->by_path, path, pattern->len) != i ||
		    natural_of(w, path, pattern->len) != SIZE_MAX)
			continue;
		if (first_match(w, path, pattern->len, false) == i &&
		    is_ready(&w->rules[i]))
			plan_add_path(w->plan, copy_path(pattern), answer_of(w, i));
		else
			need_rules(w, path, pattern->len);
	}
}

/* ---- Rules for the automaton ------------------------------------------------- */

static void add_rule(struct plan *plan, struct planned_rule rule)
{
	plan->rules = xgrow(plan->rules, &plan->rule_cap, plan->rule_count + 1,
	    sizeof *plan->rules);
	plan->rules[plan->rule_count++] = rule;
}

/* Show the content that path `goal` had before the forced rules. */
static void aim(struct work *w, struct planned_rule *rule, size_t goal,
    const struct planned_answer *natural)
{
	const struct planned_answer *now = &w->plan->paths[goal].answer;

	rule->goal = GOAL_PATH;
	rule->index = goal;
	if (now->kind == natural->kind && now->index == natural->index)
		return;
	rule->goal = GOAL_PAGE;
	rule->index = plan_add_page(w->plan, *natural, rule->status);
}

static void add_users_rule(struct work *w, size_t i, const struct planned_answer *natural)
{
	const struct redirect *r = &w->rules[i];
	struct planned_rule rule = {
		.pattern = r->pattern, .query = r->query,
		.target = r->target, .tail = r->tail,
		.status = r->status, .forced = r->forced,
		.keeps_query = r->keeps_query, .capture_count = r->capture_count,
		.line = r->line,
		/* Where an entry says RULES_FIRST, others than forced ones do not count. */
		.can_fail = r->query.len > 0 || (!r->forced && w->any_rules_first),
	};

	if (r->status == 404) {
		rule.goal = GOAL_PAGE;
		rule.index = plan_add_page(w->plan, *natural, 404);
	} else if (r->status == 200 && r->target_is_static) {
		aim(w, &rule, w->goals[i], natural);
	} else if (r->status == 200) {
		rule.can_fail = true;   /* its target may name nothing */
	}
	if (rule.goal != GOAL_TARGET)
		rule.target.len = 0;
	add_rule(w->plan, rule);
}

static struct rule_bytes below(const char *folder, size_t len)
{
	struct rule_bytes pattern = { xmalloc(len + 3), len + 3 };

	pattern.at[0] = '/';
	memcpy(pattern.at + 1, folder, len);
	memcpy(pattern.at + 1 + len, "\0\2", 2);
	return pattern;
}

static void add_spa(struct work *w, const struct planned_answer *naturals)
{
	const struct rule_bytes target = { (uint8_t *)"/index.html", 11 };
	struct planned_rule rule = { .status = 200, .capture_count = 1 };
	const size_t goal = content_of(w, &target);

	if (goal == SIZE_MAX) {
		report_error(w->plan->site->root, "--spa wants an index.html here");
		return;
	}
	rule.pattern = below("", 0);
	aim(w, &rule, goal, &naturals[goal]);
	add_rule(w->plan, rule);
}

static int compare_depths(const void *a, const void *b)
{
	const struct site_file *fa = *(const struct site_file *const *)a;
	const struct site_file *fb = *(const struct site_file *const *)b;
	const size_t len_a = strlen(fa->path), len_b = strlen(fb->path);

	return len_a != len_b ? (len_a < len_b) - (len_a > len_b) :
	    strcmp(fa->path, fb->path);
}

/* The 404.html of folders below the root: for all below it, the deepest first. */
static void add_nested(struct plan *plan)
{
	const struct site *site = plan->site;
	const struct site_file **found = xmalloc(site->file_count * sizeof *found);
	size_t count = 0;

	for (size_t i = 0; i < site->file_count; i++) {
		const char *name = plan_file_name(&site->files[i]);

		if (strcmp(name, "404.html") == 0 && name != site->files[i].path)
			found[count++] = &site->files[i];
	}
	if (count > 0)
		qsort(found, count, sizeof *found, compare_depths);
	for (size_t i = 0; i < count; i++)
		add_rule(plan, (struct planned_rule){
			.pattern = below(found[i]->path, (size_t)
			    (plan_file_name(found[i]) - found[i]->path)),
			.status = 404, .capture_count = 1, .goal = GOAL_PAGE,
			.index = plan_add_page(plan, (struct planned_answer){
				.kind = ANSWER_FILE,
				.index = (size_t)(found[i] - site->files),
			}, 404),
		});
	free(found);
}

static void make_answers(struct work *w, const struct site_options *options)
{
	struct planned_answer *naturals = xmalloc(w->natural_count * sizeof *naturals);

	for (size_t i = 0; i < w->natural_count; i++)
		naturals[i] = w->plan->paths[i].answer;
	add_ready(w);
	apply_forced(w);
	for (size_t i = 0; i < w->rule_count; i++)
		if (!is_ready(&w->rules[i]) || w->needed[i])
			add_users_rule(w, i, w->goals[i] == SIZE_MAX ? NULL :
			    &naturals[w->goals[i]]);
	if (options->spa)
		add_spa(w, naturals);
	else
		add_nested(w->plan);
	free(naturals);
}

void plan_add_rules(struct plan *plan, const struct site_options *options,
    const struct redirects *redirects)
{
	struct work w = {
		.plan = plan,
		.rules = redirects->rules,
		.rule_count = redirects->count,
		.name = site_full_path(plan->site, "_redirects"),
		.natural_count = plan->path_count,
	};
	const size_t before = report_count();

	index_rules(&w);
	check_targets(&w);
	if (report_count() == before)
		check_circles(&w);
	if (report_count() == before)
		make_answers(&w, options);
	pathmap_free(&w.by_path);
	free(w.next);
	free(w.marked);
	free(w.needed);
	free(w.goals);
	free(w.name);
}
