/*
 * lwIP's interface over the gate; see nic.h.
 *
 * Sending.  A frame is a chain of pbufs that lwIP built; we take a reference,
 * so that lwIP neither reuses nor changes it, and drop it when the gate reports
 * the frame sent.  Each frame has a slot, whose number is the gate's cookie:
 *
 *   free     on the stack `free_slots`
 *   queued   in the ring `queue`, not yet taken by the gate
 *   flying   taken by the gate; the NIC reads its bytes
 *
 * Slots bound both: when none is free, lwIP is told so (ERR_MEM), keeps TCP
 * segments and drops the rest; once there is room again tcp_txnow() sends what
 * was kept.
 *
 * Receiving.  Every receive buffer of the gate has a pbuf of our own in
 * `rx_pbufs`; when lwIP frees it, the buffer's number goes into the block of
 * the next exchange.
 *
 * The block is in two halves: what we fill (tx, slices, give) and what the gate
 * fills (rx, done).  Processing rx may add to give and to the queue, never to
 * rx or done.
 */
#include "net/nic.h"

#include "net/checksum.h"
#include "net/conn.h"
#include "net/counters.h"
#include "net/poison.h"
#include "config/limits.h"

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ieee.h"
#include "lwip/prot/ip.h"
#include "lwip/snmp.h"
#include "netif/ethernet.h"

#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40
#define TCP_LEN 20
#define UDP_LEN 8
#define ARP_LEN 28

/*
 * No frame that means something to us is shorter: ARP, or IPv4 with ICMP or
 * UDP.  lwIP reads that far into a frame before it looks at the length.
 */
#define FRAME_MIN (ETH_LEN + ARP_LEN)
_Static_assert(ARP_LEN <= IP4_LEN + UDP_LEN, "no packet is shorter than ARP's");

struct tx_slot {
	struct pbuf *frame;   /* NULL: free */
	uint16_t offload;     /* enum gate_offload */
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t gso_size;
	uint16_t header_len;
};

static const struct gate_info *gate;
static struct netif netif;
static struct gate_net block;
static struct pbuf_custom rx_pbufs[LIMIT_RX_BUFFERS];
static uint32_t buffers_held;

static struct tx_slot slots[LIMIT_TX_FRAMES];
static uint16_t free_slots[LIMIT_TX_FRAMES];
static uint32_t free_count;
static uint16_t queue[LIMIT_TX_FRAMES];
static uint32_t queue_head;     /* of the oldest; counts up, index modulo the size */
static uint32_t queue_tail;
static bool starved;            /* lwIP was refused a slot */

_Static_assert((LIMIT_TX_FRAMES & (LIMIT_TX_FRAMES - 1)) == 0,
    "the queue's counters may wrap around");
_Static_assert(LIMIT_RX_BUFFERS <= GATE_GIVE_BATCH,
    "all receive buffers can be given back in one exchange");

/* ---- Sending ------------------------------------------------------------- */

/*
 * The sum of the pseudo-header, RFC 9293, section 3.1, for the NIC to go on
 * from.
 */
static uint16_t pseudo_sum(const uint8_t *addrs, size_t addrs_len, uint8_t proto,
    uint32_t transport_len)
{
	const uint64_t sum = net_sum_bytes(addrs, addrs_len);

	return sum_fold(sum + __builtin_bswap16(proto) +
	    __builtin_bswap16((uint16_t)transport_len));
}

/*
 * Decide what the NIC is to do for a frame we built, and prepare the frame: its
 * checksum field gets the sum of the pseudo-header (Virtio 1.2, section
 * 5.1.6.2). Headers are always contiguous in the first pbuf; anything else is
 * sent as it is, and lwIP has then put checksums in (ICMP, ICMPv6).
 */
