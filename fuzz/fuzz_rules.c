/* links: tests/host_panic.c tests/romfs/slow_rules.c romfs/mkromfs/pattern.c
 *        romfs/mkromfs/automaton.c romfs/mkromfs/memory.c romfs/mkromfs/url.c @romfs
 *        -lunistring */
/*
 * Rules and paths made of few different characters, so that they meet: the automaton, the
 * fast matcher and the slow, obvious one agree, captures included.
 *
 * Input: lines.  The first byte of each says what it is: of a path, a source, a source whose
 * rule can fail, an exact one.  The others are taken from a small alphabet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/automaton.h"
#include "romfs/mkromfs/pattern.h"
#include "romfs/rules.h"
#include "tests/romfs/slow_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RULES_CAP 40u
#define TEXT_CAP 64u

struct rule {
	char source[TEXT_CAP];
	bool is_exact;
	struct rule_bytes pattern;
};

static struct rule rules[RULES_CAP];
static struct automaton_rule compiled[RULES_CAP];
static size_t rule_count;

static void check(bool good)
{
	if (!good)
		abort();
}

/* '/' and the line's bytes as characters of the alphabet; ':' gets a name of its own. */
static size_t make_text(char *out, const uint8_t *line, size_t len, bool is_source)
{
	static const char alphabet[] = "/ab./ac/";
	size_t n = 0;

	out[n++] = '/';
	for (size_t i = 0; i < len && n + 4 < TEXT_CAP; i++) {
		const unsigned c = line[i] & 15;

		if (c < 8)
			out[n++] = alphabet[c];
		else if (is_source && c < 12)
			n += (size_t)snprintf(out + n, TEXT_CAP - n, ":x%c",
			    (char)('a' + i % 26));
		else if (is_source && c < 14)
			out[n++] = '*';
		else
			out[n++] = (char)('a' + (c & 1));
	}
	out[n] = '\0';
	return n;
}

static void add_rule(const uint8_t *line, size_t len, uint8_t kind)
{
	struct rule *const rule = &rules[rule_count];
	struct rule_names names = { 0 };
	uint8_t captures;

	if (rule_count == RULES_CAP)
		return;
	rule->is_exact = (kind & 4) != 0;
	const size_t source_len = make_text(rule->source, line, len, true);
	if (pattern_read_source(&rule->pattern, &names, rule->source, source_len,
	    rule->is_exact ? STAR_EXACT : STAR_FOLDER) != NULL ||
	    strstr(rule->source, "/.") != NULL) {
		free(rule->pattern.at);
		return;
	}
	check(romfs_pattern_ok((struct romfs_pattern){ rule->pattern.at, rule->pattern.len },
	    &captures));
	check(captures == names.count);
	compiled[rule_count++] = (struct automaton_rule){
		.pattern = rule->pattern.at, .len = rule->pattern.len,
		.can_fail = (kind & 8) != 0,
	};
}

/* The fast matcher against the slow one. */
static bool match(const struct rule *rule, const uint8_t *path, size_t len)
{
	const struct romfs_pattern pattern = { rule->pattern.at, rule->pattern.len };
	struct romfs_capture fast[ROM_CAPTURE_CAP], slow[ROM_CAPTURE_CAP];
	uint8_t fast_count = 0, slow_count;
	const bool is_match = romfs_match_path(pattern, path, len, fast, &fast_count);

	check(slow_match(rule->source, rule->is_exact, path, len, slow, &slow_count) ==
	    is_match);
	check(!is_match || fast_count == slow_count);
	for (size_t i = 0; is_match && i < fast_count; i++) {
		check(fast[i].len == slow[i].len);
		check(fast[i].len == 0 || fast[i].at == slow[i].at);
	}
	return is_match;
}

static void check_path(const struct romfs *fs, const uint8_t *path, size_t len)
{
	const uint8_t *accepts = NULL;
	const uint32_t count = romfs_accepts(fs, 0, path, len, &accepts);
	uint32_t seen = 0;

	for (uint32_t i = 0; i < rule_count; i++) {
		if (!match(&rules[i], path, len))
			continue;
		check(seen < count && load_le32(accepts + 4 * (size_t)seen) == i);
		seen++;
		if (!compiled[i].can_fail)
			break;
	}
	check(seen == count);
}

typedef void line_function(const uint8_t *line, size_t len, uint8_t kind, void *context);

static void each_line(const uint8_t *data, size_t len, line_function *function, void *context)
{
	while (len > 0) {
		const uint8_t *const stop = memchr(data, '\n', len);
		const size_t line = stop != NULL ? (size_t)(stop - data) : len;

		if (line > 0)
			function(data + 1, line - 1, data[0], context);
		data += stop != NULL ? line + 1 : line;
		len -= stop != NULL ? line + 1 : line;
	}
}

static void take_rule(const uint8_t *line, size_t len, uint8_t kind, void *context)
{
	(void)context;
	if (kind & 1)
		add_rule(line, len, kind);
}

static void take_path(const uint8_t *line, size_t len, uint8_t kind, void *context)
{
	char path[TEXT_CAP];

	if ((kind & 1) == 0) {
		const size_t path_len = make_text(path, line, len, false);

		check_path(context, (const uint8_t *)path, path_len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct automata tables;
	struct rom_site site = { 0 };
	uint32_t start;
	size_t culprit;

	rule_count = 0;
	each_line(data, len, take_rule, NULL);
	automata_start(&tables);
	const char *const why =
	    automaton_add(&tables, compiled, rule_count, &start, &culprit);
	site.start = start;
	/* Only what the input can provoke: too many rules that match one path. */
	check(why == NULL || (strstr(why, "32") != NULL && culprit < rule_count));
	if (why == NULL) {
		const struct romfs fs = {
			.sites = (const uint8_t *)&site,
			.states = (const uint8_t *)tables.states,
			.edges = (const uint8_t *)tables.edges,
			.accepts = (const uint8_t *)tables.accepts,
		};

		each_line(data, len, take_path, (void *)(uintptr_t)&fs);
	}
	automata_free(&tables);
	for (size_t i = 0; i < rule_count; i++)
		free(rules[i].pattern.at);
	return 0;
}
