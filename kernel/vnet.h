/*
 * The NIC: virtio-net, Virtio 1.2, section 5.1, one receive and one transmit queue.
 *
 * What never happens in here: a look at what a frame says.  What is checked: each
 * index, identity and length that the device tells, and that each receive buffer is
 * at any moment either the device's or the server's, never both.
 *
 * A device that breaks the rules (or that asks for it) is reset and started anew;
 * frames in flight are then lost, as on any network.  After LIMIT_NIC_RECOVERIES of
 * these the NIC is given up: vnet_check() says so.
 *
 * Not offered: mergeable receive buffers and large receive (a buffer is one
 * frame), the control queue, several queues, link status.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

/* Part of a frame to send. */
struct vnet_slice {
	uint64_t pa;
	uint32_t len;
};

/*
 * Find the NIC, reset it, agree on features.  Before map_seal().
 *
 * cmdline  names virtio-mmio devices, see virtio.h
 * Returns  NULL, or a sentence for the operator: there is no NIC, or it is unusable
 */
MUST_USE const char *vnet_start(const char *cmdline);

/* After vnet_start(): GATE_NIC_*; IP bytes of a frame, 576..1500; the address. */
uint32_t vnet_features(void);
uint16_t vnet_mtu(void);
const uint8_t *vnet_mac(void);

/* "virtio-net pci", or "virtio-net mmio, polling" when there are no interrupts. */
const char *vnet_description(void);

/*
 * Why there are no interrupts, or NULL when there are.  Without them nothing ends a
 * sleep but the timer: then sleep in short pieces.
 */
const char *vnet_polling_reason(void);

/*
 * Hand all receive buffers to the device and let it run.  Once, before map_seal().
 *
 * rx_pa        `count` buffers of `size` bytes each, physically contiguous
 * count, size  at most LIMIT_RX_BUFFERS, LIMIT_RX_BUFFER_LEN
 * Returns      NULL, or a sentence: the device does not start
 */
MUST_USE const char *vnet_set_buffers(uint64_t rx_pa, uint16_t count,
    uint16_t size);

/*
 * For a new server: stop the device's DMA, forget all frames, hand all buffers to
 * the device, let it run again.
 * Returns NULL, or a sentence: then the device may still write to receive buffers,
 *         and only a reboot helps
 */
MUST_USE const char *vnet_restart(void);

/* ---- Sending ------------------------------------------------------------- */

/*
 * Queue a frame of n (1..GATE_FRAME_SLICES) slices, checked by the gate.
 *
 * tx       cookie and offload fields, checked by the gate; a private copy
 * Returns  false when the queue is full
 */
MUST_USE bool vnet_tx(const struct vnet_slice *slices, uint16_t n,
    const struct gate_tx *tx);

/* Tell the device of the frames queued since the last call. */
void vnet_tx_commit(void);

/* Collect the cookies of frames sent (or lost in a recovery).  Returns how many. */
uint16_t vnet_tx_done(uint16_t *cookies, uint16_t cap);

/* ---- Receiving ----------------------------------------------------------- */

/*
 * Collect received frames, which are the server's from then on, and let the device
 * have the buffers given back since the last call.
 *
 * out, cap  room for so many
 * more      set to whether further ones are waiting
 * Returns   how many
 */
uint16_t vnet_rx(struct gate_rx *out, uint16_t cap, bool *more);

/* Is each of these the server's to give, and is none named twice? */
MUST_USE bool vnet_can_give(const uint16_t *buffers, uint16_t n);

/* Take a buffer back from the server, whose it is. */
void vnet_give(uint16_t buffer);

/* ---- Sleeping ------------------------------------------------------------ */

/*
 * Is there something to collect?  Sent frames count only when the queue holds so
 * many that the server may be waiting for them.
 */
bool vnet_pending(void);

/*
 * Ask for interrupts (or for none).  When asking, returns vnet_pending(), looked
 * at after the device can see the wish: if true, there may be no interrupt.
 */
bool vnet_wake_on(bool on);

/* From the interrupt IRQ_VECTOR_NIC. */
void vnet_interrupt(void);

/*
 * Look whether the device wants to be reset, and do it.  A register read: call it
 * about once a second.
 * Returns NULL, or a sentence: the NIC is lost until the machine is started again
 */
const char *vnet_check(void);
