/*
 * Contract: automaton.h.  The subset construction (Rabin and Scott, 1959) on bytes.
 *
 * Patterns become `nodes`, those of a rule in one run and the rules' in their order: a
 * node is a place in a pattern and says what the next byte may be.  A state of the automaton
 * is the set of places where a path may be, as an ascending list of nodes; so it is also in
 * the order of the rules.  A rule that cannot fail and takes whatever follows hides those
 * behind it: their nodes are left out, which keeps ordinary sites' automata small.
 */
#include "romfs/mkromfs/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "romfs/mkromfs/memory.h"

enum node_kind {
	NODE_BYTE,               /* this byte, then the next node */
	NODE_FIRST,              /* NUL 1: a byte that is not '/', then the next node */
	NODE_MORE,               /* NUL 1: the same again, or the next node */
	NODE_ANY,                /* NUL 2: any byte again, or the next node */
	NODE_REST,               /* NUL 3: '/' and the next node, which is NODE_ANY; or the end */
	NODE_END,                /* the pattern's end: the rule matches */
};

struct node {
	uint32_t rule;
	uint8_t kind;            /* enum node_kind */
	uint8_t byte;
	bool hides;              /* see above */
};

/* A state while it is built: a set of nodes, in `positions`. */
struct set {
	size_t first;
	uint32_t count;
	uint32_t next_in_bucket; /* of the hash table: index + 1, 0: none */
};

struct builder {
	struct automata *tables;
	const struct automaton_rule *rules;
	struct node *nodes;
	size_t node_count, node_cap;
	uint32_t *positions;
	size_t position_count, position_cap;
	struct set *sets;        /* state tables->...[base + i] */
	size_t set_count, set_cap;
	size_t base;             /* the tables' states before this site's */
	uint32_t *buckets;       /* of the sets, by their hash: index + 1, 0: none */
	size_t bucket_count;     /* a power of two */
	uint64_t steps;
	const char *why;
	size_t culprit;
};

static void refuse(struct builder *b, const char *why, size_t culprit)
{
	if (b->why == NULL) {
		b->why = why;
		b->culprit = culprit;
	}
}

/* ---- Nodes --------------------------------------------------------------- */

static void add_node(struct builder *b, size_t rule, enum node_kind kind, uint8_t byte)
{
	b->nodes = xgrow(b->nodes, &b->node_cap, b->node_count + 1, sizeof *b->nodes);
	b->nodes[b->node_count++] =
	    (struct node){ .rule = (uint32_t)rule, .kind = (uint8_t)kind, .byte = byte };
}

static void add_rule(struct builder *b, size_t index)
{
	const struct automaton_rule *const rule = &b->rules[index];

	for (size_t i = 0; i < rule->len; i++) {
		if (rule->pattern[i] != 0) {
			add_node(b, index, NODE_BYTE, rule->pattern[i]);
			continue;
		}
		i++;
		ASSERT(i < rule->len && rule->pattern[i] >= 1 && rule->pattern[i] <= 3);
		if (rule->pattern[i] == 1) {
			add_node(b, index, NODE_FIRST, 0);
			add_node(b, index, NODE_MORE, 0);
			continue;
		}
		if (rule->pattern[i] == 3)
			add_node(b, index, NODE_REST, '/');
		add_node(b, index, NODE_ANY, 0);
		b->nodes[b->node_count - 1].hides = i + 1 == rule->len && !rule->can_fail;
	}
	add_node(b, index, NODE_END, 0);
}

/* ---- Sets ---------------------------------------------------------------- */

static void add_position(struct builder *b, uint32_t node)
{
	b->positions = xgrow(b->positions, &b->position_cap, b->position_count + 1,
	    sizeof *b->positions);
	b->positions[b->position_count++] = node;
}

/*
 * Add a node to the set that begins at `first`, and those that are reached from it without a
 * byte.  Nodes come in ascending order but for the ones that were reached so already.
 */
static void enter(struct builder *b, size_t first, uint32_t node)
{
	for (;; node++) {
		const struct node *const n = &b->nodes[node];

		if (b->position_count == first || b->positions[b->position_count - 1] < node)
			add_position(b, node);
		if (n->kind == NODE_REST) {
			/* Not the NODE_ANY behind it, which is behind the '/'. */
			if (b->positions[b->position_count - 1] < node + 2)
				add_position(b, node + 2);
			return;
		}
		if (n->kind != NODE_MORE && n->kind != NODE_ANY)
			return;
	}
}

