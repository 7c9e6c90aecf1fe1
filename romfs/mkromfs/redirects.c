/*
 * Contract: redirects.h.
 *
 * A line is words: a source, conditions on the query, a target, a status, conditions on the
 * visitor (refused).  What each word is follows from the first that looks like a target.
 */
#include "romfs/mkromfs/redirects.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/limits.h"
#include "romfs/mkromfs/lines.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/rules.h"

/* Words of a line: more than all parts of a rule with every capture in its query. */
#define WORDS_CAP 40u

struct word {
	const char *at;
	size_t len;
};

struct words {
	struct word list[WORDS_CAP];
	size_t count;
	size_t target;           /* index of the target */
};

static bool word_is(struct word word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

static bool word_begins(struct word word, const char *text)
{
	return word.len >= strlen(text) && strncasecmp(word.at, text, strlen(text)) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- Words --------------------------------------------------------------- */

/* Cut a line at its blanks, up to a comment. */
static const char *split(struct words *out, const char *at, const char *end)
{
	out->count = 0;
	for (;;) {
		while (at < end && is_blank(*at))
			at++;
		if (at == end || *at == '#')
			return NULL;
		if (out->count == WORDS_CAP)
			return "the line has too many words";

		struct word *const word = &out->list[out->count++];
		word->at = at;
		while (at < end && !is_blank(*at))
			at++;
		word->len = (size_t)(at - word->at);
	}
}

static bool is_url(struct word word)
{
	return word_begins(word, "http://") || word_begins(word, "https://");
}

static bool is_status(struct word word)
{
	size_t digits = 0;

	while (digits < word.len && word.at[digits] >= '0' && word.at[digits] <= '9')
		digits++;
	return digits == 3;
}

static const char *find_target(struct words *words)
{
	if (words->count == 1)
		return "a target is missing; a line is: /source /target status";
	for (size_t i = 1; i < words->count; i++) {
		const struct word word = words->list[i];

		if (word.at[0] == '/' || is_url(word)) {
			words->target = i;
			return NULL;
		}
		if (is_status(word))
			return "a target is missing before the status; a line is: /source "
			    "/target status";
		if (memchr(word.at, '=', word.len) == NULL)
			return "the target has to begin with '/', \"https://\" or "
			    "\"http://\"; before it there may be only conditions on the "
			    "query: name=value";
	}
	return "a target is missing; it has to begin with '/', \"https://\" or \"http://\"";
}

/* ---- Status and what follows it ------------------------------------------ */

static const char *read_status(struct redirect *rule, struct word word)
{
	static const char *const known[] = { "200", "301", "302", "303", "307", "308", "404" };

	if (word.len > 0 && word.at[word.len - 1] == '!') {
		rule->forced = true;
		word.len--;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (word_is(word, known[i])) {
			rule->status = (uint16_t)atoi(known[i]);
			return NULL;
		}
	}
	return "the status has to be 200, 301, 302, 303, 307, 308 or 404, with '!' behind it to "
	    "go before files";
}

/* A word behind the status, or in its place. */
static const char *refuse_condition(struct word word)
{
	static const struct {
		const char *name;
		const char *why;
	} conditions[] = {
		{ "Country=", "conditions on the country are not offered: the server does not "
		    "know where a visitor is; offer a choice on a page" },
		{ "Language=", "conditions on the language are not offered: every visitor gets "
		    "the same answer; offer a choice on a page, or let a script choose" },
		{ "Role=", "conditions on a role are not offered: the server knows no users, and "
		    "everybody can read all of the image" },
		{ "Cookie=", "conditions on cookies are not offered: every visitor gets the same "
		    "answer; let a script look at the cookie" },
		{ "Sign=", "signed proxying is not offered: the server asks no other server" },
		{ "Agent=", "conditions on the client are not offered: every visitor gets the "
		    "same answer" },
	};

	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		if (word_begins(word, conditions[i].name))
			return conditions[i].why;
	}
	return NULL;
}

static const char *read_rest(struct redirect *rule, const struct words *words)
{
	for (size_t i = words->target + 1; i < words->count; i++) {
		const char *why = refuse_condition(words->list[i]);

		if (why == NULL && i == words->target + 1)
			why = read_status(rule, words->list[i]);
		else if (why == NULL)
			why = "nothing may follow the status but a comment; conditions on the "
			    "query (name=value) stand before the target";
		if (why != NULL)
			return why;
	}
	return NULL;
}

/* ---- Conditions on the query --------------------------------------------- */

/* A literal as it stands in a request: what a URI may not hold is percent-encoded. */
static const char *put_literal(struct rule_bytes *out, const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] == '&' || at[i] == '#')
			return "a name or value of the query has no '&' and no '#'; write "
			    "\"%26\" or \"%23\"";
		if (at[i] == '%')
			out->at[out->len++] = '%';
		else
			out->len += pattern_put_uri(out->at + out->len, (uint8_t)at[i]);
	}
	return NULL;
}

