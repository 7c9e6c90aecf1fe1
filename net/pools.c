/*
 * Pools; see pools.h.  A pool is a stack of free elements linked through their
 * first word.  `fresh` is the part of the pool never taken so far: elements
 * move from there to the stack as they are given back, so that a start touches
 * no memory.
 *
 * In use: level = (fresh - base) / size - elements on the stack.
 */
#include "net/pools.h"

#include "net/conn.h"
#include "net/poison.h"
#include "net/records.h"
#include "net/text.h"

#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/mld6.h"
#include "lwip/pbuf.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/udp.h"

#define ALIGN_16(len) (((len) + 15u) & ~15u)

/*
 * What pbuf_alloc() asks mem_malloc() for, by payload length and room for
 * headers.
 */
#define RAM_LEN(layer, len) \
	(LWIP_MEM_ALIGN_SIZE(sizeof(struct pbuf)) + \
	    LWIP_MEM_ALIGN_SIZE((size_t)(layer)) + LWIP_MEM_ALIGN_SIZE((size_t)(len)))

#define SMALL_LEN ALIGN_16(RAM_LEN(PBUF_TRANSPORT, 16))
#define MEDIUM_LEN ALIGN_16(RAM_LEN(PBUF_TRANSPORT, NET_COPY_MAX))
#define FRAME_LEN ALIGN_16(RAM_LEN(PBUF_LINK, 1500))
#define OTHER_LEN 160

struct pool {
	void *free;           /* linked through the first word of each */
	uint8_t *base;
	uint8_t *fresh;
	uint8_t *end;
	uint32_t size;
	uint32_t capacity;
	uint32_t level;
	uint32_t peak;
};

static struct pool pools[POOL_COUNT];

static const char names[POOL_COUNT][16] = {
	[POOL_CONN] = "conn",
	[POOL_PCB] = "pcb",
	[POOL_SEGMENT] = "segment",
	[POOL_REF] = "ref",
	[POOL_SMALL] = "small",
	[POOL_MEDIUM] = "medium",
	[POOL_FRAME] = "frame",
	[POOL_HOLD] = "hold",
	[POOL_SESSION] = "session",
	[POOL_HANDSHAKE] = "handshake",
	[POOL_RECORD_SMALL] = "small_record",
	[POOL_RECORD] = "record",
	[POOL_DATAGRAM] = "datagram",
	[POOL_OTHER] = "other",
};

/* lwIP's element types and the pools that serve them. */
static const struct {
	uint8_t pool;
	uint16_t size;
} types[MEMP_MAX] = {
	[MEMP_UDP_PCB] = { POOL_OTHER, sizeof(struct udp_pcb) },
	[MEMP_TCP_PCB] = { POOL_PCB, sizeof(struct tcp_pcb) },
	[MEMP_TCP_PCB_LISTEN] = { POOL_OTHER, sizeof(struct tcp_pcb_listen) },
	[MEMP_TCP_SEG] = { POOL_SEGMENT, sizeof(struct tcp_seg) },
	[MEMP_ND6_QUEUE] = { POOL_OTHER, sizeof(struct nd6_q_entry) },
	[MEMP_MLD6_GROUP] = { POOL_OTHER, sizeof(struct mld_group) },
	[MEMP_PBUF] = { POOL_REF, sizeof(struct pbuf) },
	[MEMP_PBUF_POOL] = { POOL_COUNT, 0 },
};

_Static_assert(sizeof(struct udp_pcb) <= OTHER_LEN &&
    sizeof(struct tcp_pcb_listen) <= OTHER_LEN &&
    sizeof(struct nd6_q_entry) <= OTHER_LEN &&
    sizeof(struct mld_group) <= OTHER_LEN,
    "an element of the shared pool holds each type it serves");

/*
 * How many elements each connection brings.  A response in flight takes a
 * segment, a header with copied bytes and a reference; the rest is for long
 * bodies. Numbers of fixed size serve the machine as a whole.  A small record
 * for everyone gets each response begun, or a short one done; large ones are for
 * the few that are in the middle of something long.
 */
