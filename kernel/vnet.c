/*
 * virtio-net; the manual is vnet.h.
 *
 * A receive buffer is in one of two states, kept in nic.with_server:
 *   the device's   its number is a token in the receive queue (posted), or will
 *                  be at the next start after the queue broke
 *   the server's   from vnet_rx() to vnet_give(); in no queue
 * A frame being sent is a chain in the transmit queue whose token is the cookie.
 * After a recovery the cookies of lost frames wait in nic.lost; until they are
 * collected nothing is sent, so they are never more than one queue's worth.
 */
#include "kernel/vnet.h"

#include <string.h>

#include "config/limits.h"
#include "kernel/console.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/virtio.h"
#include "kernel/vq.h"

/* Virtio 1.2, section 5.1.2 */
#define RX 0
#define TX 1

/* Virtio 1.2, section 5.1.3 */
#define F_CSUM       (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_MTU        (1ull << 3)
#define F_MAC        (1ull << 5)
#define F_HOST_TSO4  (1ull << 11)
#define F_HOST_TSO6  (1ull << 12)

#define F_WANTED (F_CSUM | F_GUEST_CSUM | F_MAC | F_HOST_TSO4 | F_HOST_TSO6 | \
	VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM)

/* Virtio 1.2, section 5.1.4 */
#define CONFIG_MAC 0
#define CONFIG_MTU 10

/* Virtio 1.2, section 5.1.6 */
#define HDR_F_NEEDS_CSUM 1u
#define HDR_F_DATA_VALID 2u
#define HDR_GSO_NONE  0u
#define HDR_GSO_TCPV4 1u
#define HDR_GSO_TCPV6 4u

struct vnet_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

#define HDR_LEN 12
_Static_assert(sizeof(struct vnet_hdr) == HDR_LEN, "header as in the standard");

#define MTU_MIN 576
#define MTU_MAX 1500
_Static_assert(LIMIT_RX_BUFFER_LEN >= HDR_LEN + GATE_FRAME_MIN + MTU_MAX,
    "a buffer holds a frame of the largest MTU we accept");
_Static_assert(LIMIT_RX_BUFFERS <= VQ_SIZE_MAX,
    "all receive buffers fit into the receive queue");

/* The header and all slices of one frame, or it could never be sent. */
#define TX_SIZE_MIN 64
_Static_assert(TX_SIZE_MIN > GATE_FRAME_SLICES, "a frame fits an empty queue");

/* All memory the device shares with us, but for buffers and slices. */
struct dma {
	_Alignas(16) uint8_t rx[VQ_MEM_LEN(VQ_SIZE_MAX)];
	_Alignas(16) uint8_t tx[VQ_MEM_LEN(VQ_SIZE_MAX)];
	/* Header of the frame whose chain starts at the descriptor of that number. */
	_Alignas(16) struct vnet_hdr hdr[VQ_SIZE_MAX];
};

/* What is settled at start-up. */
SEALED static struct virtio_dev dev;
SEALED static struct dma *dma;
SEALED static uint64_t dma_pa;
SEALED static uint64_t features;      /* agreed on */
SEALED static uint64_t rx_pa;
SEALED static const volatile uint8_t *rx_va;
SEALED static uint16_t rx_count, rx_size;
SEALED static uint16_t rx_queue_size, tx_queue_size;
SEALED static uint16_t mtu;
SEALED static uint8_t mac[6];
SEALED static const char *polling_reason;

/* What changes. */
static struct {
	struct vq rx, tx;
	bool with_server[LIMIT_RX_BUFFERS];
	uint16_t lost[VQ_SIZE_MAX];
	uint16_t lost_count;
	uint16_t recoveries;
	const char *dead;             /* why the NIC was given up, or NULL */
} nic;

/* ---- Start-up ------------------------------------------------------------ */

/*
 * Section 5.1.4.2: whoever accepts an MTU MUST have buffers for frames of that
 * size.  A larger one than ours is therefore not accepted: the second round.
 */
