/*
 * The entropy device; the manual is vrng.h.
 */
#include "kernel/vrng.h"

#include <string.h>

#include "kernel/map.h"
#include "kernel/virtio.h"

#define QUEUE 0
#define QUEUE_SIZE 4

/* TSC ticks: a quarter of a second to a second; hosts answer in microseconds. */
#define WAIT_TICKS (1ull << 30)

/* Shared with the device. */
struct dma {
	_Alignas(16) uint8_t queue[VQ_MEM_LEN(QUEUE_SIZE)];
	_Alignas(16) uint8_t bytes[VRNG_READ_MAX];
};

SEALED static struct virtio_dev dev;
SEALED static struct dma *dma;        /* NULL: there is no device */
SEALED static uint64_t dma_pa;
static struct vq vq;

void vrng_start(const char *cmdline)
{
	if (virtio_mmio_add_cmdline(cmdline) != NULL ||
	    virtio_find(VIRTIO_KIND_ENTROPY, &dev) != NULL)
		return;
	if (virtio_queue_size(&dev, QUEUE) < QUEUE_SIZE)
		return;
	dma = map_alloc(sizeof *dma, &dma_pa);
}

static bool run(void)
{
	uint64_t features;

	return virtio_negotiate(&dev, VIRTIO_F_ACCESS_PLATFORM |
	    VIRTIO_F_ORDER_PLATFORM, &features) == NULL &&
	    virtio_queue_start(&dev, QUEUE, &vq, QUEUE_SIZE, dma->queue,
	    dma_pa + offsetof(struct dma, queue)) == NULL &&
	    virtio_go(&dev) == NULL;
}

/* Returns how many bytes the device wrote; vq_take() has checked the number. */
static size_t ask(size_t len)
{
	const uint64_t start = __builtin_ia32_rdtsc();
	struct vq_done done = { 0 };
	uint16_t head;

	if (!vq_begin(&vq, 1, 0, &head))
		return 0;
	vq_push(&vq, dma_pa + offsetof(struct dma, bytes), (uint32_t)len, true);
	virtio_publish(&dev, QUEUE, &vq);
	while (!vq_pending(&vq)) {
		if (__builtin_ia32_rdtsc() - start > WAIT_TICKS)
			return 0;
		__builtin_ia32_pause();
	}
	return vq_take(&vq, &done) == VQ_OK ? done.len : 0;
}

size_t vrng_read(uint8_t *buf, size_t len)
{
	size_t got = 0;

	ASSERT(len > 0 && len <= VRNG_READ_MAX);
	if (dma == NULL)
		return 0;
	if (run())
		got = ask(len);
	/* What does not stop writing to our memory is not listened to either. */
	if (virtio_reset(&dev) != NULL)
		got = 0;
	dev.ops->set_dma(&dev, false);
	memcpy(buf, dma->bytes, got);
	memset(dma->bytes, 0, sizeof dma->bytes);
	return got;
}
