/*
 * The table of sessions; see sessions.h.
 *
 * It is an array of sets of eight entries.  Ids are 32 bytes that we drew at
 * random, so their own bytes are hash enough: nobody can aim saved ids at one
 * set.  A client can ask for any id, which reads one set and changes nothing;
 * all of its ids are compared, to their end.
 *
 * An entry is free if and only if saved_ms is 0, and is all zeroes then.
 */
#include "tls/sessions.h"

#include "tls/secret.h"

#define WAYS 8u
#define SETS (LIMIT_SESSIONS / WAYS)

_Static_assert(LIMIT_SESSIONS % WAYS == 0 && (SETS & (SETS - 1)) == 0,
    "a few bits of an id name a set");

struct entry {
	uint64_t saved_ms;   /* 1 more than the time, so that no time is 0 */
	uint8_t id[SESSION_ID_LEN];
	struct session session;
};

static struct entry table[SETS][WAYS];

void sessions_start(void)
{
	wipe(table, sizeof table);
}

static struct entry *set_of(const uint8_t id[SESSION_ID_LEN])
{
	return table[load_le32(id) & (SETS - 1)];
}

static bool is_alive(const struct entry *e, uint64_t now_ms)
{
	return e->saved_ms != 0 &&
	    now_ms - (e->saved_ms - 1) <= LIMIT_SESSION_MS;
}

/* The entry of this id, or NULL; all are looked at in any case. */
static struct entry *find_entry(const uint8_t id[SESSION_ID_LEN])
{
	struct entry *const set = set_of(id);
	struct entry *found = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		const uint64_t same = ct_equal(set[i].id, id, SESSION_ID_LEN);

		if ((same & 1) != 0 && set[i].saved_ms != 0)
			found = &set[i];
	}
	return found;
}

void sessions_save(const uint8_t id[SESSION_ID_LEN],
    const struct session *session, uint64_t now_ms)
{
	struct entry *const set = set_of(id);
	struct entry *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].saved_ms != 0 && !is_alive(&set[i], now_ms))
			wipe(&set[i], sizeof set[i]);
		if (set[i].saved_ms < oldest->saved_ms)
			oldest = &set[i];
	}
	wipe(oldest, sizeof *oldest);
	oldest->saved_ms = now_ms + 1;
	memcpy(oldest->id, id, SESSION_ID_LEN);
	oldest->session = *session;
}

bool sessions_find(const uint8_t id[SESSION_ID_LEN], uint64_t now_ms,
    struct session *out)
{
	struct entry *const e = find_entry(id);

	if (e == NULL)
		return false;
	if (!is_alive(e, now_ms)) {
		wipe(e, sizeof *e);
		return false;
	}
	*out = e->session;
	return true;
}

void sessions_forget(const uint8_t id[SESSION_ID_LEN])
{
	struct entry *const e = find_entry(id);

	if (e != NULL)
		wipe(e, sizeof *e);
}