static bool has_condition(const struct rule_bytes *query, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < query->len; ) {
		const char *const at = (const char *)query->at + i;

		if (strlen(at) + 1 == len && memcmp(at, name, len) == 0)
			return true;
		i += strlen(at) + 1;
		i += strlen((const char *)query->at + i) + 1;
	}
	return false;
}

static const char *read_condition(struct rule_bytes *query, struct rule_names *names,
    struct word word)
{
	const char *const equals = memchr(word.at, '=', word.len);
	const char *const value = equals + 1;
	const size_t value_len = (size_t)(word.at + word.len - value);
	const size_t start = query->len;
	const size_t name = pattern_placeholder_len(value, value_len);

	if (equals == word.at)
		return "a condition on the query has no name; it is: name=value";
	const char *why = put_literal(query, word.at, (size_t)(equals - word.at));
	if (why != NULL)
		return why;
	query->at[query->len++] = 0;
	if (has_condition(&(struct rule_bytes){ query->at, start }, query->at + start,
	    query->len - start))
		return "there are two conditions on one name of the query";
	if (name > 0 && name < value_len)
		return "a placeholder stands for a whole value of the query: name=:value";
	if (name > 0) {
		query->at[query->len++] = 1;
		why = pattern_add_name(names, value + 1, name - 1);
	} else {
		why = put_literal(query, value, value_len);
	}
	query->at[query->len++] = 0;
	return why;
}

static const char *read_query(struct redirect *rule, struct rule_names *names,
    const struct words *words)
{
	size_t room = 0;

	for (size_t i = 1; i < words->target; i++)
		room += 3 * words->list[i].len + 2;
	rule->query = (struct rule_bytes){ .at = xmalloc(room) };
	for (size_t i = 1; i < words->target; i++) {
		const char *const why = read_condition(&rule->query, names, words->list[i]);

		if (why != NULL)
			return why;
	}
	return rule->query.len <= LIMIT_TARGET_LEN ? NULL :
	    "the conditions are longer than any request may be (8000 bytes)";
}

/* ---- Rules --------------------------------------------------------------- */

static bool has_marks(const struct rule_bytes *bytes)
{
	return memchr(bytes->at, 0, bytes->len) != NULL;
}

static bool matches(const struct rule_bytes *pattern, const struct rule_bytes *path)
{
	struct romfs_capture captures[ROM_CAPTURE_CAP];
	uint8_t count = 0;

	return romfs_match_path((struct romfs_pattern){ pattern->at, pattern->len },
	    path->at, path->len, captures, &count);
}

/* Does a client that follows the redirect ask for a path of the same pattern? */
static bool leads_to_itself(const struct redirect *rule)
{
	const struct rule_names none = { 0 };
	struct rule_bytes path;
	size_t len = 0;

	if (rule->status == 200 || rule->status == 404 || rule->query.len > 0 ||
	    !rule->target_is_static || rule->target.at[0] != '/')
		return false;
	while (len < rule->target.len && rule->target.at[len] != '?')
		len++;
	const bool same = pattern_read_path(&path, &none, (const char *)rule->target.at,
	    len) == NULL && matches(&rule->pattern, &path);
	free(path.at);
	return same;
}

static const char *read_source(struct redirect *rule, struct rule_names *names,
    struct word word, enum redirects_dialect dialect)
{
	if (word.at[0] != '/' && memmem(word.at, word.len, "://", 3) != NULL)
		return "a source has no host: it is a path of every name of the site; give a "
		    "name that answers otherwise a folder of its own in SITES";
	if (word.at[0] != '/')
		return "a source has to begin with '/'; a line is: /source /target status";
	return pattern_read_source(&rule->pattern, names, word.at, word.len,
	    dialect == REDIRECTS_NETLIFY ? STAR_FOLDER : STAR_EXACT);
}

static const char *read_target(struct redirect *rule, const struct rule_names *names,
    struct word word)
{
	bool has_query;

