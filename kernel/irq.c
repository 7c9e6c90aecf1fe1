/*
 * Interrupt controllers: see irq.h.
 * Sources: SDM vol. 3, chapter 11 (local APIC); Intel 82093AA data sheet,
 * section 3 (IOAPIC); Intel 8259A data sheet (PIC).
 *
 *   deadline_armed  an interrupt of the timer is to come ...
 *   armed_ns        ... at this time; both are history once it has come
 */
#include "config/hypervisor.h"
#include "kernel/clock.h"
#include "kernel/io.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/vnet.h"

/* ---- Registers ----------------------------------------------------------- */

#define LAPIC_ID 0x020
#define LAPIC_TASK_PRIORITY 0x080
#define LAPIC_EOI 0x0B0
#define LAPIC_SPURIOUS 0x0F0
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_START 0x380
#define LAPIC_TIMER_NOW 0x390
#define LAPIC_TIMER_DIVIDE 0x3E0
#define LAPIC_LEN 0x400

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_16 3u

#define MSR_APIC_BASE 0x1Bu
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ON (1u << 11)
#define APIC_BASE_ADDR 0xFFFFFF000ull
#define MSR_X2APIC 0x800u            /* + xAPIC offset / 16 */
#define MSR_TSC_DEADLINE 0x6E0u

#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_LEN 0x20
#define IOAPIC_VERSION 1             /* bits 16..23: last pin */
#define IOAPIC_PIN 16                /* two registers a pin */
#define PIN_ACTIVE_LOW (1u << 13)
#define PIN_LEVEL (1u << 15)
#define PIN_MASKED (1u << 16)

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xA0
#define PIC2_DATA 0xA1
#define PIC_VECTORS 0x20
#define PIC_VECTORS_END 0x30

#define MSI_BASE 0xFEE00000u

#define NS_PER_S 1000000000ull

/*
 * The furthest deadline given to the timer; it then comes early, as it may.
 * Counts for 10 s fit into 32 bits up to a timer of 6.8 GHz.
 */
#define FURTHEST_NS (10 * NS_PER_S)
#define COUNTS_PER_S_MAX (UINT32_MAX / 10)

struct ioapic {
	volatile uint8_t *regs;
	uint32_t gsi_base;
	uint32_t pins;
};

static SEALED volatile uint8_t *lapic;   /* NULL: x2APIC, through MSRs */
static SEALED bool timer_is_tsc;
static SEALED uint64_t counts_per_s;
static SEALED struct ioapic ioapics[ACPI_IOAPICS_CAP];
static SEALED uint32_t ioapic_count;
static SEALED struct acpi_irq_override overrides[ACPI_IRQ_OVERRIDES_CAP];
static SEALED uint32_t override_count;

static bool deadline_armed;
static uint64_t armed_ns;
static bool timer_came;

static uint32_t lapic_read(uint32_t reg)
{
	if (lapic == NULL)
		return (uint32_t)cpu_rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(lapic + reg);
}

static void lapic_write(uint32_t reg, uint32_t v)
{
	if (lapic == NULL)
		cpu_wrmsr(MSR_X2APIC + reg / 16, v);
	else
		*(volatile uint32_t *)(lapic + reg) = v;
}

static uint32_t ioapic_read(const struct ioapic *io, uint32_t reg)
{
	*(volatile uint32_t *)(io->regs + IOAPIC_SELECT) = reg;
	return *(volatile uint32_t *)(io->regs + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *io, uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(io->regs + IOAPIC_SELECT) = reg;
	*(volatile uint32_t *)(io->regs + IOAPIC_WINDOW) = v;
}

/* ---- Start --------------------------------------------------------------- */

/*
 * Move the PICs' vectors out of the exceptions' way, so that even a spurious
 * interrupt (which cannot be masked) is told apart, then mask all lines.
 */
static void mask_pics(void)
{
	io_out8(PIC1_COMMAND, 0x11);
	io_out8(PIC2_COMMAND, 0x11);
	io_out8(PIC1_DATA, PIC_VECTORS);
	io_out8(PIC2_DATA, PIC_VECTORS + 8);
	io_out8(PIC1_DATA, 1u << 2);
	io_out8(PIC2_DATA, 2);
	io_out8(PIC1_DATA, 1);
	io_out8(PIC2_DATA, 1);
	io_out8(PIC1_DATA, 0xFF);
	io_out8(PIC2_DATA, 0xFF);
}

static void start_lapic(void)
{
	const uint64_t base = cpu_rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ON))
		cpu_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
	if (!(base & APIC_BASE_X2APIC))
		lapic = map_device(base & APIC_BASE_ADDR, LAPIC_LEN);

	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | IRQ_VECTOR_SPURIOUS);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_TASK_PRIORITY, 0);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
	lapic_write(LAPIC_TIMER_START, UINT32_MAX);
}

/* Where nothing answers (all ones) there is no IOAPIC. */
static void start_ioapic(const struct acpi_ioapic *from)
{
	struct ioapic *io = &ioapics[ioapic_count];
	uint32_t version;

	io->regs = map_device(from->pa, IOAPIC_LEN);
	io->gsi_base = from->gsi_base;
	version = ioapic_read(io, IOAPIC_VERSION);
	if (version == UINT32_MAX)
		return;
	io->pins = (version >> 16 & 0xFF) + 1;
	for (uint32_t pin = 0; pin < io->pins; pin++)
		ioapic_write(io, IOAPIC_PIN + 2 * pin, PIN_MASKED);
	ioapic_count++;
}

