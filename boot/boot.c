/*
 * From the loader's notes to the kernel's first function: finds free RAM, loads
 * the two images at random bases, hands over.  Runs once, on one-to-one tables
 * that nobody can name afterwards.
 */
#include "boot/boot.h"

#include <string.h>

#include "boot/pvh.h"
#include "config/limits.h"

/* Where an image may land: canonical halves less some room at the ends. */
#define SERVER_BASE_MIN 0x0000010000000000ULL
#define SERVER_BASE_SPAN 0x00006e0000000000ULL
#define KERNEL_BASE_MIN 0xffff900000000000ULL
#define KERNEL_BASE_SPAN 0x00006e0000000000ULL
#define LOW_MEMORY_END 0x100000ULL
#define IDENTITY_END 0x100000000ULL

extern uint64_t boot_tsc_start;
extern char boot_start[], boot_end[];
NORETURN void boot_enter(uint64_t entry_va, const struct handoff *h);
NORETURN void boot_main(uint64_t start_info_pa);

__attribute__((section(".image_table"), used))
static volatile struct image_table image = {
	.magic = IMAGE_MAGIC,
	.version = IMAGE_VERSION,
};
static struct handoff handoff;

static void serial_text(const char *text)
{
	for (; *text != '\0'; text++)
		__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)0x3f8));
}

