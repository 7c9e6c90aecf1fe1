/*
 * The kernel's start: from boot's hand-off to the server's first instruction.
 * Everything here runs once; afterwards the kernel is trap.c and gate.c.
 */
#include <string.h>

#include "config/wipe.h"
#include "kernel/acpi.h"
#include "kernel/bundle.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/entropy.h"
#include "kernel/handoff.h"
#include "kernel/io.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/power.h"
#include "kernel/server.h"
#include "kernel/trap.h"
#include "kernel/vault.h"
#include "kernel/virtio.h"
#include "kernel/vnet.h"
#include "kernel/vrng.h"

#define STACK_LEN 16384

_Static_assert(VAULT_STACK_LEN <= STACK_LEN / 2,
    "a signature is the deepest call, and clears no more than there is");

NORETURN void kernel_on_stack(uint64_t stack_top, void (*fn)(void));
NORETURN void kernel_early(const struct handoff *h);
NORETURN void __stack_chk_fail(void);

/* Read by every function with an array on its stack. */
SEALED uint64_t __stack_chk_guard;

SEALED static struct handoff handoff;
SEALED static struct acpi_info acpi;
SEALED static const char *bundle_fault;  /* why the instance bundle cannot be used */
SEALED static uint64_t stack_top;

/* The boot chart, in TSC ticks until there is a clock. */
enum phase { PHASE_LOAD, PHASE_MAP, PHASE_CLOCK, PHASE_NIC, PHASE_SERVER, PHASES };
static const char *const phase_names[PHASES] = {
	"load", "map", "clock", "nic", "memory",
};
SEALED static uint64_t phase_tsc[PHASES];

NORETURN void __stack_chk_fail(void)
{
	panic("stack smashed");
}

static NORETURN void refuse(const char *why)
{
	console_printf("stele: cannot start: %s\n", why);
	power_off();
}

static void require(const char *why)
{
	if (why != NULL)
		refuse(why);
}

/* virtio-mmio devices of the firmware's tables; the drivers know the command line. */
static void add_mmio_devices(void)
{
	for (uint32_t i = 0; i < acpi.virtio_count; i++) {
		const struct virtio_mmio_place place = {
			.pa = acpi.virtio[i].pa,
			.len = acpi.virtio[i].len,
			.gsi = acpi.virtio[i].gsi,
		};

		virtio_mmio_add(&place);
	}
}

static void start_devices(void)
{
	/* First, so that what is refused below powers off. */
	power_init(&acpi);
	require(bundle_fault);
	require(irq_init(&acpi));
	require(clock_init(&acpi, handoff.tsc_start));
	phase_tsc[PHASE_CLOCK] = cpu_rdtsc();
	add_mmio_devices();
	vrng_start(handoff.cmdline);
	require(entropy_init(handoff.seed, sizeof handoff.seed));
	wipe(handoff.seed, sizeof handoff.seed);
	require(vnet_start(handoff.cmdline));
	phase_tsc[PHASE_NIC] = cpu_rdtsc();
}

static void kernel_main(void)
{
	trap_start(stack_top);
	start_devices();
	require(server_prepare(&handoff));
	phase_tsc[PHASE_SERVER] = cpu_rdtsc();
	for (unsigned i = 0; i < PHASES; i++)
		server_add_phase(phase_names[i], clock_tsc_to_ns(phase_tsc[i]));
	server_set_machine(vnet_description());
	console_printf("stele: %s; %lu MiB; %s; entropy %s; clock %s\n",
	    handoff.loader, (handoff.ram_len + 0xfffff) >> 20, trap_protections(),
	    entropy_sources(), clock_source());
	if (vnet_polling_reason() != NULL)
		console_printf("stele: the NIC is polled: %s\n", vnet_polling_reason());
	map_seal();
	server_run();
}

/*
 * While the low 4 GiB are still mapped: the bundle's settings come before everything
 * that reads the command line.
 */
static const char *open_bundle(void)
{
	const uint8_t *bundle = (const uint8_t *)handoff.bundle_pa;
	const char *why;

	if (handoff.bundle_len == 0)
		return NULL;
	why = bundle_check(bundle, handoff.bundle_len);
	return why != NULL ? why : bundle_put_settings(bundle, handoff.cmdline,
	    sizeof handoff.cmdline);
}

/*
 * On boot's tables, on the kernel's own first stack.  The canary is set before the
 * first function that has one; this function never returns, so it needs none.
 */
__attribute__((no_stack_protector))
void kernel_early(const struct handoff *h)
{
	__stack_chk_guard = load_le64(h->seed + 24) & ~0xffULL;
	memcpy(&handoff, h, sizeof handoff);
	console_init();
	bundle_fault = open_bundle();
	acpi_parse(handoff.rsdp_pa, acpi_read_identity, NULL, &acpi);
	phase_tsc[PHASE_LOAD] = handoff.tsc_loaded;
	map_start(&handoff);
	phase_tsc[PHASE_MAP] = cpu_rdtsc();

	uint64_t pa;

	stack_top = (uint64_t)map_alloc(STACK_LEN, &pa) + STACK_LEN;
	kernel_on_stack(stack_top, kernel_main);
}
