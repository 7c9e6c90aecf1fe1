/*
 * Split virtqueues; the manual is vq.h.
 *
 * Ordering: x86 keeps stores in order and loads in order, so towards a device
 * that reads coherent memory a compiler barrier is enough, with one exception: a
 * store followed by a load of something else (our index, then the device's wish;
 * our wish, then the device's index) needs a full fence, or both sides may miss
 * each other.  Virtio 1.2, sections 2.7.13.3.1 and 2.7.13.4.1.
 */
#include "kernel/vq.h"

#include <string.h>

/* Virtio 1.2, section 2.7.5 */
#define DESC_F_NEXT  1u
#define DESC_F_WRITE 2u

/* Virtio 1.2, sections 2.7.6 and 2.7.8 */
#define AVAIL_F_NO_INTERRUPT 1u
#define USED_F_NO_NOTIFY     1u

static void order_accesses(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * Not a locked instruction, which compilers and kernels prefer: QEMU's TCG runs
 * these as plain ones when the VM has one CPU, and then only MFENCE orders us
 * against its device threads.
 */
static void order_store_before_load(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

void vq_init(struct vq *vq, uint16_t size, void *mem)
{
	uint8_t *base = mem;

	ASSERT(size > 0 && size <= VQ_SIZE_MAX && (size & (size - 1)) == 0);
	memset(mem, 0, VQ_MEM_LEN(size));
	memset(vq, 0, sizeof *vq);
	vq->desc = (volatile struct vq_desc *)base;
	vq->avail = (volatile struct vq_avail *)(base + VQ_AVAIL_OFF(size));
	vq->used = (volatile struct vq_used *)(base + VQ_USED_OFF(size));
	vq->size = size;
	vq->mask = size - 1;
	vq->free_count = size;
	for (uint16_t i = 0; i < size; i++)
		vq->slot[i].next = i + 1;
	vq->avail->flags = AVAIL_F_NO_INTERRUPT;
}

bool vq_begin(struct vq *vq, uint16_t count, uint16_t token, uint16_t *head)
{
	struct vq_slot *s = &vq->slot[vq->free_head];

	ASSERT(count > 0 && vq->build_left == 0);
	if (!vq_has_room(vq, count))
		return false;

	*s = (struct vq_slot){
		.next = s->next, .count = count, .token = token,
	};
	vq->build_head = vq->free_head;
	vq->build_left = count;
	*head = vq->free_head;
	return true;
}

void vq_push(struct vq *vq, uint64_t pa, uint32_t len, bool device_writes)
{
	const uint16_t i = vq->free_head;
	volatile struct vq_desc *d = &vq->desc[i];
	struct vq_slot *head = &vq->slot[vq->build_head];
	uint16_t flags = 0;

	ASSERT(vq->build_left > 0 && len > 0);
	vq->free_head = vq->slot[i].next;
	vq->free_count--;
	vq->build_left--;
	if (device_writes) {
		flags = DESC_F_WRITE;
		head->write_len += len;
	}
	if (vq->build_left > 0)
		flags |= DESC_F_NEXT;
	d->addr = pa;
	d->len = len;
	d->flags = flags;
	d->next = vq->free_head;      /* the one the next push takes */

	if (vq->build_left == 0) {
		head->last = i;
		vq->avail->ring[vq->avail_idx & vq->mask] = vq->build_head;
		vq->avail_idx++;
	}
}

bool vq_publish(struct vq *vq)
{
	if (vq->published == vq->avail_idx || vq->broken != VQ_OK)
		return false;
	order_accesses();             /* ring entries before the index */
	vq->avail->idx = vq->avail_idx;
	vq->published = vq->avail_idx;
	order_store_before_load();
	/* Virtio 1.2, section 2.7.10: the device may not want to be disturbed. */
	return (vq->used->flags & USED_F_NO_NOTIFY) == 0;
}

static enum vq_status break_queue(struct vq *vq, enum vq_status cause)
{
	vq->broken = cause;
	return cause;
}

/* Read the device's index, when all it has shown so far is taken. */
static enum vq_status look_for_more(struct vq *vq)
{
	const uint16_t idx = vq->used->idx;

	if (idx == vq->used_idx)
		return VQ_EMPTY;
	if ((uint16_t)(idx - vq->used_idx) >
	    (uint16_t)(vq->published - vq->used_idx))
		return break_queue(vq, VQ_BAD_INDEX);
	vq->used_seen = idx;
	order_accesses();             /* the index before ring entries */
	return VQ_OK;
}

static void free_chain(struct vq *vq, uint16_t id)
{
	struct vq_slot *head = &vq->slot[id];

	vq->slot[head->last].next = vq->free_head;
	vq->free_head = id;
	vq->free_count += head->count;
	head->count = 0;
}

enum vq_status vq_take(struct vq *vq, struct vq_done *out)
{
	volatile struct vq_used_elem *e;
	const struct vq_slot *head;
	uint32_t id, len;

	if (vq->broken != VQ_OK)
		return vq->broken;
	if (vq->used_idx == vq->used_seen) {
		const enum vq_status more = look_for_more(vq);

		if (more != VQ_OK)
			return more;
	}

	/* The device may rewrite the ring at any time: read each field once. */
	e = &vq->used->ring[vq->used_idx & vq->mask];
	id = e->id;
	len = e->len;
	if (id >= vq->size || vq->slot[id].count == 0)
		return break_queue(vq, VQ_BAD_ID);
	head = &vq->slot[id];
	/* len says nothing about parts that the device reads: section 2.7.8.2 */
	if (head->write_len == 0)
		len = 0;
	if (len > head->write_len)
		return break_queue(vq, VQ_BAD_LEN);

	*out = (struct vq_done){ .token = head->token, .len = len };
	free_chain(vq, (uint16_t)id);
	vq->used_idx++;
	return VQ_OK;
}

bool vq_pending(const struct vq *vq)
{
	return vq->broken == VQ_OK && (vq->used_idx != vq->used_seen ||
	    vq->used_idx != vq->used->idx);
}

void vq_set_interrupts(struct vq *vq, bool on)
{
	vq->avail->flags = on ? 0 : AVAIL_F_NO_INTERRUPT;
	order_store_before_load();
}

uint16_t vq_list_in_flight(const struct vq *vq, uint16_t *tokens)
{
	uint16_t n = 0;

	ASSERT(vq->build_left == 0);
	for (uint16_t i = 0; i < vq->size; i++) {
		if (vq->slot[i].count != 0)
			tokens[n++] = vq->slot[i].token;
	}
	return n;
}

const char *vq_status_text(enum vq_status status)
{
	switch (status) {
	case VQ_OK:
		return "the queue is sound";
	case VQ_EMPTY:
		return "the queue is empty";
	case VQ_BAD_INDEX:
		return "the device completed more than it was given";
	case VQ_BAD_ID:
		return "the device completed a buffer that it does not hold";
	case VQ_BAD_LEN:
		return "the device says it wrote past the end of a buffer";
	}
	return "unknown status";
}

/* Follow `count` links from `at`, marking each; false if one is met twice. */
static bool mark_list(const struct vq *vq, uint16_t at, uint16_t count,
    bool *met)
{
	for (; count > 0; count--) {
		if (at >= vq->size || met[at])
			return false;
		met[at] = true;
		at = vq->slot[at].next;
	}
	return true;
}

bool vq_valid(const struct vq *vq)
{
	bool met[VQ_SIZE_MAX] = { false };
	uint16_t held = 0, heads = 0;

	if (vq->size == 0 || vq->size > VQ_SIZE_MAX || vq->build_left != 0 ||
	    !mark_list(vq, vq->free_head, vq->free_count, met))
		return false;
	for (uint16_t i = 0; i < vq->size; i++) {
		if (vq->slot[i].count == 0)
			continue;
		if (!mark_list(vq, i, vq->slot[i].count, met))
			return false;
		held += vq->slot[i].count;
		heads++;
	}
	return held + vq->free_count == vq->size &&
	    heads == (uint16_t)(vq->avail_idx - vq->used_idx) &&
	    (uint16_t)(vq->used_seen - vq->used_idx) <=
	    (uint16_t)(vq->published - vq->used_idx) &&
	    (uint16_t)(vq->published - vq->used_idx) <=
	    (uint16_t)(vq->avail_idx - vq->used_idx);
}