void boot_fail(const char *why)
{
	serial_text("stele: cannot start: ");
	serial_text(why);
	serial_text("\r\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}

NORETURN void panic_at(const char *file, int line, const char *what)
{
	(void)file;
	(void)line;
	boot_fail(what);
}

uint64_t boot_take(struct boot_memory *memory, uint64_t len)
{
	const uint64_t pa = memory->next;

	len = (len + BOOT_PAGE - 1) & ~(BOOT_PAGE - 1);
	if (len > memory->end - pa)
		boot_fail("not enough memory for the image: give the machine more RAM");
	memory->next += len;
	memset((void *)pa, 0, len);
	return pa;
}

struct reserved {
	struct boot_range range[BOOT_RESERVED_CAP];
	uint32_t count;
};

/* A table or string of the loader, or our own image, that free RAM must avoid. */
static void reserve(struct reserved *r, uint64_t start, uint64_t len)
{
	if (len == 0)
		return;
	if (r->count == BOOT_RESERVED_CAP)
		boot_fail("the loader passed too many reserved ranges");
	if (start + len < start)
		boot_fail("the loader passed a range that wraps around");
	r->range[r->count++] = (struct boot_range){
		.start = start & ~(BOOT_PAGE - 1),
		.end = (start + len + BOOT_PAGE - 1) & ~(BOOT_PAGE - 1),
	};
}

/* The same for what boot reads: its tables reach no further than 4 GiB. */
static void reserve_readable(struct reserved *r, uint64_t start, uint64_t len)
{
	if (start > IDENTITY_END || len > IDENTITY_END - start)
		boot_fail("the loader put its tables beyond 4 GiB");
	reserve(r, start, len);
}

/* The first reserved range that touches [start, end), lowest first; NULL if none. */
static const struct boot_range *first_hit(const struct reserved *r,
    uint64_t start, uint64_t end)
{
	const struct boot_range *hit = NULL;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct boot_range *c = &r->range[i];

		if (c->start < end && c->end > start &&
		    (hit == NULL || c->start < hit->start))
			hit = c;
	}
	return hit;
}

/* Keep the largest gap of [start, end) that touches nothing reserved. */
static void largest_gap(const struct reserved *r, uint64_t start, uint64_t end,
    struct boot_memory *best)
{
	while (start < end) {
		const struct boot_range *hit = first_hit(r, start, end);
		const uint64_t stop = hit == NULL ? end : hit->start;

		if (stop > start && stop - start > best->end - best->next)
			*best = (struct boot_memory){ .next = start, .end = stop };
		if (hit == NULL)
			return;
		start = hit->end;
	}
}

static void reserve_loader(struct reserved *r, const struct pvh_start_info *info)
{
	const struct pvh_memmap_entry *entry = (const void *)info->memmap_pa;
	const struct pvh_module *module = (const void *)info->modules_pa;

	reserve_readable(r, (uint64_t)info, sizeof *info);
	reserve_readable(r, info->memmap_pa, info->memmap_count *
	    (uint64_t)sizeof *entry);
	reserve_readable(r, info->modules_pa, info->module_count *
	    (uint64_t)sizeof *module);
	if (info->cmdline_pa != 0)
		reserve_readable(r, info->cmdline_pa, HANDOFF_CMDLINE_CAP);
	/* Where entries overlap, the one that is not RAM counts. */
	for (uint32_t i = 0; i < info->memmap_count; i++)
		if (entry[i].type != PVH_MEMMAP_RAM && entry[i].pa < IDENTITY_END)
			reserve(r, entry[i].pa, entry[i].len);

	for (uint32_t i = 0; i < info->module_count; i++)
		reserve(r, module[i].pa, module[i].len);
}

static void find_memory(const struct pvh_start_info *info,
    struct boot_memory *best)
{
	const struct pvh_memmap_entry *entry = (const void *)info->memmap_pa;
	struct reserved reserved = { .count = 0 };

	reserve(&reserved, (uint64_t)boot_start, image.end_pa - (uint64_t)boot_start);
	reserve_loader(&reserved, info);
	*best = (struct boot_memory){ 0 };
	for (uint32_t i = 0; i < info->memmap_count; i++) {
		if (entry[i].type != PVH_MEMMAP_RAM)
			continue;
		handoff.ram_len += entry[i].len;
		uint64_t start = entry[i].pa;
		uint64_t end = start + entry[i].len;

		if (end < start)
			boot_fail("the memory map has an entry that wraps around");
		if (start < LOW_MEMORY_END)
			start = LOW_MEMORY_END;
		if (end > IDENTITY_END)
			end = IDENTITY_END;
		start = (start + BOOT_PAGE - 1) & ~(BOOT_PAGE - 1);
		end &= ~(BOOT_PAGE - 1);
		if (start < end)
			largest_gap(&reserved, start, end, best);
	}
	if (best->next == best->end)
		boot_fail("the loader passed no usable memory map");
}

static void copy_cmdline(uint64_t pa)
{
	const char *from = (const char *)pa;
	uint32_t len = 0;

	if (pa == 0)
		return;
	while (len < HANDOFF_CMDLINE_CAP && from[len] != '\0')
		len++;
	if (len == HANDOFF_CMDLINE_CAP)
		boot_fail("the command line is longer than 2047 bytes");
	memcpy(handoff.cmdline, from, len);
}

static uint64_t random_base(uint64_t min, uint64_t span)
{
	return min + ((boot_seed_next() % span) & ~(BOOT_PAGE - 1));
}

/*
 * The one module there may be: the instance bundle.  What is in it is the kernel's
 * business; here it is put on whole pages.  It holds keys, so what is moved leaves
 * nothing behind.
 */
static void take_bundle(struct boot_memory *memory,
    const struct pvh_start_info *info)
{
	const struct pvh_module *module = (const void *)info->modules_pa;

	if (info->module_count == 0)
		return;
	if (module->len == 0)
		boot_fail("the instance bundle is empty");
	if (module->len > LIMIT_BUNDLE_LEN)
		boot_fail("the boot module is too long for an instance bundle");
	if (module->pa > IDENTITY_END || module->len > IDENTITY_END - module->pa)
		boot_fail("the loader put the instance bundle beyond 4 GiB");
	handoff.bundle_pa = module->pa;
	handoff.bundle_len = module->len;
	if (module->pa % BOOT_PAGE == 0)
		return;
	handoff.bundle_pa = boot_take(memory, module->len);
	memcpy((void *)handoff.bundle_pa, (const void *)module->pa, module->len);
	memset((void *)module->pa, 0, module->len);
}

static void load_images(struct boot_memory *memory)
{
	boot_load_elf(memory, (const uint8_t *)image.kernel.pa, image.kernel.len,
	    random_base(KERNEL_BASE_MIN, KERNEL_BASE_SPAN), &handoff.kernel);
	boot_load_elf(memory, (const uint8_t *)image.server.pa, image.server.len,
	    random_base(SERVER_BASE_MIN, SERVER_BASE_SPAN), &handoff.server);
	handoff.server.data_copy_pa = boot_take(memory, handoff.server.data_len);
	memcpy((void *)handoff.server.data_copy_pa,
	    (const void *)(handoff.server.pa + handoff.server.data_off),
	    handoff.server.data_len);
	boot_map_image(memory, &handoff.kernel);
}

void boot_main(uint64_t start_info_pa)
{
	const struct pvh_start_info *info = (const void *)start_info_pa;
	struct boot_memory memory;

	if (image.magic != IMAGE_MAGIC || image.version != IMAGE_VERSION ||
	    image.kernel.len == 0)
		boot_fail("this is boot.elf alone; boot the image that mkimage made");
	if (info->magic != PVH_MAGIC)
		boot_fail("the loader did not pass PVH start information");
	if (info->version < 1 || info->memmap_count == 0)
		boot_fail("the loader passed no memory map (PVH version 0)");
	if (info->module_count > 1)
		boot_fail("the loader passed more than one module; "
		    "there is one instance bundle");
	find_memory(info, &memory);
	copy_cmdline(info->cmdline_pa);
	take_bundle(&memory, info);
	boot_seed_init();
	load_images(&memory);

	handoff.rom_pa = image.rom.pa;
	handoff.rom_len = image.rom.len;
	handoff.rsdp_pa = info->rsdp_pa;
	handoff.tsc_start = boot_tsc_start;
	for (uint32_t i = 0; i < sizeof handoff.seed; i += 8)
		store_le64(handoff.seed + i, boot_seed_next());
	memcpy(handoff.image_sha256, (const void *)image.sha256, 32);
	memcpy(handoff.version, (const void *)image.version_text, 32);
	memcpy(handoff.loader, "pvh", 4);
	handoff.free_pa = memory.next;
	handoff.free_end_pa = memory.end;
	handoff.tsc_loaded = __builtin_ia32_rdtsc();
	boot_enter(handoff.kernel.entry_va, &handoff);
}
