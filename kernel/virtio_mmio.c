/*
 * The memory-mapped transport of virtio devices: Virtio 1.2, section 4.2,
 * version 2 of its registers only.  Where devices are is told by the operator's
 * side (command line, ACPI); this bus cannot be searched.
 */
#include "kernel/virtio.h"

#include "config/limits.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/reg.h"

/* Section 4.2.2 */
#define REG_MAGIC               0x000
#define REG_VERSION             0x004
#define REG_DEVICE_ID           0x008
#define REG_DEVICE_FEATURES     0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES     0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL           0x030
#define REG_QUEUE_SIZE_MAX      0x034
#define REG_QUEUE_SIZE          0x038
#define REG_QUEUE_READY         0x044
#define REG_QUEUE_NOTIFY        0x050
#define REG_INTERRUPT_ACK       0x064
#define REG_STATUS              0x070
#define REG_QUEUE_DESC          0x080
#define REG_QUEUE_DRIVER        0x090
#define REG_QUEUE_DEVICE        0x0A0
#define REG_GENERATION          0x0FC
#define REG_CONFIG              0x100

#define MAGIC 0x74726976u          /* "virt" */
#define VERSION_LEGACY 1u
#define VERSION_MODERN 2u

/* Used buffers, configuration change: all there are. */
#define INTERRUPT_ALL 3u

/* Registers and some configuration at least; a few pages at most. */
#define PLACE_LEN_MIN (REG_CONFIG + 16u)
#define PLACE_LEN_MAX 0x10000u
#define PA_END (1ull << 52)

/* regs: NULL until somebody looks there. */
SEALED static struct {
	struct virtio_mmio_place at;
	volatile uint8_t *regs;
} places[LIMIT_VIRTIO_MMIO];
SEALED static size_t place_count;

/* ---- Registers ----------------------------------------------------------- */

static uint8_t get_status(struct virtio_dev *dev)
{
	return (uint8_t)reg_read32(dev->regs + REG_STATUS);
}

static void set_status(struct virtio_dev *dev, uint8_t status)
{
	reg_write32(dev->regs + REG_STATUS, status);
}

static uint64_t get_features(struct virtio_dev *dev)
{
	uint64_t low;

	reg_write32(dev->regs + REG_DEVICE_FEATURES_SEL, 0);
	low = reg_read32(dev->regs + REG_DEVICE_FEATURES);
	reg_write32(dev->regs + REG_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)reg_read32(dev->regs + REG_DEVICE_FEATURES) << 32;
}

static void set_features(struct virtio_dev *dev, uint64_t accepted)
{
	reg_write32(dev->regs + REG_DRIVER_FEATURES_SEL, 0);
	reg_write32(dev->regs + REG_DRIVER_FEATURES, (uint32_t)accepted);
	reg_write32(dev->regs + REG_DRIVER_FEATURES_SEL, 1);
	reg_write32(dev->regs + REG_DRIVER_FEATURES, (uint32_t)(accepted >> 32));
}

static uint32_t get_generation(struct virtio_dev *dev)
{
	return reg_read32(dev->regs + REG_GENERATION);
}

static uint16_t get_queue_max(struct virtio_dev *dev, uint16_t q)
{
	uint32_t max;

	reg_write32(dev->regs + REG_QUEUE_SEL, q);
	max = reg_read32(dev->regs + REG_QUEUE_SIZE_MAX);
	return max > UINT16_MAX ? UINT16_MAX : (uint16_t)max;
}

static void write_pa(struct virtio_dev *dev, unsigned at, uint64_t pa)
{
	reg_write32(dev->regs + at, (uint32_t)pa);
	reg_write32(dev->regs + at + 4, (uint32_t)(pa >> 32));
}

/* Section 4.2.3.2 */
static const char *queue_start(struct virtio_dev *dev, uint16_t q,
    const struct virtio_queue_place *place)
{
	reg_write32(dev->regs + REG_QUEUE_SEL, q);
	if (reg_read32(dev->regs + REG_QUEUE_READY) != 0)
		return "a queue of the virtio device runs after a reset";
	reg_write32(dev->regs + REG_QUEUE_SIZE, place->size);
	write_pa(dev, REG_QUEUE_DESC, place->desc_pa);
	write_pa(dev, REG_QUEUE_DRIVER, place->avail_pa);
	write_pa(dev, REG_QUEUE_DEVICE, place->used_pa);
	reg_write32(dev->regs + REG_QUEUE_READY, 1);
	return NULL;
}

static void notify(struct virtio_dev *dev, uint16_t q)
{
	reg_write32(dev->regs + REG_QUEUE_NOTIFY, q);
}

static const char *interrupts(struct virtio_dev *dev, uint8_t vector)
{
	if (!irq_route_gsi(dev->gsi, vector, IRQ_LEVEL_HIGH))
		return "no IOAPIC has the interrupt line of the virtio-mmio device";
	dev->interrupts = true;
	return NULL;
}

/*
 * Acknowledge all there can be without reading which it was: the queues are
 * looked at anyway, and a line left high by an unread cause would not fire again
 * where it is wired as edge-triggered.
 */
static void interrupt_ack(struct virtio_dev *dev)
{
	reg_write32(dev->regs + REG_INTERRUPT_ACK, INTERRUPT_ALL);
}

static void set_dma(struct virtio_dev *dev, bool on)
{
	/* A device that was reset is silent; there is no bus to cut it from. */
	(void)dev;
	(void)on;
}

