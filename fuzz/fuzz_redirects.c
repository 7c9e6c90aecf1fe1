/* links: tests/host_panic.c tests/romfs/fake_report.c romfs/mkromfs/redirects.c
 *        romfs/mkromfs/pattern.c romfs/mkromfs/lines.c romfs/mkromfs/memory.c
 *        romfs/mkromfs/url.c romfs/mkromfs/automaton.c @romfs http/path.c http/chars.c
 *        -lunistring */
/*
 * Any bytes as _redirects.  What is accepted has the form that the reader insists on, can be
 * made an automaton of, and, where it leads, is made of characters of a URI.
 *
 * Input: one byte for the dialect, then the file.
 */
#include <stdlib.h>
#include <string.h>

#include "http/path.h"
#include "romfs/mkromfs/automaton.h"
#include "romfs/mkromfs/redirects.h"
#include "romfs/rules.h"
#include "tests/romfs/fake_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* Every mark of a target is a capture of the rule. */
static void check_marks(const struct rule_bytes *bytes, uint8_t captures)
{
	for (size_t i = 0; i < bytes->len; i++) {
		if (bytes->at[i] != 0)
			continue;
		check(++i < bytes->len && bytes->at[i] >= 1 && bytes->at[i] <= captures);
	}
}

/* RFC 3986, section 2, as its characters are listed there. */
static void check_uri(const struct rule_bytes *uri)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~:/?#[]@!$&'()*+,;=%";

	for (size_t i = 0; i < uri->len; i++) {
		if (uri->at[i] == 0)
			i++;
		else
			check(strchr(allowed, (char)uri->at[i]) != NULL);
	}
}

/* Where the host ends, before anything that a client chooses. */
static void check_host(const struct rule_bytes *uri)
{
	const uint8_t *const host = memmem(uri->at, uri->len, "://", 3);

	if (uri->at[0] == '/') {
		check(uri->len < 2 || uri->at[1] != '/');
		return;
	}
	check(host != NULL && host - uri->at <= 5);
	for (const uint8_t *at = host + 3; at < uri->at + uri->len; at++) {
		if (*at == '/' || *at == '?' || *at == '#')
			return;
		check(*at != 0 && *at != '@' && *at != '%');
	}
}

/* A path that http/path.h could have made: asked with what it is itself made of. */
static void check_path(const struct rule_bytes *path)
{
	uint8_t *const raw = malloc(3 * path->len);
	uint8_t *const room = malloc(3 * path->len);
	struct http_text text = { raw, 0 }, same;
	size_t len = 0;

	for (size_t i = 0; i < path->len; i++) {
		static const char hex[] = "0123456789abcdef";

		if (path->at[i] == '/') {
			raw[len++] = '/';
			continue;
		}
		raw[len++] = '%';
		raw[len++] = (uint8_t)hex[path->at[i] >> 4];
		raw[len++] = (uint8_t)hex[path->at[i] & 15];
	}
	text.len = len;
	check(http_normalise_path(text, room, 3 * path->len, &same) == HTTP_PATH_OK);
	check(same.len == path->len && memcmp(same.at, path->at, same.len) == 0);
	free(raw);
	free(room);
}

static void check_rule(const struct redirect *rule)
{
	const bool is_rewrite = rule->status == 200 || rule->status == 404;
	uint8_t captures, of_query;

	check(romfs_pattern_ok((struct romfs_pattern){ rule->pattern.at, rule->pattern.len },
	    &captures));
	check(romfs_query_ok((struct romfs_pattern){ rule->query.at, rule->query.len },
	    &of_query));
	check(captures + of_query == rule->capture_count);
	check(rule->capture_count <= ROM_CAPTURE_CAP);
	check(rule->target.len > 0 && rule->tail.len <= UINT16_MAX &&
	    rule->target.len <= UINT16_MAX && rule->pattern.len <= UINT16_MAX);
	check_marks(&rule->target, rule->capture_count);
	if (rule->is_static)
		check_path(&rule->pattern);
	if (is_rewrite && rule->target_is_static)
		check_path(&rule->target);
	if (is_rewrite)
		return;
	check_uri(&rule->target);
	check_uri(&rule->tail);
	check_host(&rule->target);
	check(rule->tail.len == 0 || rule->tail.at[0] == '#');
	check(!rule->keeps_query || memchr(rule->target.at, '?', rule->target.len) == NULL);
}

static void check_automaton(const struct redirects *redirects)
{
	struct automaton_rule *const rules = calloc(redirects->count + 1, sizeof *rules);
	struct automata tables;
	uint32_t start;
	size_t culprit;

	for (size_t i = 0; i < redirects->count; i++)
		rules[i] = (struct automaton_rule){
			.pattern = redirects->rules[i].pattern.at,
			.len = redirects->rules[i].pattern.len,
			.can_fail = redirects->rules[i].query.len > 0,
		};
	automata_start(&tables);
	if (automaton_add(&tables, rules, redirects->count, &start, &culprit) != NULL)
		check(culprit < redirects->count);
	automata_free(&tables);
	free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct redirects redirects;

	if (len == 0)
		return 0;
	fake_report.count = 0;
	redirects_read(&redirects, "_redirects", (const char *)data + 1, len - 1,
	    data[0] & 1 ? REDIRECTS_CLOUDFLARE : REDIRECTS_NETLIFY);
	for (size_t i = 0; i < redirects.count; i++)
		check_rule(&redirects.rules[i]);
	check_automaton(&redirects);
	redirects_free(&redirects);
	return 0;
}
