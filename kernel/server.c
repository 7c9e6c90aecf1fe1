/*
 * The server's life.  Its memory is mapped once; every (re)start puts back the
 * pristine data, clears the rest of the image and the stack, resets the NIC (so
 * that no DMA of the old life reaches the new one) and enters at the first
 * instruction.  Text, rodata and the ROM need no restoring: nobody can write them.
 */
#include "kernel/server.h"

#include <string.h>

#include "config/bundle.h"
#include "config/limits.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/gate_kernel.h"
#include "kernel/map.h"
#include "kernel/power.h"
#include "kernel/report.h"
#include "kernel/vault.h"
#include "kernel/vnet.h"

#define NS_PER_MS 1000000ULL
#define RX_LEN ((uint64_t)LIMIT_RX_BUFFERS * LIMIT_RX_BUFFER_LEN)
#define RANGES_CAP 16

/* Ranges are searched in this order: what the server names most comes first. */
enum { RANGE_DATA, RANGE_ROM, RANGE_POOL, RANGE_OTHER };

NORETURN void server_enter(uint64_t entry, uint64_t stack_top, uint64_t info);

SEALED static struct handoff_image image;
SEALED static const uint8_t *pristine;   /* the image's initialised data */
SEALED static uint64_t stack_va;
SEALED static struct gate_info *info;    /* the kernel's own mapping of the page */
SEALED static uint64_t info_va;          /* the server's, read-only */
SEALED static struct gate_range range[RANGES_CAP];
SEALED static struct gate_ranges ranges;
SEALED static enum on_crash on_crash;

static uint64_t started_ns;
static uint32_t crashes_in_row;

const struct gate_ranges *server_ranges(void)
{
	return &ranges;
}

const struct gate_info *server_info(void)
{
	return info;
}

const char *server_cmdline(void)
{
	return info->cmdline;
}

uint64_t server_entry(void)
{
	return image.entry_va;
}

void server_refresh_clock(void)
{
	clock_refresh(&info->clock);
}

void server_add_phase(const char *name, uint64_t end_ns)
{
	ASSERT(info->phase_count < GATE_PHASES_CAP);
	struct gate_phase *phase = &info->phases[info->phase_count++];

	ASSERT(strlen(name) < sizeof phase->name);
	memcpy(phase->name, name, strlen(name) + 1);
	phase->end_ns = end_ns;
}

void server_set_machine(const char *text)
{
	const size_t len = strlen(text);

	memcpy(info->machine, text,
	    len < sizeof info->machine ? len : sizeof info->machine - 1);
}

/* ---- Preparing ------------------------------------------------------------------ */

static void set_range(uint32_t slot, uint64_t va, uint64_t pa, uint64_t len,
    uint32_t rights)
{
	if (slot == RANGE_OTHER)
		slot = ranges.count++;
	ASSERT(slot < RANGES_CAP && range[slot].len == 0);
	range[slot] = (struct gate_range){
		.start = va, .len = len, .pa = pa, .rights = rights,
	};
}

/* RAM for ring 3, read-write; *va is where.  Returns false when there is none left. */
static bool give_memory(uint32_t slot, uint64_t len, uint64_t *va, uint64_t *pa)
{
	*pa = map_take(len);
	if (*pa == 0)
		return false;
	*va = map_region(*pa, len, MAP_USER | MAP_WRITE);
	set_range(slot, *va, *pa, len,
	    GATE_RANGE_READ | GATE_RANGE_WRITE | GATE_RANGE_SEND);
	return true;
}

static void map_image(void)
{
	for (uint32_t i = 0; i < image.segment_count; i++) {
		const struct handoff_segment *s = &image.segments[i];
		const bool writes = s->rights & SEGMENT_WRITE;

		map_fixed(image.base_va + s->off, image.pa + s->off, s->len,
		    MAP_USER | (writes ? MAP_WRITE : MAP_CONST) |
		    (s->rights & SEGMENT_EXEC ? MAP_EXEC : 0));
		set_range(writes ? RANGE_DATA : RANGE_OTHER,
		    image.base_va + s->off, image.pa + s->off, s->len,
		    GATE_RANGE_READ | GATE_RANGE_SEND |
		    (writes ? GATE_RANGE_WRITE : 0));
	}
}

static void map_info(const struct handoff *h)
{
	uint64_t pa;

	info = map_alloc(sizeof *info, &pa);
	info_va = map_region(pa, sizeof *info, MAP_USER);
	info->version = GATE_VERSION;
	info->nic_features = vnet_features();
	info->mtu = vnet_mtu();
	memcpy(info->mac, vnet_mac(), sizeof info->mac);
	info->rx_count = LIMIT_RX_BUFFERS;
	info->rx_size = LIMIT_RX_BUFFER_LEN;
	memcpy(info->image_sha256, h->image_sha256, sizeof info->image_sha256);
	memcpy(info->version_text, h->version, sizeof info->version_text);
	info->cmdline_len = (uint32_t)strlen(h->cmdline);
	memcpy(info->cmdline, h->cmdline, info->cmdline_len + 1);
}

/*
 * Each part of the instance bundle for whom it is: the public one for the server, who
 * may name it in gate_log() but not send it; the secret one for the vault.  It was
 * checked before (bundle.c).
 */
