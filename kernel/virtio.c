/*
 * What all virtio transports have in common; the manual is virtio.h.
 */
#include "kernel/virtio.h"

/* Virtio 1.2, section 2.1 */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER      2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED      128u

/*
 * How long a reset may take, in TSC ticks: a quarter of a second to a second on
 * any CPU that has the instructions we need.  Software devices need none of it.
 */
#define RESET_TICKS (1ull << 30)

/* A configuration that changes more often than this while it is read is broken. */
#define CONFIG_TRIES 16

const char *virtio_reset(struct virtio_dev *dev)
{
	const uint64_t start = __builtin_ia32_rdtsc();

	/* Virtio 1.2, section 4.1.4.3.2: wait until it reads back as 0. */
	dev->ops->set_status(dev, 0);
	while (dev->ops->status(dev) != 0) {
		if (__builtin_ia32_rdtsc() - start > RESET_TICKS)
			return "the virtio device does not come out of its reset";
		__builtin_ia32_pause();
	}
	return NULL;
}

bool virtio_needs_reset(struct virtio_dev *dev)
{
	const uint8_t status = dev->ops->status(dev);

	return (status & STATUS_NEEDS_RESET) != 0 ||
	    (status & STATUS_DRIVER_OK) == 0;
}

static const char *give_up(struct virtio_dev *dev, const char *reason)
{
	dev->ops->set_status(dev, dev->ops->status(dev) | STATUS_FAILED);
	return reason;
}

const char *virtio_negotiate(struct virtio_dev *dev, uint64_t wanted,
    uint64_t *accepted)
{
	const char *wrong = virtio_reset(dev);
	uint8_t status = STATUS_ACKNOWLEDGE;
	uint64_t both;

	if (wrong != NULL)
		return wrong;
	dev->ops->set_dma(dev, true);
	/* Virtio 1.2, section 3.1.1, steps 2 to 6 */
	dev->ops->set_status(dev, status);
	status |= STATUS_DRIVER;
	dev->ops->set_status(dev, status);
	both = dev->ops->features(dev) & (wanted | VIRTIO_F_VERSION_1);
	/* Section 6.1: we MUST NOT go on with a device that lacks it. */
	if ((both & VIRTIO_F_VERSION_1) == 0)
		return give_up(dev, "the virtio device speaks the legacy "
		    "protocol only (it lacks VIRTIO_F_VERSION_1)");
	dev->ops->set_features(dev, both);
	status |= STATUS_FEATURES_OK;
	dev->ops->set_status(dev, status);
	if ((dev->ops->status(dev) & STATUS_FEATURES_OK) == 0)
		return give_up(dev,
		    "the virtio device refuses every set of features we can use");
	*accepted = both;
	return NULL;
}

bool virtio_config_bytes(struct virtio_dev *dev, uint32_t off, uint8_t *buf,
    uint32_t len)
{
	if (off > dev->config_len || len > dev->config_len - off)
		return false;
	for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
		const uint32_t before = dev->ops->generation(dev);

		for (uint32_t i = 0; i < len; i++)
			buf[i] = dev->ops->config8(dev, off + i);
		if (dev->ops->generation(dev) == before)
			return true;
	}
	return false;
}

bool virtio_config_u16(struct virtio_dev *dev, uint32_t off, uint16_t *out)
{
	if (off > dev->config_len || 2 > dev->config_len - off)
		return false;
	/* One access of the field's width cannot tear: section 2.5.1 is met. */
	*out = dev->ops->config16(dev, off);
	return true;
}

uint16_t virtio_queue_size(struct virtio_dev *dev, uint16_t q)
{
	const uint16_t max = dev->ops->queue_max(dev, q);
	uint16_t size = VQ_SIZE_MAX;

	while (size > max)
		size /= 2;
	return size;
}

const char *virtio_queue_start(struct virtio_dev *dev, uint16_t q,
    struct vq *vq, uint16_t size, void *mem, uint64_t pa)
{
	const struct virtio_queue_place place = {
		.desc_pa = pa,
		.avail_pa = pa + VQ_AVAIL_OFF(size),
		.used_pa = pa + VQ_USED_OFF(size),
		.size = size,
	};

	ASSERT(q < VIRTIO_QUEUES && (pa & 15) == 0);
	/* Checked again at each start: a restarted device may offer less. */
	if (size == 0 || size > dev->ops->queue_max(dev, q))
		return "the virtio device lacks a queue, or it is too short";
	vq_init(vq, size, mem);
	return dev->ops->queue_start(dev, q, &place);
}

const char *virtio_go(struct virtio_dev *dev)
{
	uint8_t status = STATUS_ACKNOWLEDGE | STATUS_DRIVER |
	    STATUS_FEATURES_OK | STATUS_DRIVER_OK;

	dev->ops->set_status(dev, status);
	status = dev->ops->status(dev);
	if ((status & STATUS_DRIVER_OK) == 0 ||
	    (status & (STATUS_NEEDS_RESET | STATUS_FAILED)) != 0)
		return "the virtio device does not start";
	return NULL;
}
