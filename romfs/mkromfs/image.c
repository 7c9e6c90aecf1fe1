/*
 * Contract: image.h; bytes: romfs/format.h.
 *
 * All tables' lengths follow from what was decided, so the answers, which come last, are
 * streamed to their place first; the tables, which say where they are, are written then.
 */
#include "romfs/mkromfs/image.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "romfs/mkromfs/answers.h"
#include "romfs/mkromfs/automaton.h"
#include "romfs/mkromfs/content.h"
#include "romfs/mkromfs/lines.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/output.h"
#include "romfs/mkromfs/phash.h"
#include "romfs/mkromfs/pool.h"
#include "romfs/mkromfs/report.h"
#include "romfs/romfs.h"

/* One site on its way. */
struct part {
	uint32_t *slots;         /* of the plan's path i */
	struct rom_entry *entries;      /* in the plan's order: paths, then pages */
};

struct writer {
	const struct image *image;
	struct image_summary *summary;
	struct rom_header header;
	struct rom_name *names;
	struct rom_site *sites;
	uint32_t *buckets;
	size_t bucket_count, bucket_cap;
	size_t entry_count;
	struct rom_rule *rules;
	size_t rule_count, rule_cap;
	size_t variant_count;
	struct automata automata;
	struct pool pool;
	struct part *parts;      /* of each site */
};

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* ---- Names ------------------------------------------------------------------- */

static uint32_t index_or_none(size_t index)
{
	return index == SIZE_MAX ? ROM_NONE : (uint32_t)index;
}

static void make_names(struct writer *w)
{
	const size_t count = w->image->name_count;

	w->names = xmalloc(count * sizeof *w->names);
	for (size_t i = 0; i < count; i++) {
		const struct image_name *name = &w->image->names[i];
		const size_t len = strlen(name->name);

		w->names[i] = (struct rom_name){
			.off = pool_add(&w->pool, name->name, len),
			.len = (uint32_t)len,
			.site = (uint32_t)name->site,
			.canonical = index_or_none(name->canonical),
		};
	}
}

/* ---- Paths -------------------------------------------------------------------- */

/* The perfect hash over a site's paths: buckets, and where each path's slot is. */
static void make_hash(struct writer *w, const struct plan *plan, struct rom_site *out,
    uint32_t **slots)
{
	const size_t count = plan->path_count;
	struct phash_key *keys = xmalloc(count * sizeof *keys);
	struct phash hash;

	if (count > PHASH_KEYS_CAP)
		die("too many paths for one site");
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct phash_key){
			(const uint8_t *)plan->paths[i].path, strlen(plan->paths[i].path),
		};
	if (!phash_build(keys, (uint32_t)count, &hash))
		panic("no perfect hash for different paths");
	free(keys);

	out->seed = hash.seed;
	out->first_bucket = (uint32_t)w->bucket_count;
	out->bucket_count = hash.bucket_count;
	w->buckets = xgrow(w->buckets, &w->bucket_cap,
	    w->bucket_count + hash.bucket_count, sizeof *w->buckets);
	memcpy(w->buckets + w->bucket_count, hash.displacements,
	    hash.bucket_count * sizeof *w->buckets);
	w->bucket_count += hash.bucket_count;
	free(hash.displacements);
	*slots = hash.slots;
}

/* What entries say besides their answers: paths and flags.  Pages have neither. */
static struct rom_entry *name_entries(struct writer *w, const struct plan *plan)
{
	const size_t count = plan->path_count + plan->page_count;
	struct rom_entry *entries = xmalloc(count * sizeof *entries);
	const char **paths = xmalloc(plan->path_count * sizeof *paths);
	uint32_t *offs = xmalloc(plan->path_count * sizeof *offs);

	for (size_t i = 0; i < plan->path_count; i++)
		paths[i] = plan->paths[i].path;
	memset(entries, 0, count * sizeof *entries);
	pool_add_paths(&w->pool, paths, plan->path_count, offs);
	for (size_t i = 0; i < plan->path_count; i++) {
		const struct planned_answer *answer = &plan->paths[i].answer;

		entries[i].path_off = offs[i];
		entries[i].path_len = (uint16_t)strlen(paths[i]);
		if (plan->paths[i].rules_first)
			entries[i].flags |= ROM_ENTRY_RULES_FIRST;
		if (answer->kind == ANSWER_REDIRECT && answer->keeps_query)
			entries[i].flags |= ROM_ENTRY_KEEP_QUERY;
	}
	free(offs);
	free(paths);
	return entries;
}

/* ---- Rules -------------------------------------------------------------------- */

static uint32_t add_bytes(struct writer *w, const struct rule_bytes *bytes)
{
	return bytes->len == 0 ? 0 : pool_add(&w->pool, bytes->at, bytes->len);
}