static uint32_t plan(enum pool_id id, uint32_t conns,
    const struct net_needs *needs)
{
	switch (id) {
	case POOL_CONN:
		return conns;
	case POOL_PCB:
		return conns + LIMIT_HALF_OPEN;
	case POOL_SEGMENT:
	case POOL_REF:
	case POOL_SMALL:
		return 6 * conns + LIMIT_TX_FRAMES;
	case POOL_MEDIUM:
		return conns + 64;
	case POOL_FRAME:
		return 64;
	case POOL_HOLD:
		return conns / LIMIT_CONNS_PER_HOLD + 4;
	case POOL_SESSION:
		return needs->session_len > 0 ? conns : 0;
	case POOL_HANDSHAKE:
		return needs->handshake_len > 0 ?
		    conns / LIMIT_CONNS_PER_HANDSHAKE + 4 : 0;
	case POOL_RECORD_SMALL:
		return needs->records ? conns + 4 : 0;
	case POOL_RECORD:
		return needs->records ? conns / LIMIT_CONNS_PER_RECORD + 4 : 0;
	case POOL_DATAGRAM:
		return needs->datagrams;
	case POOL_OTHER:
		return 16 + MEMP_NUM_MLD6_GROUP + MEMP_NUM_ND6_QUEUE;
	case POOL_COUNT:
		break;
	}
	panic("no such pool");
}

static uint32_t size_of(enum pool_id id, const struct net_needs *needs)
{
	switch (id) {
	case POOL_CONN:
		return ALIGN_16(conn_object_len());
	case POOL_PCB:
		return ALIGN_16(sizeof(struct tcp_pcb));
	case POOL_SEGMENT:
		return ALIGN_16(sizeof(struct tcp_seg));
	case POOL_REF:
		return ALIGN_16(sizeof(struct pbuf));
	case POOL_SMALL:
		return SMALL_LEN;
	case POOL_MEDIUM:
		return MEDIUM_LEN;
	case POOL_FRAME:
		return FRAME_LEN;
	case POOL_HOLD:
		return ALIGN_16(LIMIT_HOLD_LEN);
	case POOL_SESSION:
		return (uint32_t)ALIGN_16(needs->session_len);
	case POOL_HANDSHAKE:
		return (uint32_t)ALIGN_16(needs->handshake_len);
	case POOL_RECORD_SMALL:
		return RECORD_SMALL_SIZE;
	case POOL_RECORD:
		return RECORD_SIZE;
	case POOL_DATAGRAM:
		return ALIGN_16(sizeof(struct datagram));
	case POOL_OTHER:
		return OTHER_LEN;
	case POOL_COUNT:
		break;
	}
	panic("no such pool");
}

static uint64_t planned_len(uint32_t conns, const struct net_needs *needs)
{
	uint64_t len = 0;

	for (enum pool_id id = 0; id < POOL_COUNT; id++)
		len += (uint64_t)plan(id, conns, needs) * size_of(id, needs);
	return len;
}

/* As many connections as there is memory for, LIMIT_CONNECTIONS at most. */
static uint32_t plan_conns(uint64_t len, const struct net_needs *needs)
{
	uint64_t conns = len / (needs->records ? LIMIT_TLS_CONN_SHARE_LEN :
	    LIMIT_CONN_SHARE_LEN);

	if (conns > LIMIT_CONNECTIONS)
		conns = LIMIT_CONNECTIONS;
	while (conns > 0 && planned_len((uint32_t)conns, needs) > len)
		conns -= (conns + 15) / 16;
	return (uint32_t)conns;
}

/* Large records beyond the plan: what the plan leaves is theirs. */
static uint32_t spare_records(uint32_t conns, uint64_t len,
    const struct net_needs *needs)
{
	const uint64_t spare = (len - planned_len(conns, needs)) / RECORD_SIZE;
	const uint32_t planned = plan(POOL_RECORD, conns, needs);

	if (!needs->records || planned >= LIMIT_RECORDS)
		return 0;
	return spare < LIMIT_RECORDS - planned ? (uint32_t)spare :
	    LIMIT_RECORDS - planned;
}

/* Where record_holds() looks: both pools of records, one after the other. */
static struct record_span span_of_records(void)
{
	const struct pool *small = &pools[POOL_RECORD_SMALL];
	const struct pool *large = &pools[POOL_RECORD];

	ASSERT(small->end == large->base);
	return (struct record_span){
		.start = (uintptr_t)small->base,
		.len = (size_t)(large->end - small->base),
		.small_len = (size_t)(small->end - small->base),
	};
}

uint32_t pools_start(uint8_t *memory, uint64_t len,
    const struct net_needs *needs)
{
	const uint8_t *end = memory + len;
	const uint32_t conns = plan_conns(len, needs);

	if (conns == 0)
		return 0;
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		struct pool *pool = &pools[id];

		*pool = (struct pool){
			.size = size_of(id, needs),
			.capacity = plan(id, conns, needs),
			.base = memory,
			.fresh = memory,
		};
		if (id == POOL_RECORD)
			pool->capacity += spare_records(conns, len, needs);
		memory += (uint64_t)pool->capacity * pool->size;
		pool->end = memory;
		ASSERT(pool->end <= end);
		poison(pool->base, (size_t)(pool->end - pool->base));
	}
	record_span = span_of_records();
	return conns;
}

