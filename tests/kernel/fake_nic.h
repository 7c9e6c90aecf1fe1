/*
 * A virtio-net device in memory, behind struct virtio_ops, with the few kernel
 * functions that vnet.c calls: for unit tests and the fuzz harness.  It obeys; a
 * test reaches into its rings to make it misbehave.
 */
#pragma once

#include "config/limits.h"
#include "kernel/virtio.h"

#define FAKE_RING_PA 0x10000000u
#define FAKE_RING_LEN 0x8000u
#define FAKE_RX_PA 0x20000000u
#define FAKE_RX_LEN (LIMIT_RX_BUFFERS * LIMIT_RX_BUFFER_LEN)

/* One queue as the device sees it, in host memory. */
struct fake_queue {
	volatile struct vq_desc *desc;
	volatile struct vq_avail *avail;
	volatile struct vq_used *used;
	uint16_t size;         /* 0: not started */
	uint16_t at;           /* next available entry to look at */
	unsigned notified;
};

struct fake_nic {
	/* What it says of itself: */
	const char *find_says; /* VIRTIO_NONE, another reason, or NULL */
	const char *interrupts_say;
	uint64_t offers;
	uint8_t config[12];
	uint32_t config_len;
	uint16_t queue_max[2];
	bool reset_sticks, fails_to_start;
	void (*on_notify)(unsigned q);  /* or NULL */
	/* What it was told: */
	uint64_t accepted;
	uint8_t status;
	bool dma;
	unsigned resets, acks, messages;
	struct fake_queue queue[2];
	/* Memory it can reach. */
	_Alignas(4096) uint8_t ring[FAKE_RING_LEN];
	uint8_t rx[FAKE_RX_LEN];
};

extern struct fake_nic fake_nic;

/* A sound NIC with every offload. */
void fake_nic_clear(void);

/* Take the next chain made available in queue q; false if there is none. */
MUST_USE bool fake_nic_next(unsigned q, uint16_t *head);

/* Complete a chain. */
void fake_nic_complete(unsigned q, uint32_t id, uint32_t len);

/*
 * Receive: fill the next posted buffer with a header and a frame of len bytes.
 * Returns the buffer's number.
 */
uint16_t fake_nic_receive(uint32_t len, uint8_t flags, uint8_t gso_type);

/* Host memory behind a physical address of the rings. */
uint8_t *fake_nic_ring_at(uint64_t pa);