/* Leave out what stands behind a rule that hides it. */
static void cut(struct builder *b, size_t first)
{
	for (size_t i = first; i < b->position_count; i++) {
		const struct node *const node = &b->nodes[b->positions[i]];
		size_t end = i + 1;

		if (!node->hides)
			continue;
		while (end < b->position_count && b->nodes[b->positions[end]].rule == node->rule)
			end++;
		b->position_count = end;
		return;
	}
}

static size_t hash_positions(const uint32_t *at, size_t count)
{
	uint64_t h = count;

	for (size_t i = 0; i < count; i++)
		h = rom_fold(h ^ at[i], ROM_HASH_K1);
	return (size_t)rom_fold(h, ROM_HASH_K0);
}

static size_t bucket_of(const struct builder *b, const struct set *set)
{
	return hash_positions(b->positions + set->first, set->count) & (b->bucket_count - 1);
}

static void link_set(struct builder *b, size_t index)
{
	uint32_t *const bucket = &b->buckets[bucket_of(b, &b->sets[index])];

	b->sets[index].next_in_bucket = *bucket;
	*bucket = (uint32_t)index + 1;
}

static void grow_buckets(struct builder *b)
{
	b->bucket_count = b->bucket_count == 0 ? 1024 : 4 * b->bucket_count;
	b->buckets = xrealloc(b->buckets, b->bucket_count * sizeof *b->buckets);
	memset(b->buckets, 0, b->bucket_count * sizeof *b->buckets);
	for (size_t i = 0; i < b->set_count; i++)
		link_set(b, i);
}

/* The rule to name when the set is too much: its last one that has a mark under way. */
static size_t widest_rule(const struct builder *b, const struct set *set)
{
	size_t rule = b->nodes[b->positions[set->first]].rule;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct node *const node = &b->nodes[b->positions[set->first + i]];

		if (node->kind == NODE_MORE || node->kind == NODE_ANY)
			rule = node->rule;
	}
	return rule;
}

/*
 * The state of the positions from `first` on: one that was there before, or a new one; 0 if
 * there are none.  They are kept if it is new.
 */
static uint32_t state_of(struct builder *b, size_t first)
{
	struct set set = { .first = first };

	cut(b, first);
	set.count = (uint32_t)(b->position_count - first);
	if (set.count == 0)
		return 0;
	for (uint32_t i = b->buckets[bucket_of(b, &set)]; i != 0;
	    i = b->sets[i - 1].next_in_bucket) {
		const struct set *const other = &b->sets[i - 1];

		if (other->count != set.count || memcmp(b->positions + other->first,
		    b->positions + first, set.count * sizeof *b->positions) != 0)
			continue;
		b->position_count = first;
		return (uint32_t)(b->base + i - 1);
	}
	if (b->set_count == LIMIT_RULE_STATES || b->base + b->set_count == ROM_STATE_CAP ||
	    b->position_count > LIMIT_RULE_POSITIONS) {
		refuse(b, "the rules with placeholders and '*' overlap too much: the table "
		    "that finds them would be too large; begin more of them with different "
		    "literal folders", widest_rule(b, &set));
		b->position_count = first;
		return 0;
	}
	if (b->set_count >= b->bucket_count / 2)
		grow_buckets(b);
	b->sets = xgrow(b->sets, &b->set_cap, b->set_count + 1, sizeof *b->sets);
	b->sets[b->set_count] = set;
	link_set(b, b->set_count);
	return (uint32_t)(b->base + b->set_count++);
}

/* ---- States -------------------------------------------------------------- */

/* Where a byte leads from a node: to the node itself, to the next, or nowhere. */
static bool goes_on(const struct node *node, int byte, uint32_t *step)
{
	*step = node->kind == NODE_BYTE || node->kind == NODE_FIRST || node->kind == NODE_REST;
	switch ((enum node_kind)node->kind) {
	case NODE_BYTE:
	case NODE_REST:
		return byte == node->byte;
	case NODE_FIRST:
	case NODE_MORE:
		return byte != '/';
	case NODE_ANY:
		return true;
	case NODE_END:
		return false;
	}
	return false;
}

/* The state behind a byte; byte -1: one that no node of the set names. */
static uint32_t follow(struct builder *b, size_t set, int byte)
{
	const size_t first = b->position_count;

	b->steps += b->sets[set].count;
	for (uint32_t i = 0; i < b->sets[set].count; i++) {
		const uint32_t node = b->positions[b->sets[set].first + i];
		uint32_t step;

		if (goes_on(&b->nodes[node], byte, &step))
			enter(b, first, node + step);
	}
	return state_of(b, first);
}

