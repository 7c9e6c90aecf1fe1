/*
 * Are a site's rules well-formed, and does its automaton stay inside itself?  Contract:
 * check.h.
 */
#include "romfs/check.h"
#include "romfs/rules.h"

#define BIT(c) (1ull << ((c) & 63))

static bool is_uri_char(uint8_t c)
{
	static const uint64_t others[2] = {
		0xffffffffu | BIT(' ') | BIT('"') | BIT('<') | BIT('>'),
		BIT('\\') | BIT('^') | BIT('`') | BIT('{') | BIT('|') | BIT('}') | BIT(0x7f),
	};

	return c < 0x80 && (others[c / 64] & BIT(c)) == 0;
}

bool check_is_uri(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_uri_char(bytes[i]))
			return false;
	}
	return true;
}

static bool target_ok(const struct check *c, const struct rom_rule *r)
{
	const uint8_t *target = (const uint8_t *)check_records(c, ROM_PATHS) + r->target_off;

	for (uint32_t i = 0; i < r->target_len; i++) {
		if (target[i] == 0) {
			i++;
			if (i == r->target_len || target[i] == 0 ||
			    target[i] > r->capture_count)
				return false;
		} else if (r->status != 200 && !is_uri_char(target[i])) {
			return false;
		}
	}
	return true;
}

/* Where a rule leads: to an entry, to a path yet to be made, or elsewhere. */
static bool answer_ok(const struct check *c, const struct rom_site *s,
    const struct rom_rule *r)
{
	const struct rom_entry *entries = check_records(c, ROM_ENTRIES);
	const uint8_t *tail = (const uint8_t *)check_records(c, ROM_PATHS) + r->tail_off;

	if (check_is_redirect(r->status))
		return r->target_len > 0 && r->entry == ROM_NONE && target_ok(c, r) &&
		    (r->tail_len == 0 || tail[0] == '#') && check_is_uri(tail, r->tail_len);
	if (r->tail_len != 0 || (r->flags & ROM_RULE_KEEP_QUERY) != 0)
		return false;
	if (r->target_len > 0)
		return r->status == 200 && r->entry == ROM_NONE && target_ok(c, r);
	if (r->entry >= (uint64_t)s->slot_count + s->page_count ||
	    entries[s->first_entry + (size_t)r->entry].first.status != r->status)
		return false;
	/* A page for what is not found; or a file, in the place of what was asked for. */
	return r->status == 404 ? r->entry >= s->slot_count : r->status == 200;
}

static enum romfs_status check_rule(const struct check *c, const struct rom_site *s,
    const struct rom_rule *r)
{
	const uint8_t *paths = check_records(c, ROM_PATHS);
	uint8_t path_captures, query_captures;

	if (!check_inside_paths(c, r->pattern_off, r->pattern_len) ||
	    !check_inside_paths(c, r->query_off, r->query_len) ||
	    !check_inside_paths(c, r->target_off, r->target_len) ||
	    !check_inside_paths(c, r->tail_off, r->tail_len))
		return ROMFS_BAD_OFFSET;
	if ((r->flags & ~(ROM_RULE_FORCED | ROM_RULE_KEEP_QUERY)) != 0 ||
	    !romfs_pattern_ok((struct romfs_pattern){ paths + r->pattern_off,
	    r->pattern_len }, &path_captures) ||
	    !romfs_query_ok((struct romfs_pattern){ paths + r->query_off,
	    r->query_len }, &query_captures))
		return ROMFS_BAD_RULE;
	if (r->capture_count > ROM_CAPTURE_CAP ||
	    r->capture_count != path_captures + query_captures ||
	    !answer_ok(c, s, r))
		return ROMFS_BAD_RULE;
	return ROMFS_OK;
}

/* The dead state, or one of the site's. */
static bool state_is_own(const struct rom_site *s, uint32_t state)
{
	return state == 0 ||
	    (state >= s->first_state && state - s->first_state < s->state_count);
}

static enum romfs_status check_state(const struct check *c, const struct rom_site *s,
    const struct rom_state *state)
{
	const uint8_t *edges = check_records(c, ROM_EDGES);
	const uint8_t *accepts = check_records(c, ROM_ACCEPTS);

	if (state->first_edge > c->counts[ROM_EDGES] ||
	    state->edge_count > c->counts[ROM_EDGES] - state->first_edge ||
	    state->first_accept > c->counts[ROM_ACCEPTS] ||
	    state->accept_count > c->counts[ROM_ACCEPTS] - state->first_accept)
		return ROMFS_BAD_OFFSET;
	if (!state_is_own(s, state->otherwise) || state->accept_count > ROM_ACCEPT_CAP)
		return ROMFS_BAD_RULE;
	edges += 4 * (size_t)state->first_edge;
	for (uint32_t i = 0; i < state->edge_count; i++) {
		const uint32_t edge = load_le32(edges + 4 * (size_t)i);

		if (!state_is_own(s, edge >> 8) ||
		    (i > 0 && (edge & 0xff) <= edges[4 * (size_t)(i - 1)]))
			return ROMFS_BAD_RULE;
	}
	accepts += 4 * (size_t)state->first_accept;
	for (uint32_t i = 0; i < state->accept_count; i++) {
		const uint8_t *accept = accepts + 4 * (size_t)i;

		if (load_le32(accept) >= s->rule_count ||
		    (i > 0 && load_le32(accept) <= load_le32(accept - 4)))
			return ROMFS_BAD_RULE;
	}
	return ROMFS_OK;
}

enum romfs_status check_rules(const struct check *c, const struct rom_site *s)
{
	const struct rom_rule *rules = check_records(c, ROM_RULES);
	const struct rom_state *states = check_records(c, ROM_STATES);
	enum romfs_status status = ROMFS_OK;

	if (s->rule_count == 0)
		return s->state_count == 0 && s->start == 0 ? ROMFS_OK : ROMFS_BAD_RULE;
	if (s->start == 0 || !state_is_own(s, s->start))
		return ROMFS_BAD_RULE;
	for (uint32_t i = 0; i < s->rule_count && status == ROMFS_OK; i++)
		status = check_rule(c, s, &rules[s->first_rule + (size_t)i]);
	for (uint32_t i = 0; i < s->state_count && status == ROMFS_OK; i++)
		status = check_state(c, s, &states[s->first_state + (size_t)i]);
	return status;
}
