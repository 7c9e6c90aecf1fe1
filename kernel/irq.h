/*
 * Interrupts: the local APIC (xAPIC or x2APIC), its one-shot timer, and the few
 * lines the NIC needs.  The old PICs are masked for good.
 *
 * There is one CPU and ring 0 runs with interrupts off (but for the `sti; hlt`
 * of the idle path), so nothing in here is ever interrupted by itself.
 */
#pragma once

#include "config/base.h"
#include "kernel/acpi.h"

#define IRQ_VECTOR_TIMER 0x30
#define IRQ_VECTOR_NIC 0x31
#define IRQ_VECTOR_SPURIOUS 0xFF

/* How the line of a device is wired, where the bus fixes it. */
enum irq_trigger {
	IRQ_EDGE_HIGH = 0,   /* ISA */
	IRQ_LEVEL_HIGH,      /* virtio-mmio */
	IRQ_LEVEL_LOW,       /* PCI INTx */
};

/*
 * Mask the PICs, map and enable the local APIC and the IOAPICs (pins masked).
 * The timer is left counting down freely, masked, for clock_init() to measure.
 * After map_start(), before map_seal(), before clock_init().
 * Returns NULL, or a sentence saying why this CPU cannot be used.
 */
MUST_USE const char *irq_init(const struct acpi_info *acpi);

/*
 * The timer's count; falls from 0xFFFFFFFF after irq_init() at the rate that
 * irq_timer_start() wants to know.  Only between these two calls.
 */
uint32_t irq_timer_count(void);

/*
 * Make the timer ready.  Called by clock_init().
 *
 * counts_per_s  measured rate of irq_timer_count(); any if irq_timer_is_tsc()
 */
void irq_timer_start(uint64_t counts_per_s);

/* Is the timer compared with the TSC itself (and needs no measuring)? */
bool irq_timer_is_tsc(void);

/*
 * Interrupt (IRQ_VECTOR_TIMER) at deadline_ns of clock_now_ns(), or a little
 * earlier: look at the clock and arm again.  0 or a past deadline: at once.
 * Cheap when an earlier or equal deadline is already armed, which then stays;
 * each interrupt uses it up.
 */
void irq_timer_arm(uint64_t deadline_ns);

/*
 * Send a global system interrupt to `vector`, unmasked.  The MADT's overrides
 * decide the wiring where they name the line, else `trigger`.
 * Returns false if no IOAPIC has this line.
 */
MUST_USE bool irq_route_gsi(uint32_t gsi, uint8_t vector,
    enum irq_trigger trigger);

/*
 * What a device writes, and where, to raise `vector` here (MSI and MSI-X).
 * Source: SDM vol. 3, "Message Signalled Interrupts".
 */
uint64_t irq_msi_address(void);
uint32_t irq_msi_data(uint8_t vector);

/*
 * From the trap code, for each vector of 0x20..0xFF: tells the device's driver
 * (NIC: vnet_interrupt()), notes what happened, acknowledges.
 */
void irq_handle(uint8_t vector);

/* Has the timer interrupted since the last call? */
bool irq_take_timer(void);
