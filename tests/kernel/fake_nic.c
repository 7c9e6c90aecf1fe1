/*
 * A virtio-net device for tests; the manual is fake_nic.h.
 */
#include "tests/kernel/fake_nic.h"

#include <string.h>

#include "kernel/console.h"
#include "kernel/map.h"

struct fake_nic fake_nic;

const char VIRTIO_NONE[] = "none";

/* ---- The kernel around vnet.c -------------------------------------------- */

void *map_alloc(uint64_t len, uint64_t *pa)
{
	ASSERT(len <= FAKE_RING_LEN);
	*pa = FAKE_RING_PA;
	return fake_nic.ring;
}

uint64_t map_region(uint64_t pa, uint64_t len, unsigned rights)
{
	ASSERT(pa == FAKE_RX_PA && len <= FAKE_RX_LEN && rights == 0);
	return (uint64_t)fake_nic.rx;
}

void console_printf(const char *format, ...)
{
	ASSERT(format != NULL);
	fake_nic.messages++;
}

const char *virtio_mmio_add_cmdline(const char *cmdline)
{
	return strcmp(cmdline, "bad") == 0 ? "bad word" : NULL;
}

/* ---- The transport ------------------------------------------------------- */

static uint8_t get_status(struct virtio_dev *dev)
{
	(void)dev;
	return fake_nic.status;
}

static void set_status(struct virtio_dev *dev, uint8_t status)
{
	(void)dev;
	if (status == 0) {
		fake_nic.resets++;
		memset(fake_nic.queue, 0, sizeof fake_nic.queue);
		fake_nic.accepted = 0;
		if (fake_nic.reset_sticks)
			return;
	}
	fake_nic.status = status;
	if ((status & 4) != 0 && fake_nic.fails_to_start)
		fake_nic.status |= 64;
}

static uint64_t get_features(struct virtio_dev *dev)
{
	(void)dev;
	return fake_nic.offers;
}

static void set_features(struct virtio_dev *dev, uint64_t accepted)
{
	(void)dev;
	ASSERT((accepted & ~fake_nic.offers) == 0);
	fake_nic.accepted = accepted;
}

static uint32_t get_generation(struct virtio_dev *dev)
{
	(void)dev;
	return 0;
}

static uint8_t get_config8(struct virtio_dev *dev, uint32_t off)
{
	ASSERT(off < dev->config_len);
	return fake_nic.config[off];
}

static uint16_t get_config16(struct virtio_dev *dev, uint32_t off)
{
	ASSERT(off + 2 <= dev->config_len);
	return load_le16(fake_nic.config + off);
}

static uint16_t get_queue_max(struct virtio_dev *dev, uint16_t q)
{
	(void)dev;
	return fake_nic.queue_max[q];
}

uint8_t *fake_nic_ring_at(uint64_t pa)
{
	ASSERT(pa >= FAKE_RING_PA && pa < FAKE_RING_PA + FAKE_RING_LEN);
	return fake_nic.ring + (pa - FAKE_RING_PA);
}

static const char *queue_start(struct virtio_dev *dev, uint16_t q,
    const struct virtio_queue_place *place)
{
	(void)dev;
	ASSERT(fake_nic.queue[q].size == 0);
	ASSERT(place->used_pa + 6 + 8u * place->size <=
	    FAKE_RING_PA + FAKE_RING_LEN);
	fake_nic.queue[q] = (struct fake_queue){
		.desc = (volatile void *)fake_nic_ring_at(place->desc_pa),
		.avail = (volatile void *)fake_nic_ring_at(place->avail_pa),
		.used = (volatile void *)fake_nic_ring_at(place->used_pa),
		.size = place->size,
	};
	return NULL;
}

static void notify(struct virtio_dev *dev, uint16_t q)
{
	(void)dev;
	fake_nic.queue[q].notified++;
	if (fake_nic.on_notify != NULL)
		fake_nic.on_notify(q);
}

static const char *interrupts(struct virtio_dev *dev, uint8_t vector)
{
	(void)vector;
	dev->interrupts = fake_nic.interrupts_say == NULL;
	return fake_nic.interrupts_say;
}

static void interrupt_ack(struct virtio_dev *dev)
{
	(void)dev;
	fake_nic.acks++;
}

static void set_dma(struct virtio_dev *dev, bool on)
{
	(void)dev;
	fake_nic.dma = on;
}

static const struct virtio_ops ops = {
	.name = "pci",
	.status = get_status,
	.set_status = set_status,
	.features = get_features,
	.set_features = set_features,
	.generation = get_generation,
	.config8 = get_config8,
	.config16 = get_config16,
	.queue_max = get_queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupts = interrupts,
	.interrupt_ack = interrupt_ack,
	.set_dma = set_dma,
};

const char *virtio_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	ASSERT(kind == VIRTIO_KIND_NET || kind == VIRTIO_KIND_ENTROPY);
	*dev = (struct virtio_dev){
		.ops = &ops, .config_len = fake_nic.config_len,
	};
	return fake_nic.find_says;
}

/* ---- The device ---------------------------------------------------------- */

void fake_nic_clear(void)
{
	static const uint8_t config[12] = {
		0x52, 0x54, 0, 0x12, 0x34, 0x56, 0, 0, 0, 0, 0xDC, 0x05,
	};

	memset(&fake_nic, 0, sizeof fake_nic);
	memcpy(fake_nic.config, config, sizeof config);
	fake_nic.config_len = sizeof config;
	fake_nic.queue_max[0] = 256;
	fake_nic.queue_max[1] = 256;
	fake_nic.offers = VIRTIO_F_VERSION_1 | (1ull << 17 | 1ull << 16 |
	    1ull << 15 | 1ull << 12 | 1ull << 11 | 1ull << 5 | 1ull << 1 | 1);
}

bool fake_nic_next(unsigned q, uint16_t *head)
{
	struct fake_queue *fq = &fake_nic.queue[q];

	if (fq->size == 0 || fq->at == fq->avail->idx)
		return false;
	*head = fq->avail->ring[fq->at++ & (fq->size - 1)];
	ASSERT(*head < fq->size);
	return true;
}

void fake_nic_complete(unsigned q, uint32_t id, uint32_t len)
{
	struct fake_queue *fq = &fake_nic.queue[q];
	volatile struct vq_used_elem *e =
	    &fq->used->ring[fq->used->idx & (fq->size - 1)];

	e->id = id;
	e->len = len;
	fq->used->idx++;
}

uint16_t fake_nic_receive(uint32_t len, uint8_t flags, uint8_t gso_type)
{
	const struct fake_queue *fq = &fake_nic.queue[0];
	uint16_t head;
	uint64_t off;

	const bool posted = fake_nic_next(0, &head);

	ASSERT(posted);
	off = fq->desc[head].addr - FAKE_RX_PA;
	ASSERT(off + fq->desc[head].len <= FAKE_RX_LEN);
	ASSERT(fq->desc[head].flags == 2);
	memset(fake_nic.rx + off, 0, 12);
	fake_nic.rx[off] = flags;
	fake_nic.rx[off + 1] = gso_type;
	fake_nic_complete(0, head, 12 + len);
	return (uint16_t)(off / LIMIT_RX_BUFFER_LEN);
}
