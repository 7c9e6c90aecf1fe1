/*
 * A virtio-net device on PCI: a configuration space (fake_pci.c) and registers,
 * behind map_device() and reg_*(), as QEMU lays them out.  Any access that a sound
 * driver does not make fails the test.
 */
#pragma once

#include "kernel/virtio.h"
#include "tests/kernel/fake_pci.h"

/* The device's BAR 4, as QEMU lays it out, and BAR 1 with the MSI-X table. */
#define BAR4_PA  0xFE000000u
#define BAR4_LEN 0x4000u
#define BAR1_PA  0xFEB00000u
#define BAR1_LEN 0x1000u
#define COMMON 0x0000u
#define CONFIG 0x2000u
#define NOTIFY 0x3000u
#define MULTIPLIER 4u

#define CAP_COMMON 0x40
#define CAP_NOTIFY 0x54
#define CAP_CONFIG 0x68
#define CAP_ISR    0x78
#define CAP_PCI    0x88
#define CAP_MSIX   0x9C

#define NIC_FN (2 << 3)

/* What the device has been told, and how it misbehaves. */
struct fake_hw {
	uint8_t bar4[BAR4_LEN], bar1[BAR1_LEN];  /* only their addresses matter */
	uint64_t offers, accepted;
	uint32_t feature_select, driver_select;
	uint8_t status;
	uint8_t config[64];
	uint8_t generation;
	uint16_t queue_select, queue_max[4], queue_size[4], vector[4];
	uint16_t enabled[4], notify_off[4];
	uint64_t place[4][3];
	uint32_t msix[4];
	char events[64];          /* status values written, as letters */
	unsigned mapped;
	uint64_t mapped_end;
	int notified;
	bool reset_sticks, refuses_features, no_vectors, fails_to_start;
	unsigned generation_steps;
};

extern struct fake_hw hw;
extern struct fake_fn *nic;

/* What virtio_mmio_find() answers. */
extern const char *mmio_says;

/* Put a virtio capability in front of the list. */
void add_cap(uint8_t at, uint8_t type, uint8_t bar, uint32_t offset,
    uint32_t length);

/* Plug a sound device in; a set-up function of cmocka. */
int plug(void **state);