static const char *agree(void)
{
	const char *wrong = virtio_negotiate(&dev, F_WANTED | F_MTU, &features);

	mtu = MTU_MAX;
	if (wrong != NULL || (features & F_MTU) == 0)
		return wrong;
	if (!virtio_config_u16(&dev, CONFIG_MTU, &mtu))
		return "the NIC's configuration is too short for its MTU";
	if (mtu < MTU_MIN)
		return "the NIC's MTU is smaller than 576";
	if (mtu <= MTU_MAX)
		return NULL;
	mtu = MTU_MAX;
	return virtio_negotiate(&dev, F_WANTED, &features);
}

static const char *read_mac(void)
{
	static const uint8_t none[6];

	/* Not offered: making an address up; every hypervisor sets one. */
	if ((features & F_MAC) == 0)
		return "the NIC has no MAC address: give it one";
	if (!virtio_config_bytes(&dev, CONFIG_MAC, mac, sizeof mac))
		return "the NIC's MAC address cannot be read";
	if ((mac[0] & 1) != 0 || memcmp(mac, none, sizeof mac) == 0)
		return "the NIC's MAC address is a group address or all zero";
	return NULL;
}

static const char *measure_queues(void)
{
	rx_queue_size = virtio_queue_size(&dev, RX);
	tx_queue_size = virtio_queue_size(&dev, TX);
	if (rx_queue_size < LIMIT_RX_BUFFERS)
		return "the NIC's receive queue is too short: "
		    "256 entries are needed";
	if (tx_queue_size < TX_SIZE_MIN)
		return "the NIC's transmit queue is too short: "
		    "64 entries are needed";
	return NULL;
}

const char *vnet_start(const char *cmdline)
{
	const char *wrong = virtio_mmio_add_cmdline(cmdline);

	if (wrong == NULL)
		wrong = virtio_find(VIRTIO_KIND_NET, &dev);
	if (wrong == VIRTIO_NONE)
		return "there is no virtio network device (QEMU: "
		    "-device virtio-net-pci; on microvm virtio-net-device)";
	if (wrong == NULL)
		wrong = agree();
	if (wrong == NULL)
		wrong = read_mac();
	if (wrong == NULL)
		wrong = measure_queues();
	if (wrong != NULL)
		return wrong;
	polling_reason = dev.ops->interrupts(&dev, IRQ_VECTOR_NIC);
	dma = map_alloc(sizeof *dma, &dma_pa);
	return NULL;
}

uint32_t vnet_features(void)
{
	uint32_t bits = 0;

	if (features & F_GUEST_CSUM)
		bits |= GATE_NIC_CSUM_RX;
	/* Section 5.1.3.1: segmentation needs checksums. */
	if ((features & F_CSUM) == 0)
		return bits;
	bits |= GATE_NIC_CSUM_TX;
	if (features & F_HOST_TSO4)
		bits |= GATE_NIC_TSO4;
	if (features & F_HOST_TSO6)
		bits |= GATE_NIC_TSO6;
	return bits;
}

uint16_t vnet_mtu(void)
{
	return mtu;
}

const uint8_t *vnet_mac(void)
{
	return mac;
}

const char *vnet_description(void)
{
	static const char *const text[2][2] = {
		{ "virtio-net mmio", "virtio-net mmio, polling" },
		{ "virtio-net pci", "virtio-net pci, polling" },
	};

	return text[dev.ops->name[0] == 'p'][polling_reason != NULL];
}

const char *vnet_polling_reason(void)
{
	return polling_reason;
}

/* ---- Running and recovering ---------------------------------------------- */

static void post(uint16_t buffer)
{
	uint16_t head;

	nic.with_server[buffer] = false;
	if (!vq_begin(&nic.rx, 1, buffer, &head))
		return;         /* broken: the recovery posts it */
	vq_push(&nic.rx, rx_pa + (uint64_t)buffer * rx_size, rx_size, true);
}