static const struct virtio_ops ops = {
	.name = "mmio",
	.status = get_status,
	.set_status = set_status,
	.features = get_features,
	.set_features = set_features,
	.generation = get_generation,
	.config8 = virtio_mapped_config8,
	.config16 = virtio_mapped_config16,
	.queue_max = get_queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupts = interrupts,
	.interrupt_ack = interrupt_ack,
	.set_dma = set_dma,
};

/* ---- Finding ------------------------------------------------------------- */

void virtio_mmio_add(const struct virtio_mmio_place *place)
{
	for (size_t i = 0; i < place_count; i++) {
		if (places[i].at.pa == place->pa)
			return;
	}
	if (place_count < LIMIT_VIRTIO_MMIO)
		places[place_count++].at = *place;
}

const char *virtio_mmio_add_cmdline(const char *cmdline)
{
	struct virtio_mmio_place found[LIMIT_VIRTIO_MMIO];
	size_t count;
	const char *wrong;

	wrong = virtio_mmio_parse(cmdline, found, ARRAY_LEN(found), &count);
	if (wrong != NULL)
		return wrong;
	for (size_t i = 0; i < count; i++)
		virtio_mmio_add(&found[i]);
	return NULL;
}

/* Is there a device of this kind?  VIRTIO_NONE when something else is. */
static const char *take_device(volatile uint8_t *regs,
    const struct virtio_mmio_place *place, enum virtio_kind kind,
    struct virtio_dev *dev)
{
	uint32_t version;

	if (reg_read32(regs + REG_MAGIC) != MAGIC)
		return "there is no virtio-mmio device where one was announced";
	/* Section 4.2.2.1: an empty place has device number 0. */
	if (reg_read32(regs + REG_DEVICE_ID) != (uint32_t)kind)
		return VIRTIO_NONE;
	version = reg_read32(regs + REG_VERSION);
	if (version == VERSION_LEGACY)
		return "the virtio-mmio device is a legacy one (version 1); "
		    "QEMU: add -global virtio-mmio.force-legacy=false";
	if (version != VERSION_MODERN)
		return "the virtio-mmio device has an unknown version";

	*dev = (struct virtio_dev){
		.ops = &ops,
		.regs = regs,
		.config = regs + REG_CONFIG,
		.config_len = place->len - REG_CONFIG,
		.gsi = place->gsi,
	};
	return virtio_reset(dev);
}

const char *virtio_mmio_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	const char *first_wrong = VIRTIO_NONE;

	for (size_t i = 0; i < place_count; i++) {
		const struct virtio_mmio_place *at = &places[i].at;
		const char *wrong;

		if (places[i].regs == NULL)
			places[i].regs = map_device(at->pa, at->len);
		wrong = take_device(places[i].regs, at, kind, dev);
		if (wrong == NULL)
			return NULL;
		if (first_wrong == VIRTIO_NONE)
			first_wrong = wrong;
	}
	return first_wrong;
}

/* ---- The command line ---------------------------------------------------- */

static const char WORD[] = "virtio_mmio.device=";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* A number, decimal or 0x, below `end`; *at moves behind it. */
static bool take_number(const char **at, uint64_t end, uint64_t *out)
{
	const char *p = *at;
	const char *first;
	unsigned base = 10;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (first = p; digit_value(*p) < (int)base; p++) {
		v = v * base + (unsigned)digit_value(*p);
		if (v >= end)           /* end * 16 fits: no overflow before */
			return false;
	}
	*at = p;
	*out = v;
	return p != first;
}

/* Does the text at *at start with WORD?  Then *at moves behind it. */
static bool take_word(const char **at)
{
	size_t i = 0;

	while (WORD[i] != '\0' && (*at)[i] == WORD[i])
		i++;
	if (WORD[i] != '\0')
		return false;
	*at += i;
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* SIZE@BASE:GSI[:ID]; *at moves to the blank or the end behind it. */
static bool take_place(const char **at, struct virtio_mmio_place *out)
{
	uint64_t len, pa, gsi, id;

	if (!take_number(at, 1ull << 32, &len))
		return false;
	if (take_char(at, 'K') || take_char(at, 'k'))
		len <<= 10;
	else if (take_char(at, 'M') || take_char(at, 'm'))
		len <<= 20;
	if (!take_char(at, '@') || !take_number(at, PA_END, &pa) ||
	    !take_char(at, ':') || !take_number(at, 1u << 16, &gsi))
		return false;
	if (take_char(at, ':') && !take_number(at, 1u << 16, &id))
		return false;
	if (**at != '\0' && !is_blank(**at))
		return false;
	/* Large windows are fine; more than we look at is not mapped. */
	if (len < PLACE_LEN_MIN || len > PA_END - pa || (pa & 3) != 0 || pa == 0)
		return false;
	*out = (struct virtio_mmio_place){
		.pa = pa,
		.len = len < PLACE_LEN_MAX ? (uint32_t)len : PLACE_LEN_MAX,
		.gsi = (uint32_t)gsi,
	};
	return true;
}

const char *virtio_mmio_parse(const char *cmdline,
    struct virtio_mmio_place *out, size_t cap, size_t *count)
{
	const char *p = cmdline;

	*count = 0;
	while (*p != '\0') {
		if (is_blank(*p)) {
			p++;
			continue;
		}
		if (take_word(&p)) {
			if (*count == cap)
				return "more virtio_mmio.device= words on the "
				    "command line than we have room for";
			if (!take_place(&p, &out[*count]))
				return "a virtio_mmio.device= word on the command "
				    "line is not SIZE@BASE:GSI";
			++*count;
		}
		while (*p != '\0' && !is_blank(*p))
			p++;
	}
	return NULL;
}