static void prepare(struct tx_slot *slot)
{
	uint8_t *frame = slot->frame->payload;
	const size_t head_len = slot->frame->len;
	uint32_t ip_len, csum_offset;
	const uint8_t *addrs;
	size_t addrs_len;
	uint8_t proto;
	bool is_ipv6;

	slot->offload = GATE_TX_PLAIN;
	if ((gate->nic_features & GATE_NIC_CSUM_TX) == 0 ||
	    head_len < ETH_LEN + IP4_LEN + UDP_LEN)
		return;

	if (load_be16(frame + 12) == ETHTYPE_IP) {
		is_ipv6 = false;
		ip_len = IP4_LEN;
		proto = frame[ETH_LEN + 9];
		addrs = frame + ETH_LEN + 12;
		addrs_len = 8;
	} else if (load_be16(frame + 12) == ETHTYPE_IPV6) {
		is_ipv6 = true;
		ip_len = IP6_LEN;
		proto = frame[ETH_LEN + 6];
		addrs = frame + ETH_LEN + 8;
		addrs_len = 32;
	} else {
		return;
	}
	if (proto == IP_PROTO_TCP && head_len >= ETH_LEN + ip_len + TCP_LEN)
		csum_offset = 16;
	else if (proto == IP_PROTO_UDP && head_len >= ETH_LEN + ip_len + UDP_LEN)
		csum_offset = 6;
	else
		return;

	slot->csum_start = (uint16_t)(ETH_LEN + ip_len);
	slot->csum_offset = (uint16_t)csum_offset;
	store_le16(frame + slot->csum_start + csum_offset,
	    pseudo_sum(addrs, addrs_len, proto,
	        slot->frame->tot_len - slot->csum_start));
	slot->offload = GATE_TX_CSUM;

	if (slot->frame->gso_size != 0) {
		slot->offload = is_ipv6 ? GATE_TX_TSO6 : GATE_TX_TSO4;
		slot->gso_size = slot->frame->gso_size;
		slot->header_len = (uint16_t)(slot->csum_start +
		    4 * (frame[slot->csum_start + 12] >> 4));
	}
}

/* lwIP sends a frame: netif.linkoutput. */
static err_t send_frame(struct netif *nif, struct pbuf *frame)
{
	struct tx_slot *slot;
	uint16_t index;

	(void)nif;
	if (free_count == 0) {
		starved = true;
		net_counters.frames_refused++;
		return ERR_MEM;
	}
	ASSERT(pbuf_clen(frame) <= GATE_FRAME_SLICES);
	index = free_slots[--free_count];
	slot = &slots[index];
	ASSERT(slot->frame == NULL);
	pbuf_ref(frame);
	slot->frame = frame;
	prepare(slot);
	queue[queue_tail++ % LIMIT_TX_FRAMES] = index;
	return ERR_OK;
}

/*
 * Put the frame of a slot into the block; false when the block has no room for
 * it.
 */
static bool add_to_block(uint16_t index)
{
	const struct tx_slot *slot = &slots[index];
	uint16_t at = block.slice_count;

	if (block.tx_count == GATE_TX_BATCH)
		return false;
	for (const struct pbuf *p = slot->frame; p != NULL; p = p->next) {
		if (p->len == 0)
			continue;
		if (at == GATE_SLICE_BATCH)
			return false;
		block.slices[at].addr = p->payload;
		block.slices[at].len = p->len;
		at++;
	}
	block.tx[block.tx_count] = (struct gate_tx){
		.first_slice = block.slice_count,
		.slice_count = (uint16_t)(at - block.slice_count),
		.cookie = index,
		.offload = slot->offload,
		.csum_start = slot->csum_start,
		.csum_offset = slot->csum_offset,
		.gso_size = slot->gso_size,
		.header_len = slot->header_len,
	};
	block.tx_count++;
	block.slice_count = at;
	return true;
}

static void fill_block(void)
{
	block.tx_count = 0;
	block.slice_count = 0;
	for (uint32_t at = queue_head; at != queue_tail; at++) {
		if (!add_to_block(queue[at % LIMIT_TX_FRAMES]))
			break;
	}
}

/* Release the frames the NIC has sent. */
static void take_done(void)
{
	for (size_t i = 0; i < block.done_count; i++) {
		const uint16_t index = block.done[i];

		ASSERT(index < LIMIT_TX_FRAMES && slots[index].frame != NULL);
		pbuf_free(slots[index].frame);
		slots[index].frame = NULL;
		free_slots[free_count++] = index;
	}
}

/* ---- Receiving ----------------------------------------------------------- */

static uint8_t *buffer_at(size_t index)
{
	return gate->rx_base + index * gate->rx_size;
}

/*
 * lwIP is done with a received frame: its buffer goes back with the next
 * exchange.
 */
static void give_back(struct pbuf *p)
{
	const size_t index = (size_t)((struct pbuf_custom *)(void *)p - rx_pbufs);

	ASSERT(index < gate->rx_count && block.give_count < GATE_GIVE_BATCH);
	unpoison(buffer_at(index), gate->rx_size);
	block.give[block.give_count++] = (uint16_t)index;
	buffers_held--;
}