/* The device is reset: bring it up, with all buffers that are not the server's. */
static const char *run(void)
{
	const char *wrong = virtio_queue_start(&dev, RX, &nic.rx, rx_queue_size,
	    dma->rx, dma_pa + offsetof(struct dma, rx));

	if (wrong == NULL)
		wrong = virtio_queue_start(&dev, TX, &nic.tx, tx_queue_size,
		    dma->tx, dma_pa + offsetof(struct dma, tx));
	if (wrong == NULL)
		wrong = virtio_go(&dev);
	if (wrong != NULL)
		return wrong;
	for (uint16_t i = 0; i < rx_count; i++) {
		if (!nic.with_server[i])
			post(i);
	}
	virtio_publish(&dev, RX, &nic.rx);
	return NULL;
}

static const char *run_again(void)
{
	uint64_t again;
	const char *wrong = virtio_negotiate(&dev, features, &again);

	if (wrong != NULL)
		return wrong;
	if (again != features)
		return "the NIC offers less after a reset than before";
	return run();
}

const char *vnet_set_buffers(uint64_t pa, uint16_t count, uint16_t size)
{
	ASSERT(count <= LIMIT_RX_BUFFERS && size <= LIMIT_RX_BUFFER_LEN);
	rx_pa = pa;
	rx_count = count;
	rx_size = size;
	rx_va = (const volatile uint8_t *)map_region(pa,
	    (uint64_t)count * size, 0);
	return run();
}

const char *vnet_restart(void)
{
	memset(nic.with_server, 0, sizeof nic.with_server);
	nic.lost_count = 0;
	nic.recoveries = 0;
	nic.dead = run_again();
	return nic.dead;
}

static void recover(const char *cause)
{
	if (nic.dead != NULL)
		return;
	console_printf("stele: NIC: %s: resetting it\n", cause);
	if (nic.recoveries == LIMIT_NIC_RECOVERIES) {
		nic.dead = cause;
		return;
	}
	nic.recoveries++;
	nic.lost_count += vq_list_in_flight(&nic.tx, nic.lost + nic.lost_count);
	nic.dead = run_again();
}

/*
 * A doorbell that the device was not told to need costs nothing once a second.  On
 * an emulator that leaves fences out (QEMU's TCG before 8.1 with one possible CPU)
 * either side can miss the other's word; then the wait ends here.
 */
const char *vnet_check(void)
{
	if (nic.dead == NULL && virtio_needs_reset(&dev))
		recover("it asks for a reset");
	if (nic.dead == NULL) {
		dev.ops->notify(&dev, RX);
		dev.ops->notify(&dev, TX);
	}
	return nic.dead;
}

/* ---- Sending ------------------------------------------------------------- */

static struct vnet_hdr header_of(const struct gate_tx *tx)
{
	struct vnet_hdr h = { 0 };

	/* Section 5.1.6.2 */
	if (tx->offload == GATE_TX_PLAIN)
		return h;
	h.flags = HDR_F_NEEDS_CSUM;
	h.csum_start = tx->csum_start;
	h.csum_offset = tx->csum_offset;
	if (tx->offload == GATE_TX_CSUM)
		return h;
	h.gso_type = tx->offload == GATE_TX_TSO4 ? HDR_GSO_TCPV4 : HDR_GSO_TCPV6;
	h.gso_size = tx->gso_size;
	h.hdr_len = tx->header_len;
	return h;
}

bool vnet_tx(const struct vnet_slice *slices, uint16_t n,
    const struct gate_tx *tx)
{
	uint16_t head;

	if (nic.lost_count != 0 || nic.dead != NULL ||
	    !vq_begin(&nic.tx, n + 1, tx->cookie, &head))
		return false;
	dma->hdr[head] = header_of(tx);
	vq_push(&nic.tx, dma_pa + offsetof(struct dma, hdr) +
	    head * sizeof(struct vnet_hdr), HDR_LEN, false);
	for (uint16_t i = 0; i < n; i++)
		vq_push(&nic.tx, slices[i].pa, slices[i].len, false);
	return true;
}

void vnet_tx_commit(void)
{
	virtio_publish(&dev, TX, &nic.tx);
}