	if (rule->status != 200 && rule->status != 404) {
		const char *const why = pattern_read_uri(&rule->target, &rule->tail, &has_query,
		    names, word.at, word.len);

		rule->keeps_query = !has_query && rule->query.len == 0 &&
		    memchr(rule->target.at, '#', rule->target.len) == NULL;
		return why;
	}
	if (is_url(word))
		return "proxying is not offered: the server asks no other server; redirect "
		    "there with 302 or 307";
	const char *const why = pattern_read_path(&rule->target, names, word.at, word.len);
	if (why == NULL && rule->status == 404 && has_marks(&rule->target))
		return "the page of a 404 rule is one file; write a line for each, without "
		    "placeholders in the target";
	return why;
}

static void free_rule(struct redirect *rule)
{
	free(rule->pattern.at);
	free(rule->query.at);
	free(rule->target.at);
	free(rule->tail.at);
}

static const char *read_rule(struct redirect *rule, struct words *words,
    enum redirects_dialect dialect)
{
	struct rule_names names = { 0 };
	const char *why = find_target(words);

	rule->status = dialect == REDIRECTS_NETLIFY ? 301 : 302;
	rule->forced = dialect == REDIRECTS_CLOUDFLARE;
	if (why == NULL)
		why = read_source(rule, &names, words->list[0], dialect);
	if (why == NULL)
		why = read_query(rule, &names, words);
	if (why == NULL)
		why = read_rest(rule, words);
	if (why == NULL)
		why = read_target(rule, &names, words->list[words->target]);
	if (why != NULL)
		return why;
	rule->capture_count = (uint8_t)names.count;
	rule->is_static = !has_marks(&rule->pattern);
	rule->target_is_static = !has_marks(&rule->target);
	return NULL;
}

static struct rule_bytes copy_bytes(const struct rule_bytes *from, size_t more)
{
	struct rule_bytes copy = { .at = xmalloc(from->len + more), .len = from->len };

	if (from->len > 0)
		memcpy(copy.at, from->at, from->len);
	return copy;
}

static void append(struct redirects *out, const struct redirect *rule)
{
	out->rules = xgrow(out->rules, &out->cap, out->count + 1, sizeof *out->rules);
	out->rules[out->count++] = *rule;
}

/*
 * Netlify: a '/' at the end of a source does not matter.  So the other form is a rule, too,
 * but for one that would lead to itself: "/a /a/" is not for "/a/".
 */
static void append_other_form(struct redirects *out, const struct redirect *rule)
{
	const struct rule_bytes *const pattern = &rule->pattern;
	const bool has_slash = pattern->at[pattern->len - 1] == '/';
	struct redirect other = *rule;

	for (size_t i = 0; i + 1 < pattern->len; i++) {
		if (pattern->at[i] == 0 && pattern->at[i + 1] != 1)
			return;
	}
	if (pattern->len == 1)
		return;
	other.pattern = copy_bytes(pattern, 1);
	if (has_slash)
		other.pattern.len--;
	else
		other.pattern.at[other.pattern.len++] = '/';
	other.query = copy_bytes(&rule->query, 0);
	other.target = copy_bytes(&rule->target, 0);
	other.tail = copy_bytes(&rule->tail, 0);
	if (leads_to_itself(&other))
		free_rule(&other);
	else
		append(out, &other);
}

struct reader {
	struct redirects *out;
	enum redirects_dialect dialect;
};

static void read_line(const struct line *line, void *context)
{
	const struct reader *const r = context;
	struct redirect rule = { .line = line->number };
	struct words words;
	const char *why = split(&words, line->at, line->at + line->len);

	if (why == NULL)
		why = read_rule(&rule, &words, r->dialect);
	if (why != NULL) {
		line_error(line, why);
		free_rule(&rule);
		return;
	}
	append(r->out, &rule);
	if (r->dialect == REDIRECTS_NETLIFY)
		append_other_form(r->out, &rule);
}

void redirects_read(struct redirects *out, const char *name, const char *text, size_t len,
    enum redirects_dialect dialect)
{
	struct reader reader = { .out = out, .dialect = dialect };

	*out = (struct redirects){ 0 };
	lines_read(name, text, len, read_line, &reader);
}

void redirects_free(struct redirects *redirects)
{
	for (size_t i = 0; i < redirects->count; i++)
		free_rule(&redirects->rules[i]);
	free(redirects->rules);
	*redirects = (struct redirects){ 0 };
}