static void map_bundle(const struct handoff *h)
{
	const struct bundle_header *header;

	if (h->bundle_len == 0)
		return;
	header = (const void *)map_region(h->bundle_pa, BUNDLE_PAGE, MAP_CONST);
	info->bundle_len = header->public_len;
	info->bundle = (const uint8_t *)map_region(h->bundle_pa + header->public_off,
	    header->public_len, MAP_USER | MAP_CONST);
	set_range(RANGE_OTHER, (uint64_t)info->bundle,
	    h->bundle_pa + header->public_off, header->public_len, GATE_RANGE_READ);
	if (header->key_count == 0)
		return;
	vault_open((const void *)map_region(h->bundle_pa + header->secret_off,
	    header->secret_len, MAP_CONST), header->key_count);
	vault_describe(info);
}

/* Everything that is left, up to a bound, is the server's. */
static bool give_pool(void)
{
	uint64_t pa;
	uint64_t len = map_left() & ~(MAP_PAGE - 1);

	if (len > LIMIT_POOL_LEN)
		len = LIMIT_POOL_LEN;
	if (len < LIMIT_POOL_MIN_LEN)
		return false;
	info->pool_len = len;
	return give_memory(RANGE_POOL, len, (uint64_t *)&info->pool, &pa);
}

const char *server_prepare(const struct handoff *h)
{
	static const char no_memory[] =
	    "not enough memory for the server: give the machine more RAM";
	uint64_t pa, rx_pa;

	_Static_assert(sizeof info->cmdline == sizeof h->cmdline,
	    "the command line fits the server's page");
	image = h->server;
	ranges = (struct gate_ranges){ .range = range, .count = RANGE_OTHER };
	if (h->server.data_len > 0)
		pristine = (const uint8_t *)map_region(h->server.data_copy_pa,
		    h->server.data_len, MAP_CONST);
	map_info(h);
	info->rom = (const uint8_t *)map_region(h->rom_pa, h->rom_len,
	    MAP_USER | MAP_CONST);
	info->rom_len = h->rom_len;
	set_range(RANGE_ROM, (uint64_t)info->rom, h->rom_pa, h->rom_len,
	    GATE_RANGE_SEND);
	map_image();
	map_bundle(h);
	if (!give_memory(RANGE_OTHER, LIMIT_SERVER_STACK_LEN, &stack_va, &pa) ||
	    !give_memory(RANGE_OTHER, RX_LEN, (uint64_t *)&info->rx_base, &rx_pa) ||
	    !give_memory(RANGE_OTHER, GATE_KEEP_LEN, (uint64_t *)&info->keep, &pa) ||
	    !give_pool())
		return no_memory;
	report_set_images(h->kernel.base_va, h->kernel.len, image.base_va,
	    image.len, stack_va, LIMIT_SERVER_STACK_LEN);
	const char *why = vnet_set_buffers(rx_pa, LIMIT_RX_BUFFERS,
	    LIMIT_RX_BUFFER_LEN);

	return why != NULL ? why : cmdline_on_crash(h->cmdline, &on_crash);
}

/* ---- Starting ------------------------------------------------------------------- */

static NORETURN void enter(bool wipe_keep)
{
	uint8_t *data = (uint8_t *)(image.base_va + image.data_off);

	user_access_begin();
	if (image.data_len > 0)
		memcpy(data, pristine, image.data_len);
	memset(data + image.data_len, 0, image.data_mem_len - image.data_len);
	memset((void *)stack_va, 0, LIMIT_SERVER_STACK_LEN);
	if (wipe_keep)
		memset(info->keep, 0, GATE_KEEP_LEN);
	user_access_end();
	server_refresh_clock();
	started_ns = clock_now_ns();
	gate_start();
	server_enter(image.entry_va, stack_va + LIMIT_SERVER_STACK_LEN, info_va);
}

void server_run(void)
{
	enter(true);
}

/* ---- Crashing ------------------------------------------------------------------- */

/*
 * Comes before the report, whose printing takes milliseconds: frames that arrive
 * meanwhile then wait for the new server instead of being lost with the old one.
 */
static void restart_nic(void)
{
	const char *why = vnet_restart();

	if (why != NULL) {
		console_printf("stele: %s; rebooting\n", why);
		power_reboot();
	}
}

static NORETURN void after_crash(void)
{
	const uint64_t lived_ms = (clock_now_ns() - started_ns) / NS_PER_MS;
	const bool in_row = lived_ms < LIMIT_CRASH_ROW_MS;

	crashes_in_row = in_row ? crashes_in_row + 1 : 1;
	if (on_crash == ON_CRASH_POWER_OFF) {
		console_printf("stele: on-crash=poweroff\n");
		power_off();
	}
	if (on_crash == ON_CRASH_REBOOT || crashes_in_row >= LIMIT_CRASH_ROW) {
		console_printf("stele: rebooting\n");
		power_reboot();
	}
	info->restarts++;
	console_printf("stele: restarting the server in place (crash %u)\n",
	    info->restarts);
	enter(crashes_in_row >= LIMIT_CRASH_KEEP);
}

void server_crashed_trap(const struct trap_frame *frame)
{
	restart_nic();
	report_server(frame, NULL);
	after_crash();
}

void server_crashed_hang(const struct trap_frame *frame)
{
	restart_nic();
	report_server(frame, "hang: no gate call for seconds");
	after_crash();
}

void server_crashed_text(const char *text, size_t len)
{
	restart_nic();
	console_printf("stele: SERVER CRASH in ring 3: it found itself wrong: ");
	console_write(text, len);
	console_write("\n", 1);
	after_crash();
}
