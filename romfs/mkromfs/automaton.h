/*
 * From patterns to the automaton that finds, in one walk over a path, all rules that match.
 * Form: romfs/format.h, struct rom_state.
 */
#pragma once

#include "config/base.h"
#include "romfs/format.h"

/* The tables that all sites of an image share. */
struct automata {
	struct rom_state *states;       /* [0] is the dead state */
	size_t state_count, state_cap;
	uint32_t *edges;
	size_t edge_count, edge_cap;
	uint32_t *accepts;
	size_t accept_count, accept_cap;
};

struct automaton_rule {
	const uint8_t *pattern;  /* bytes of format.h, well-formed */
	size_t len;
	bool can_fail;           /* has conditions, or its target may name nothing */
	uint32_t conditions;     /* on the query */
};

void automata_start(struct automata *tables);

/*
 * Add the automaton of one site.
 *
 * rules    in their order; the index in this list is what states accept
 * start    the first state; 0 if count is 0
 * Returns  NULL, or a sentence that says what is too much (states, rules for one path); the
 *          index of a rule that has to do with it is in *culprit then
 */
MUST_USE const char *automaton_add(struct automata *tables,
    const struct automaton_rule *rules, size_t count, uint32_t *start, size_t *culprit);

void automata_free(struct automata *tables);