static inline void *take(struct pool *pool)
{
	void *element = pool->free;

	if (__builtin_expect(element != NULL, 1)) {
		unpoison(element, pool->size);
		pool->free = *(void **)element;
	} else if (pool->fresh < pool->end) {
		element = pool->fresh;
		pool->fresh += pool->size;
		unpoison(element, pool->size);
	} else {
		return NULL;
	}
	pool->level++;
	if (pool->level > pool->peak)
		pool->peak = pool->level;
	return element;
}

static inline void give(struct pool *pool, void *element)
{
	ASSERT(pool->level > 0);
	*(void **)element = pool->free;
	pool->free = element;
	pool->level--;
	poison(element, pool->size);
}

void *pool_take(enum pool_id id)
{
	return take(&pools[id]);
}

void pool_give(enum pool_id id, void *element)
{
	ASSERT((uint8_t *)element >= pools[id].base &&
	    (uint8_t *)element < pools[id].end);
	give(&pools[id], element);
}

uint32_t pool_left(enum pool_id id)
{
	return pools[id].capacity - pools[id].level;
}

uint32_t pool_capacity(enum pool_id id)
{
	return pools[id].capacity;
}

uint32_t pool_level(enum pool_id id)
{
	return pools[id].level;
}

_Static_assert(POOL_CONN == NET_POOL_CONNECTIONS, "net.h says so");

bool net_read_pool(uint32_t index, struct net_pool *out)
{
	if (index >= POOL_COUNT)
		return false;
	*out = (struct net_pool){
		.name = names[index],
		.used = pools[index].level,
		.peak = pools[index].peak,
		.size = pools[index].capacity,
	};
	return true;
}

size_t pools_format(char *text, size_t cap)
{
	struct text t = text_start(text, cap);

	text_add(&t, "pools:");
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		if (pools[id].capacity == 0)
			continue;
		text_add(&t, id == 0 ? " " : ", ");
		text_add(&t, names[id]);
		text_add(&t, " ");
		text_add_u64(&t, pools[id].level);
		text_add(&t, "/");
		text_add_u64(&t, pools[id].capacity);
		text_add(&t, " peak ");
		text_add_u64(&t, pools[id].peak);
	}
	text_add(&t, "\n");
	return t.len;
}

/* ---- For the layer above ------------------------------------------------- */

void *net_session_take(void)
{
	return pool_take(POOL_SESSION);
}

void net_session_give(void *session)
{
	pool_give(POOL_SESSION, session);
}

void *net_handshake_take(void)
{
	return pool_take(POOL_HANDSHAKE);
}

void net_handshake_give(void *handshake)
{
	pool_give(POOL_HANDSHAKE, handshake);
}

/* ---- lwIP's allocators --------------------------------------------------- */

void mem_init(void)
{
}

void memp_init(void)
{
}

void *memp_malloc(memp_t type)
{
	ASSERT(type < MEMP_MAX && types[type].size != 0);
	return take(&pools[types[type].pool]);
}

/* A record buffer has a user less: what LWIP_HOOK_TCP_REFERENCE() began. */
static __attribute__((noinline)) void free_record_pbuf(struct pbuf *p)
{
	record_drop(p->payload);
	give(&pools[POOL_REF], p);
}

void memp_free(memp_t type, void *element)
{
	ASSERT(type < MEMP_MAX && types[type].size != 0);
	if (element == NULL)
		return;
	if (type == MEMP_PBUF &&
	    record_holds(((const struct pbuf *)element)->payload))
		free_record_pbuf(element);
	else
		give(&pools[types[type].pool], element);
}

/* Only pbuf_alloc() calls this; the largest packet is a whole frame. */
void *mem_malloc(mem_size_t len)
{
	if (len <= SMALL_LEN)
		return take(&pools[POOL_SMALL]);
	if (len <= MEDIUM_LEN)
		return take(&pools[POOL_MEDIUM]);
	if (len <= FRAME_LEN)
		return take(&pools[POOL_FRAME]);
	return NULL;
}

/*
 * The three packet pools lie one after the other, in the order of their sizes.
 */
void mem_free(void *element)
{
	const uint8_t *at = element;

	ASSERT(at >= pools[POOL_SMALL].base && at < pools[POOL_FRAME].end);
	if (at < pools[POOL_SMALL].end)
		give(&pools[POOL_SMALL], element);
	else if (at < pools[POOL_MEDIUM].end)
		give(&pools[POOL_MEDIUM], element);
	else
		give(&pools[POOL_FRAME], element);
}

/* An element cannot shrink. */
void *mem_trim(void *element, mem_size_t len)
{
	(void)len;
	return element;
}
