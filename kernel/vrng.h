/*
 * Random bytes from a virtio entropy device: Virtio 1.2, section 5.4.  Used at
 * start-up only; between calls the device is held in reset.
 */
#pragma once

#include "config/base.h"

#define VRNG_READ_MAX 64

/*
 * Look for a device and take it.  Before map_seal().  A device that cannot be
 * used is no device.
 *
 * cmdline  names virtio-mmio devices, see virtio.h; a mistake in there is for
 *          vnet_start() to report
 */
void vrng_start(const char *cmdline);

/*
 * Ask the device for len (1..VRNG_READ_MAX) bytes and wait, for less than a second.
 * Returns how many came, from the front of buf; 0 when there is no device, or it
 * gives none, or it misbehaves.
 */
size_t vrng_read(uint8_t *buf, size_t len);
