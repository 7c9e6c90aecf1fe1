/*
 * Record buffers; see records.h.
 *
 * users is 0 in a free element; the pool writes only the first word there.
 */
#include "net/records.h"

#include "net/conn.h"

struct record {
	struct link in_conn;     /* in conn->records, while there is a conn */
	struct net_conn *conn;
	uint32_t users;
	uint32_t zero;
	uint8_t bytes[];
};

_Static_assert(sizeof(struct record) == RECORD_HEAD_LEN &&
    RECORD_HEAD_LEN % 16 == 0, "bytes follow the head, aligned to 16");
_Static_assert(offsetof(struct record, in_conn) == 0, "a link is its record");
_Static_assert(RECORD_SMALL_SIZE % 16 == 0 && RECORD_SIZE % 16 == 0,
    "elements follow each other without gaps");
_Static_assert(LIMIT_RECORD_LEN < UINT16_MAX,
    "each user refers to bytes of its own, so they can be counted");

struct record_span record_span;

/* The record that an address lies in, and its pool. */
static struct record *record_of(const void *at, enum pool_id *id)
{
	const size_t off = (uintptr_t)at - record_span.start;
	size_t start;

	ASSERT(off < record_span.len);
	if (off < record_span.small_len) {
		*id = POOL_RECORD_SMALL;
		start = off - off % RECORD_SMALL_SIZE;
	} else {
		*id = POOL_RECORD;
		start = off - (off - record_span.small_len) % RECORD_SIZE;
	}
	return (struct record *)(record_span.start + start);
}

static uint32_t *count_of(struct net_conn *conn, enum pool_id id)
{
	return id == POOL_RECORD ? &conn->record_count :
	    &conn->small_record_count;
}

uint8_t *record_take(struct net_conn *conn, enum pool_id id)
{
	struct record *record = pool_take(id);

	if (record == NULL)
		return NULL;
	link_append(&conn->records, &record->in_conn);
	++*count_of(conn, id);
	record->conn = conn;
	record->users = 1;
	return record->bytes;
}

void record_disown(struct net_conn *conn)
{
	while (!link_empty(&conn->records)) {
		struct record *record =
		    (struct record *)(void *)conn->records.next;

		link_remove(&record->in_conn);
		record->conn = NULL;
	}
}

void record_use(const void *at)
{
	enum pool_id id;
	struct record *record = record_of(at, &id);

	ASSERT(record->users > 0 && record->users <= LIMIT_RECORD_LEN);
	record->users++;
}

void record_drop(const void *at)
{
	enum pool_id id;
	struct record *record = record_of(at, &id);

	ASSERT(record->users > 0);
	record->users--;
	if (record->users > 0)
		return;
	if (record->conn != NULL) {
		link_remove(&record->in_conn);
		--*count_of(record->conn, id);
	}
	pool_give(id, record);
}
