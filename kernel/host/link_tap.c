/*
 * Frames through a Linux TAP interface, with the header of virtio-net in front
 * of each, so that checksums and segmentation are left to the other side
 * exactly as with a NIC (Virtio 1.2, section 5.1.6).
 */
#include "kernel/host/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

static struct virtio_net_hdr header_of(const struct gate_tx *tx)
{
	struct virtio_net_hdr h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };

	if (tx->offload == GATE_TX_PLAIN)
		return h;
	h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h.csum_start = tx->csum_start;
	h.csum_offset = tx->csum_offset;
	if (tx->offload == GATE_TX_CSUM)
		return h;
	h.gso_type = tx->offload == GATE_TX_TSO4 ?
	    VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	h.gso_size = tx->gso_size;
	h.hdr_len = tx->header_len;
	return h;
}

static bool tap_send(struct link *link, const struct gate_tx *tx,
    const struct gate_slice *slices)
{
	struct virtio_net_hdr header = header_of(tx);
	struct iovec iov[1 + GATE_FRAME_SLICES];

	iov[0] = (struct iovec){ &header, sizeof header };
	for (size_t i = 0; i < tx->slice_count; i++) {
		const struct gate_slice *s = &slices[tx->first_slice + i];

		iov[1 + i] = (struct iovec){ (void *)(uintptr_t)s->addr, s->len };
	}
	return writev(link->fd, iov, 1 + tx->slice_count) >= 0 ||
	    errno != EAGAIN;
}

static size_t tap_receive(struct link *link, uint8_t *frame, size_t cap,
    uint16_t *csum)
{
	struct virtio_net_hdr header;
	uint8_t excess;
	struct iovec iov[3] = {
		{ &header, sizeof header }, { frame, cap }, { &excess, 1 },
	};

	for (;;) {
		const ssize_t n = readv(link->fd, iov, 3);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			host_fail("reading from %s: %s", link->name,
			    strerror(errno));
		if ((size_t)n <= sizeof header ||
		    (size_t)n > sizeof header + cap)
			continue;
		*csum = (header.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM |
		    VIRTIO_NET_HDR_F_DATA_VALID)) != 0 ?
		    GATE_RX_VOUCHED : GATE_RX_UNCHECKED;
		return (size_t)n - sizeof header;
	}
}

struct link *link_open_tap(const char *interface)
{
	static struct link link = {
		.nic_features = GATE_NIC_CSUM_TX | GATE_NIC_CSUM_RX |
		    GATE_NIC_TSO4 | GATE_NIC_TSO6,
		.send = tap_send,
		.receive = tap_receive,
	};
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
	};
	int header_len = sizeof(struct virtio_net_hdr);

	if (strlen(interface) >= IFNAMSIZ)
		host_fail("%s: an interface's name is shorter", interface);
	memcpy(request.ifr_name, interface, strlen(interface));
	snprintf(link.name, sizeof link.name, "tap %s", interface);
	link.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (link.fd < 0)
		host_fail("/dev/net/tun: %s", strerror(errno));
	/*
	 * TUN_F_CSUM: the kernel may leave the checksum of frames to us undone.
	 */
	if (ioctl(link.fd, TUNSETIFF, &request) < 0 ||
	    ioctl(link.fd, TUNSETVNETHDRSZ, &header_len) < 0 ||
	    ioctl(link.fd, TUNSETOFFLOAD, TUN_F_CSUM) < 0)
		host_fail("%s: %s", interface, strerror(errno));
	return &link;
}