static void make_rule(struct writer *w, const struct plan *plan,
    const struct planned_rule *rule, const uint32_t *slots)
{
	struct rom_rule r = {
		.pattern_off = add_bytes(w, &rule->pattern),
		.query_off = add_bytes(w, &rule->query),
		.target_off = add_bytes(w, &rule->target),
		.tail_off = add_bytes(w, &rule->tail),
		.pattern_len = (uint16_t)rule->pattern.len,
		.query_len = (uint16_t)rule->query.len,
		.target_len = (uint16_t)rule->target.len,
		.tail_len = (uint16_t)rule->tail.len,
		.entry = ROM_NONE,
		.status = rule->status,
		.flags = (uint8_t)((rule->forced ? ROM_RULE_FORCED : 0) |
		    (rule->keeps_query ? ROM_RULE_KEEP_QUERY : 0)),
		.capture_count = rule->capture_count,
	};

	if (rule->goal == GOAL_PATH)
		r.entry = slots[rule->index];
	else if (rule->goal == GOAL_PAGE)
		r.entry = (uint32_t)(plan->path_count + rule->index);
	w->rules = xgrow(w->rules, &w->rule_cap, w->rule_count + 1, sizeof *w->rules);
	w->rules[w->rule_count++] = r;
}

static void report_rule(const struct plan *plan, const struct planned_rule *rule,
    const char *why)
{
	char *name = site_full_path(plan->site, "_redirects");

	if (rule->line == 0)
		report_error(plan->site->root, "%s", why);
	else
		line_error(&(struct line){ .file = name, .number = rule->line }, why);
	free(name);
}

/* Name NUL value NUL, each. */
static uint32_t count_conditions(const struct rule_bytes *query)
{
	uint32_t ends = 0;

	for (size_t i = 0; i < query->len; i++)
		ends += query->at[i] == 0;
	return ends / 2;
}

static void make_rules(struct writer *w, const struct plan *plan, struct rom_site *out,
    const uint32_t *slots)
{
	struct automaton_rule *rules = xmalloc(plan->rule_count * sizeof *rules);
	const char *why;
	uint32_t start = 0;
	size_t culprit;

	out->first_rule = (uint32_t)w->rule_count;
	out->rule_count = (uint32_t)plan->rule_count;
	out->first_state = (uint32_t)w->automata.state_count;
	for (size_t i = 0; i < plan->rule_count; i++) {
		const struct planned_rule *rule = &plan->rules[i];

		make_rule(w, plan, rule, slots);
		rules[i] = (struct automaton_rule){
			.pattern = rule->pattern.at, .len = rule->pattern.len,
			.can_fail = rule->can_fail,
			.conditions = count_conditions(&rule->query),
		};
	}
	why = automaton_add(&w->automata, rules, plan->rule_count, &start, &culprit);
	if (why != NULL)
		report_rule(plan, &plan->rules[culprit], why);
	out->start = start;
	out->state_count = (uint32_t)(w->automata.state_count - out->first_state);
	free(rules);
}

/* ---- Sites -------------------------------------------------------------------- */

/* Everything about the sites but their answers. */
static void make_sites(struct writer *w)
{
	w->sites = xmalloc(w->image->site_count * sizeof *w->sites);
	w->parts = xmalloc(w->image->site_count * sizeof *w->parts);
	automata_start(&w->automata);
	for (size_t i = 0; i < w->image->site_count; i++) {
		const struct image_site *site = &w->image->sites[i];
		const struct plan *plan = &site->plan;
		struct rom_site *out = &w->sites[i];

		*out = (struct rom_site){
			.first_entry = (uint32_t)w->entry_count,
			.slot_count = (uint32_t)plan->path_count,
			.page_count = (uint32_t)plan->page_count,
			.file_count = (uint32_t)site->site.file_count,
		};
		make_hash(w, plan, out, &w->parts[i].slots);
		make_rules(w, plan, out, w->parts[i].slots);
		w->parts[i].entries = name_entries(w, plan);
		w->entry_count += plan->path_count + plan->page_count;
		w->variant_count += answers_count(site);
	}
	if (w->entry_count > UINT32_MAX || w->variant_count > UINT32_MAX)
		die("too many paths for one image");
}

/* ---- The file ------------------------------------------------------------------ */