/* Without ACPI: MultiProcessor Specification 1.4, section 3.6.5. */
static const struct acpi_ioapic usual_ioapic = { .pa = 0xFEC00000 };

const char *irq_init(const struct acpi_info *acpi)
{
	struct cpuid c;

	cpu_cpuid(CPU_LEAF_FEATURES, 0, &c);
	if (!(c.edx & CPU_FEATURES_EDX_APIC))
		return "this CPU has no local APIC";
	timer_is_tsc = (c.ecx & CPU_FEATURES_ECX_TSC_DEADLINE) != 0;

	mask_pics();
	start_lapic();
	for (uint32_t i = 0; i < acpi->ioapic_count; i++)
		start_ioapic(&acpi->ioapics[i]);
	if (acpi->ioapic_count == 0)
		start_ioapic(&usual_ioapic);
	override_count = acpi->override_count;
	for (uint32_t i = 0; i < override_count; i++)
		overrides[i] = acpi->overrides[i];
	return NULL;
}

/* ---- The timer ----------------------------------------------------------- */

uint32_t irq_timer_count(void)
{
	return lapic_read(LAPIC_TIMER_NOW);
}

bool irq_timer_is_tsc(void)
{
	return timer_is_tsc;
}

void irq_timer_start(uint64_t rate)
{
	counts_per_s = rate < COUNTS_PER_S_MAX ? rate : COUNTS_PER_S_MAX;
	lapic_write(LAPIC_TIMER_START, 0);
	lapic_write(LAPIC_LVT_TIMER,
	    IRQ_VECTOR_TIMER | (timer_is_tsc ? LVT_TSC_DEADLINE : 0));
	/* The mode comes before the first deadline: SDM, section 11.5.4.1. */
	__asm__ volatile("mfence" : : : "memory");
}

void irq_timer_arm(uint64_t deadline_ns)
{
	uint64_t now, delta;

	if (deadline_armed && armed_ns <= deadline_ns)
		return;
	deadline_armed = true;
	armed_ns = deadline_ns;

	now = clock_now_ns();
	delta = deadline_ns > now ? deadline_ns - now : 0;
	if (delta > FURTHEST_NS)
		delta = FURTHEST_NS;
	/* A count, like a TSC value, of 0 would stop the timer. */
	if (timer_is_tsc)
		cpu_wrmsr(MSR_TSC_DEADLINE, clock_ns_to_tsc(now + delta));
	else
		lapic_write(LAPIC_TIMER_START,
		    (uint32_t)(delta * counts_per_s / NS_PER_S) + 1);
}

/* ---- Devices ------------------------------------------------------------- */

/* The pin's wiring bits, from the MADT where it names the line. */
static uint32_t pin_wiring(uint32_t gsi, enum irq_trigger trigger)
{
	for (uint32_t i = 0; i < override_count; i++) {
		if (overrides[i].gsi == gsi)
			return (overrides[i].level ? PIN_LEVEL : 0) |
			    (overrides[i].active_low ? PIN_ACTIVE_LOW : 0);
	}
	switch (trigger) {
	case IRQ_LEVEL_HIGH:
		return PIN_LEVEL;
	case IRQ_LEVEL_LOW:
		return PIN_LEVEL | PIN_ACTIVE_LOW;
	default:
		return 0;
	}
}

/* This CPU's name for interrupt messages, 8 bits. */
static uint32_t destination(void)
{
	const uint32_t id = lapic_read(LAPIC_ID);

	return (lapic == NULL ? id : id >> 24) & 0xFF;
}

bool irq_route_gsi(uint32_t gsi, uint8_t vector, enum irq_trigger trigger)
{
	for (uint32_t i = 0; i < ioapic_count; i++) {
		const struct ioapic *io = &ioapics[i];
		const uint32_t pin = gsi - io->gsi_base;

		if (gsi < io->gsi_base || pin >= io->pins)
			continue;
		ioapic_write(io, IOAPIC_PIN + 2 * pin + 1, destination() << 24);
		ioapic_write(io, IOAPIC_PIN + 2 * pin,
		    vector | pin_wiring(gsi, trigger));
		return true;
	}
	return false;
}

uint64_t irq_msi_address(void)
{
	return MSI_BASE | destination() << 12;
}

uint32_t irq_msi_data(uint8_t vector)
{
	return vector;
}

void irq_handle(uint8_t vector)
{
	/* Spurious ones, the APIC's and the PICs', are not acknowledged. */
	if (vector == IRQ_VECTOR_SPURIOUS || vector < PIC_VECTORS_END)
		return;
	if (vector == IRQ_VECTOR_TIMER) {
		deadline_armed = false;
		timer_came = true;
	} else if (vector == IRQ_VECTOR_NIC) {
		vnet_interrupt();
	}
	lapic_write(LAPIC_EOI, 0);
}

bool irq_take_timer(void)
{
	const bool came = timer_came;

	timer_came = false;
	return came;
}
