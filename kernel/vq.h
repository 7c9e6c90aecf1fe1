/*
 * Split virtqueues, the driver's side: Virtio 1.2, section 2.7.  Pure over
 * memory: rings are given by pointer, nothing in here does I/O or knows a device.
 *
 * The device is not trusted.  It can write to all of the shared memory (even the
 * parts it should only read) at any moment, so:
 *   - what we need to know later is kept in struct vq, never read back from the
 *     descriptor table or the available ring;
 *   - each shared field that we do read is read once and the copy is checked;
 *   - a wrong one makes the queue broken: it stays so, keeping the first cause,
 *     until vq_init() (after a reset of the device).
 *
 * Not offered: VIRTIO_F_EVENT_IDX (the flags do the same for one interrupt per
 * sleep), VIRTIO_F_INDIRECT_DESC (frames have few parts), VIRTIO_F_RING_PACKED.
 */
#pragma once

#include "config/base.h"

/* Descriptors of a queue; a power of two. */
#define VQ_SIZE_MAX 256

/* Shared memory of a queue: descriptors, available ring, used ring. */
#define VQ_AVAIL_OFF(size) (16u * (size))
#define VQ_USED_OFF(size)  ((VQ_AVAIL_OFF(size) + 6u + 2u * (size) + 3u) & ~3u)
#define VQ_MEM_LEN(size)   (VQ_USED_OFF(size) + 6u + 8u * (size))

enum vq_status {
	VQ_OK = 0,
	VQ_EMPTY,      /* nothing completed */
	/* The device broke the rules; the queue stays broken: */
	VQ_BAD_INDEX,  /* the used index ran ahead of what was made available */
	VQ_BAD_ID,     /* completed what is not in flight, or completed it twice */
	VQ_BAD_LEN,    /* says it wrote more than there is room for */
};

/* Virtio 1.2, section 2.7.5: one part of a chain.  Shared. */
struct vq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* Virtio 1.2, section 2.7.6: what we made available.  Shared. */
struct vq_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

/* Virtio 1.2, section 2.7.8: what the device is done with.  Shared. */
struct vq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct vq_used {
	uint16_t flags;
	uint16_t idx;
	struct vq_used_elem ring[];
};

_Static_assert(sizeof(struct vq_desc) == 16, "descriptor as in the standard");
_Static_assert(sizeof(struct vq_used_elem) == 8, "used entry as in the standard");
_Static_assert(offsetof(struct vq_used, ring) == 4, "used ring as in the standard");
_Static_assert(offsetof(struct vq_avail, ring) == 4,
    "available ring as in the standard");

/* What we know of a descriptor; the device cannot reach it. */
struct vq_slot {
	uint32_t write_len; /* of a head: bytes the device may write to the chain */
	uint16_t next;      /* next one of the free list, or of the chain */
	uint16_t last;      /* of a head: last descriptor of the chain */
	uint16_t count;     /* descriptors of the chain at a head in flight, else 0 */
	uint16_t token;     /* of a head: the caller's name for the chain */
};

/*
 * A queue.  Each descriptor is in exactly one place: the free list, the chain
 * being built (between vq_begin() and its last vq_push()), or a chain in flight.
 * Of the indices, all counting chains modulo 65536:
 *   used_idx   taken from the device so far
 *   used_seen  the device's index when last read: used_idx .. published
 *   published  the device has been told of these
 *   avail_idx  chains finished by us; those from `published` on are not yet told
 */
struct vq {
	volatile struct vq_desc *desc;
	volatile struct vq_avail *avail;
	volatile struct vq_used *used;
	uint16_t size;
	uint16_t mask;
	uint16_t free_head;
	uint16_t free_count;
	uint16_t build_head;  /* chain being built */
	uint16_t build_left;  /* descriptors it still needs; 0: none is being built */
	uint16_t avail_idx;
	uint16_t published;
	uint16_t used_idx;
	uint16_t used_seen;
	enum vq_status broken; /* VQ_OK, or the first cause */
	struct vq_slot slot[VQ_SIZE_MAX];
};

/* A completed chain. */
struct vq_done {
	uint16_t token;
	uint32_t len;        /* bytes the device wrote; 0 if it only had to read */
};

/*
 * Make an empty queue; also after a device reset, from any state.  Interrupts
 * for it start off.
 *
 * size  a power of two, 1..VQ_SIZE_MAX
 * mem   VQ_MEM_LEN(size) bytes, 16-byte aligned, shared with the device, which
 *       must not be using them now; zeroed here
 */
void vq_init(struct vq *vq, uint16_t size, void *mem);

/* Would a chain of `count` descriptors fit now? */
static inline bool vq_has_room(const struct vq *vq, uint16_t count)
{
	return count <= vq->free_count && vq->broken == VQ_OK;
}

/*
 * Start a chain of `count` descriptors, 1..size.  Exactly as many vq_push() follow.
 *
 * token    comes back in vq_take()
 * *head    receives a number that no other chain in flight has, below size
 * Returns  false when there is no room, or the queue is broken
 */
MUST_USE bool vq_begin(struct vq *vq, uint16_t count, uint16_t token,
    uint16_t *head);

/*
 * Next part of the chain: len bytes at physical address pa, len at least 1.
 * Parts that the device writes come after those it reads (Virtio 1.2, section 2.7.4.2).
 * The last one finishes the chain; the device is told by vq_publish().
 */
void vq_push(struct vq *vq, uint64_t pa, uint32_t len, bool device_writes);

/*
 * Tell the device of all chains finished since the last call.
 * Returns true when there were any and it wants to be notified.
 */
MUST_USE bool vq_publish(struct vq *vq);

/*
 * Take the next completed chain.
 *
 * out     written on VQ_OK only
 * Errors  VQ_EMPTY; VQ_BAD_*, for good
 */
MUST_USE enum vq_status vq_take(struct vq *vq, struct vq_done *out);

/* Has the device completed something that was not taken?  False when broken. */
bool vq_pending(const struct vq *vq);

/*
 * Ask for an interrupt at the next completion, or for none (a hint: the device
 * may interrupt all the same).  After switching on, look at vq_pending(): what
 * completed before gives no interrupt.
 */
void vq_set_interrupts(struct vq *vq, bool on);

/*
 * The tokens of all chains in flight, in no order, for a queue whose device has
 * been reset.  tokens has room for `size` of them.  Returns how many.
 */
uint16_t vq_list_in_flight(const struct vq *vq, uint16_t *tokens);

/* What a status says about the device, for the console. */
const char *vq_status_text(enum vq_status status);

/* Does the description at struct vq hold?  For assertions and tests; O(size). */
bool vq_valid(const struct vq *vq);