/* Everything but the answers, whose section begins behind it. */
static void lay_out(struct writer *w)
{
	const uint64_t lens[ROM_SECTIONS] = {
		[ROM_NAMES] = w->image->name_count * sizeof *w->names,
		[ROM_SITES] = w->image->site_count * sizeof *w->sites,
		[ROM_BUCKETS] = w->bucket_count * sizeof *w->buckets,
		[ROM_ENTRIES] = w->entry_count * sizeof(struct rom_entry),
		[ROM_VARIANTS] = w->variant_count * sizeof(struct rom_variant),
		[ROM_RULES] = w->rule_count * sizeof *w->rules,
		[ROM_STATES] = w->automata.state_count * sizeof *w->automata.states,
		[ROM_EDGES] = w->automata.edge_count * sizeof *w->automata.edges,
		[ROM_ACCEPTS] = w->automata.accept_count * sizeof *w->automata.accepts,
		[ROM_PATHS] = w->pool.len,
		[ROM_INFO] = strlen(w->image->info),
	};
	uint64_t off = sizeof w->header;

	memcpy(w->header.magic, ROM_MAGIC, sizeof w->header.magic);
	w->header.version = ROM_VERSION;
	w->header.section_count = ROM_SECTIONS;
	w->header.default_site = index_or_none(w->image->default_site);
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		off = align_up(off, ROM_ALIGN);
		w->header.sections[i] = (struct rom_range){ off, lens[i] };
		off += lens[i];
	}
}

static void write_section(const struct writer *w, enum rom_section section,
    const void *bytes)
{
	const struct rom_range *range = &w->header.sections[section];

	output_write(range->off, bytes, range->len);
}

/* Answers first; then each site's entries, planned ones at their slots. */
static void write_entries(struct writer *w, struct answers *answers)
{
	uint64_t off = w->header.sections[ROM_ENTRIES].off;

	for (size_t i = 0; i < w->image->site_count; i++) {
		const struct plan *plan = &w->image->sites[i].plan;
		const size_t count = plan->path_count + plan->page_count;
		const struct rom_entry *planned = w->parts[i].entries;
		struct rom_entry *entries = xmalloc(count * sizeof *entries);

		answers_write(answers, &w->image->sites[i], w->parts[i].entries);
		for (size_t j = 0; j < count; j++)
			entries[j < plan->path_count ? w->parts[i].slots[j] : j] =
			    planned[j];
		output_write(off, entries, count * sizeof *entries);
		off += count * sizeof *entries;
		free(entries);
	}
}

static void write_tables(struct writer *w, const struct answers *answers)
{
	struct rom_range *last = &w->header.sections[ROM_ANSWERS];

	last->len = answers->end - last->off;
	w->header.image_len = align_up(answers->end, ROM_PAGE);
	output_write(0, &w->header, sizeof w->header);
	write_section(w, ROM_NAMES, w->names);
	write_section(w, ROM_SITES, w->sites);
	write_section(w, ROM_BUCKETS, w->buckets);
	write_section(w, ROM_VARIANTS, answers->variants);
	write_section(w, ROM_RULES, w->rules);
	write_section(w, ROM_STATES, w->automata.states);
	write_section(w, ROM_EDGES, w->automata.edges);
	write_section(w, ROM_ACCEPTS, w->automata.accepts);
	write_section(w, ROM_PATHS, w->pool.bytes);
	write_section(w, ROM_INFO, w->image->info);
}

/* Name the image, once the server's own reader has accepted it. */
static void finish(const struct writer *w)
{
	const uint64_t len = w->header.image_len;
	struct romfs fs;

	if (romfs_open(&fs, output_map(len), len) != ROMFS_OK)
		panic("the image just written is refused by its reader");
	output_finish();
}

static void write_file(struct writer *w, const char *path)
{
	struct answers answers = {
		.image = w->image, .summary = w->summary,
		.end = w->header.sections[ROM_ANSWERS].off,
		.variants = xmalloc(w->variant_count * sizeof *answers.variants),
		.chunk = xmalloc(CONTENT_CHUNK_LEN),
	};

	output_start(path);
	write_entries(w, &answers);
	if (report_count() == 0)
		write_tables(w, &answers);
	if (report_count() == 0)
		finish(w);
	else
		output_drop();
	free(answers.variants);
	free(answers.chunk);
}

static void free_writer(struct writer *w)
{
	for (size_t i = 0; i < w->image->site_count; i++) {
		free(w->parts[i].slots);
		free(w->parts[i].entries);
	}
	free(w->parts);
	free(w->names);
	free(w->sites);
	free(w->buckets);
	free(w->rules);
	free(w->pool.bytes);
	automata_free(&w->automata);
}

bool image_write(const struct image *image, const char *path, struct image_summary *out)
{
	struct writer w = { .image = image, .summary = out };

	*out = (struct image_summary){ 0 };
	make_names(&w);
	make_sites(&w);
	if (report_count() == 0) {
		lay_out(&w);
		write_file(&w, path);
	}
	out->image_len = w.header.image_len;
	free_writer(&w);
	return report_count() == 0;
}