static void add_edge(struct automata *t, uint32_t target, unsigned byte)
{
	t->edges = xgrow(t->edges, &t->edge_cap, t->edge_count + 1, sizeof *t->edges);
	t->edges[t->edge_count++] = target << 8 | byte;
}

/* Bytes that nodes of the set name; '/' is one where it is the end of something. */
static void named_bytes(const struct builder *b, size_t set, bool *named)
{
	memset(named, 0, 256 * sizeof *named);
	for (uint32_t i = 0; i < b->sets[set].count; i++) {
		const struct node *const node = &b->nodes[b->positions[b->sets[set].first + i]];

		if (node->kind == NODE_BYTE || node->kind == NODE_REST)
			named[node->byte] = true;
		if (node->kind == NODE_FIRST || node->kind == NODE_MORE)
			named['/'] = true;
	}
}

static uint16_t add_accepts(struct builder *b, size_t set)
{
	struct automata *const t = b->tables;
	uint16_t count = 0;
	uint64_t conditions = 0;

	for (uint32_t i = 0; i < b->sets[set].count; i++) {
		const struct node *const node = &b->nodes[b->positions[b->sets[set].first + i]];

		if (node->kind != NODE_END)
			continue;
		conditions += b->rules[node->rule].conditions;
		if (conditions > LIMIT_RULE_CONDITIONS) {
			refuse(b, "the rules that match one path have more than 64 conditions "
			    "on the query", node->rule);
			break;
		}
		if (count == ROM_ACCEPT_CAP) {
			refuse(b, "more than 32 rules match one path, and each of them may "
			    "still not answer; put one before it that always does", node->rule);
			break;
		}
		t->accepts = xgrow(t->accepts, &t->accept_cap, t->accept_count + 1,
		    sizeof *t->accepts);
		t->accepts[t->accept_count++] = node->rule;
		count++;
		if (!b->rules[node->rule].can_fail)
			break;
	}
	return count;
}

static void build_state(struct builder *b, size_t set)
{
	struct automata *const t = b->tables;
	struct rom_state state = {
		.first_edge = (uint32_t)t->edge_count,
		.first_accept = (uint32_t)t->accept_count,
	};
	bool named[256];

	named_bytes(b, set, named);
	state.otherwise = follow(b, set, -1);
	for (unsigned byte = 0; byte < 256 && b->why == NULL; byte++) {
		if (!named[byte])
			continue;
		const uint32_t target = follow(b, set, (int)byte);
		if (target != state.otherwise)
			add_edge(t, target, byte);
	}
	state.edge_count = (uint16_t)(t->edge_count - state.first_edge);
	state.accept_count = add_accepts(b, set);
	if (b->steps > LIMIT_RULE_STEPS)
		refuse(b, "the rules with placeholders and '*' overlap too much: to find a "
		    "path's would take too long to prepare; begin more of them with different "
		    "literal folders", widest_rule(b, &b->sets[set]));
	t->states = xgrow(t->states, &t->state_cap, t->state_count + 1, sizeof *t->states);
	t->states[t->state_count++] = state;
}

void automata_start(struct automata *tables)
{
	*tables = (struct automata){ 0 };
	tables->states = xgrow(NULL, &tables->state_cap, 1, sizeof *tables->states);
	tables->states[tables->state_count++] = (struct rom_state){ 0 };
}

const char *automaton_add(struct automata *tables,
    const struct automaton_rule *rules, size_t count, uint32_t *start, size_t *culprit)
{
	struct builder b = {
		.tables = tables, .rules = rules, .base = tables->state_count,
	};

	*start = 0;
	*culprit = 0;
	if (count == 0)
		return NULL;
	grow_buckets(&b);
	for (size_t i = 0; i < count; i++) {
		const uint32_t node = (uint32_t)b.node_count;

		add_rule(&b, i);
		enter(&b, 0, node);
	}
	*start = state_of(&b, 0);
	for (size_t i = 0; i < b.set_count && b.why == NULL; i++)
		build_state(&b, i);
	*culprit = b.culprit;
	free(b.nodes);
	free(b.positions);
	free(b.sets);
	free(b.buckets);
	return b.why;
}

void automata_free(struct automata *tables)
{
	free(tables->states);
	free(tables->edges);
	free(tables->accepts);
	*tables = (struct automata){ 0 };
}