static uint16_t collect_lost(uint16_t *cookies, uint16_t cap)
{
	uint16_t n = 0;

	while (n < cap && nic.lost_count > 0)
		cookies[n++] = nic.lost[--nic.lost_count];
	return n;
}

uint16_t vnet_tx_done(uint16_t *cookies, uint16_t cap)
{
	uint16_t n = collect_lost(cookies, cap);

	while (n < cap && nic.dead == NULL) {
		struct vq_done done;
		const enum vq_status status = vq_take(&nic.tx, &done);

		if (status == VQ_EMPTY)
			break;
		if (status != VQ_OK) {
			recover(vq_status_text(status));
			break;
		}
		cookies[n++] = done.token;
	}
	return n;
}

/* ---- Receiving ----------------------------------------------------------- */

/* Is it a frame for the server?  len: bytes the device wrote, at most rx_size. */
static bool accept(uint16_t buffer, uint32_t len, struct gate_rx *out)
{
	/* Flags and kind in one read: the memory is the server's and the device's. */
	const uint16_t head = *(const volatile uint16_t *)
	    (rx_va + (uint32_t)buffer * rx_size);
	const uint8_t flags = (uint8_t)head;
	const uint8_t gso_type = head >> 8;

	if (len < HDR_LEN + GATE_FRAME_MIN || gso_type != HDR_GSO_NONE)
		return false;
	*out = (struct gate_rx){
		.buffer = buffer,
		.off = HDR_LEN,
		.len = (uint16_t)(len - HDR_LEN),
		.csum = GATE_RX_UNCHECKED,
	};
	/* Section 5.1.6.4.1: without the feature the flags mean nothing. */
	if ((features & F_GUEST_CSUM) != 0 &&
	    (flags & (HDR_F_NEEDS_CSUM | HDR_F_DATA_VALID)) != 0)
		out->csum = GATE_RX_VOUCHED;
	return true;
}

uint16_t vnet_rx(struct gate_rx *out, uint16_t cap, bool *more)
{
	uint16_t n = 0;

	while (n < cap && nic.dead == NULL) {
		struct vq_done done;
		const enum vq_status status = vq_take(&nic.rx, &done);

		if (status == VQ_EMPTY)
			break;
		if (status != VQ_OK) {
			recover(vq_status_text(status));
			break;
		}
		if (!accept(done.token, done.len, &out[n])) {
			post(done.token);
			continue;
		}
		nic.with_server[done.token] = true;
		n++;
	}
	virtio_publish(&dev, RX, &nic.rx);
	*more = vq_pending(&nic.rx);
	return n;
}

bool vnet_can_give(const uint16_t *buffers, uint16_t n)
{
	uint64_t named[(LIMIT_RX_BUFFERS + 63) / 64] = { 0 };

	for (uint16_t i = 0; i < n; i++) {
		const uint16_t b = buffers[i];
		const uint64_t bit = 1ull << (b & 63);

		if (b >= rx_count || !nic.with_server[b] ||
		    (named[b >> 6] & bit) != 0)
			return false;
		named[b >> 6] |= bit;
	}
	return true;
}

void vnet_give(uint16_t buffer)
{
	ASSERT(buffer < rx_count && nic.with_server[buffer]);
	post(buffer);
}

/* ---- Sleeping ------------------------------------------------------------ */

/* With a quarter of the queue in use the server may wait for it to empty. */
static bool tx_matters(void)
{
	return nic.tx.free_count < nic.tx.size - nic.tx.size / 4;
}

bool vnet_pending(void)
{
	return vq_pending(&nic.rx) || nic.lost_count != 0 ||
	    (tx_matters() && vq_pending(&nic.tx));
}

bool vnet_wake_on(bool on)
{
	vq_set_interrupts(&nic.rx, on);
	vq_set_interrupts(&nic.tx, on && tx_matters());
	return on && vnet_pending();
}

void vnet_interrupt(void)
{
	dev.ops->interrupt_ack(&dev);
}