static void take_frame(const struct gate_rx *rx)
{
	const uint16_t checks = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
	uint8_t *at = buffer_at(rx->buffer);
	struct pbuf *p;

	ASSERT(rx->buffer < gate->rx_count);
	ASSERT((uint32_t)rx->off + rx->len <= gate->rx_size);
	buffers_held++;
	poison(at, gate->rx_size);
	unpoison(at + rx->off, rx->len);
	p = pbuf_alloced_custom(PBUF_RAW, rx->len, PBUF_REF,
	    &rx_pbufs[rx->buffer], at + rx->off, rx->len);
	ASSERT(p != NULL);
	if (rx->len < FRAME_MIN) {
		pbuf_free(p);
		return;
	}

	if (rx->csum == GATE_RX_VOUCHED)
		netif.chksum_flags &= (uint16_t)~checks;
	else
		netif.chksum_flags |= checks;

	conn_make_room();
	/* Takes the frame in every case. */
	(void)ethernet_input(p, &netif);
}

/* ---- The whole ----------------------------------------------------------- */

bool nic_exchange(void)
{
	uint32_t sent;

	fill_block();
	if (gate_net(&block) != GATE_OK)
		panic("the gate refused an exchange");
	sent = block.tx_taken;
	ASSERT(sent <= block.tx_count);
	queue_head += sent;
	net_counters.frames_out += sent;
	net_counters.frames_in += block.rx_count;
	block.give_count = 0;

	take_done();
	if (starved && free_count >= LIMIT_TX_FRAMES / 4) {
		starved = false;
		tcp_txnow();
	}
	for (size_t i = 0; i < block.rx_count; i++)
		take_frame(&block.rx[i]);

	return block.more != 0 || block.rx_count > 0 ||
	    (queue_head != queue_tail && (sent > 0 || block.done_count > 0));
}

bool nic_pending(void)
{
	return queue_head != queue_tail || block.give_count > 0;
}

uint16_t nic_segment_max(bool is_ipv6, uint16_t mss)
{
	const uint32_t feature = is_ipv6 ? GATE_NIC_TSO6 : GATE_NIC_TSO4;
	/* The length of a pbuf chain is 16 bits, headers included. */
	const uint32_t max = UINT16_MAX - ETH_LEN - IP6_LEN - TCP_LEN;

	if ((gate->nic_features & feature) == 0 ||
	    (gate->nic_features & GATE_NIC_CSUM_TX) == 0 || mss < 256)
		return mss;
	return (uint16_t)(max - max % mss);
}

static err_t init_netif(struct netif *nif)
{
	nif->name[0] = 'e';
	nif->name[1] = 'n';
	nif->output = etharp_output;
	nif->output_ip6 = ethip6_output;
	nif->linkoutput = send_frame;
	nif->mtu = gate->mtu;
	nif->hwaddr_len = ETH_HWADDR_LEN;
	__builtin_memcpy(nif->hwaddr, gate->mac, ETH_HWADDR_LEN);
	nif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
	    NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6 | NETIF_FLAG_LINK_UP;
	if ((gate->nic_features & GATE_NIC_CSUM_TX) != 0) {
		NETIF_SET_CHECKSUM_CTRL(nif, NETIF_CHECKSUM_ENABLE_ALL &
		    ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP));
	}
	return ERR_OK;
}

struct netif *nic_start(const struct gate_info *info)
{
	ASSERT(info->rx_count <= LIMIT_RX_BUFFERS);
	gate = info;
	for (uint16_t i = 0; i < LIMIT_TX_FRAMES; i++)
		free_slots[free_count++] = (uint16_t)(LIMIT_TX_FRAMES - 1 - i);
	for (size_t i = 0; i < info->rx_count; i++)
		rx_pbufs[i].custom_free_function = give_back;

	if (netif_add(&netif, NULL, NULL, NULL, NULL, init_netif,
	    ethernet_input) == NULL)
		panic("lwIP refused the interface");
	netif_set_default(&netif);
	return &netif;
}

uint32_t nic_frames_out(void)
{
	return LIMIT_TX_FRAMES - free_count;
}

uint32_t nic_buffers_held(void)
{
	return buffers_held;
}
