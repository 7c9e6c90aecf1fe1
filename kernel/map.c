/*
 * Page tables.  All of them lie in one arena of physical pages; the arena is
 * reached one to one until map_start() has switched, then through a window of
 * its own that map_seal() makes read-only.  Nothing else ever maps the arena.
 */
#include "kernel/map.h"

#include <string.h>

#include "config/limits.h"
#include "kernel/cpu.h"
#include "kernel/random.h"

/* SDM vol. 3, section 4.5, table 4-19 and following. */
#define PTE_PRESENT  (1ULL << 0)
#define PTE_WRITE    (1ULL << 1)
#define PTE_USER     (1ULL << 2)
#define PTE_UNCACHED (3ULL << 3)    /* PWT and PCD: strong uncacheable in the default PAT */
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY    (1ULL << 6)
#define PTE_LARGE    (1ULL << 7)
#define PTE_NX       (1ULL << 63)
#define PTE_ADDRESS  0x000ffffffffff000ULL

#define LARGE_PAGE 0x200000ULL
#define UPPER_HALF 0xffff800000000000ULL
#define LOWER_HALF_END 0x0000800000000000ULL

/* Where random bases come from: each half less room at its ends. */
#define BASE_MIN  0x0000010000000000ULL
#define BASE_SPAN 0x00006e0000000000ULL
#define KERNEL_BASE_OFFSET (0xffff900000000000ULL - BASE_MIN)

#define REGIONS_CAP 64
#define CONSTANTS_CAP 16

struct region {
	uint64_t start;      /* with the absent page in front */
	uint64_t end;        /* with the absent page behind */
};

SEALED static uint64_t arena_pa;
SEALED static uint8_t *arena;         /* how the arena is reached now */
SEALED static uint32_t arena_used;    /* pages; page 0 is the root */
SEALED static uint64_t free_pa, free_end_pa;
SEALED static struct region regions[REGIONS_CAP];
SEALED static uint32_t region_count;
SEALED static struct constant {
	struct region pa;    /* physical addresses */
	bool user;           /* ring 3 may read it */
} constants[CONSTANTS_CAP];
SEALED static uint32_t constant_count;
SEALED static uint64_t early_state;
SEALED static bool sealed;

extern char sealed_start[], sealed_end[];

static uint64_t page_up(uint64_t v)
{
	return (v + MAP_PAGE - 1) & ~(MAP_PAGE - 1);
}

static void load_root(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(arena_pa) : "memory");
}

/* ---- Physical pages -------------------------------------------------------- */

uint64_t map_take(uint64_t len)
{
	const uint64_t pa = free_pa;

	len = page_up(len);
	if (len > free_end_pa - free_pa)
		return 0;
	free_pa += len;
	return pa;
}

uint64_t map_left(void)
{
	return free_end_pa - free_pa;
}

/* ---- Tables ---------------------------------------------------------------- */

static uint64_t *table_at(uint64_t pa)
{
	ASSERT(pa >= arena_pa && pa - arena_pa < arena_used * MAP_PAGE);
	return (uint64_t *)(arena + (pa - arena_pa));
}

static uint64_t table_new(void)
{
	const uint64_t pa = arena_pa + arena_used * MAP_PAGE;

	if (arena_used == LIMIT_PAGE_TABLES)
		panic("page tables used up: raise LIMIT_PAGE_TABLES");
	arena_used++;
	memset(table_at(pa), 0, MAP_PAGE);
	return pa;
}

/* The entry for va in the table whose entries cover 1 << shift bytes each. */
static uint64_t *entry_for(uint64_t va, unsigned shift)
{
	const uint64_t user = va < UPPER_HALF ? PTE_USER : 0;
	uint64_t *table = table_at(arena_pa);

	for (unsigned at = 39; at > shift; at -= 9) {
		uint64_t *entry = &table[va >> at & 511];

		if (!(*entry & PTE_PRESENT))
			*entry = table_new() | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | user;
		ASSERT(!(*entry & PTE_LARGE));
		table = table_at(*entry & PTE_ADDRESS);
	}
	return &table[va >> shift & 511];
}

static uint64_t leaf_flags(unsigned rights)
{
	uint64_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX;

	ASSERT(!(rights & MAP_WRITE) || !(rights & (MAP_EXEC | MAP_CONST)));
	if (rights & MAP_WRITE)
		flags |= PTE_WRITE;
	if (rights & MAP_EXEC)
		flags &= ~PTE_NX;
	if (rights & MAP_USER)
		flags |= PTE_USER;
	if (rights & MAP_DEVICE)
		flags |= PTE_UNCACHED;
	return flags;
}

static void note_constant(uint64_t pa, uint64_t len, bool user)
{
	ASSERT(constant_count < CONSTANTS_CAP);
	constants[constant_count++] = (struct constant){ { pa, pa + len }, user };
}

/* Fill leaves; large ones wherever both addresses allow it. */
static void map_leaves(uint64_t va, uint64_t pa, uint64_t len, unsigned rights)
{
	const uint64_t flags = leaf_flags(rights);

	ASSERT(!sealed);
	if (rights & MAP_CONST)
		note_constant(pa, len, rights & MAP_USER);
	ASSERT(((rights & MAP_USER) != 0) == (va < UPPER_HALF));
	while (len > 0) {
		const bool large = len >= LARGE_PAGE && va % LARGE_PAGE == 0 &&
		    pa % LARGE_PAGE == 0;
		const uint64_t step = large ? LARGE_PAGE : MAP_PAGE;
		uint64_t *entry = entry_for(va, large ? 21 : 12);

		ASSERT(!(*entry & PTE_PRESENT));
		*entry = pa | flags | (large ? PTE_LARGE : 0);
		va += step;
		pa += step;
		len -= step;
	}
}

/* ---- Bases ----------------------------------------------------------------- */

/*
 * A number for choosing an address: from the generator, or from boot's seed for
 * the few regions that exist before the generator has a source (SplitMix64).
 */
static uint64_t random_number(void)
{
	uint64_t v;

	if (random_ready()) {
		random_fill(&v, sizeof v);
		return v;
	}
	v = early_state += 0x9e3779b97f4a7c15ULL;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

static bool region_free(uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < region_count; i++)
		if (start < regions[i].end && end > regions[i].start)
			return false;
	return true;
}

/* Book [va, va + len) with an absent page each side. */
static void region_book(uint64_t va, uint64_t len)
{
	ASSERT(!sealed && region_count < REGIONS_CAP);
	ASSERT(region_free(va - MAP_PAGE, va + len + MAP_PAGE));
	regions[region_count++] = (struct region){
		.start = va - MAP_PAGE,
		.end = va + len + MAP_PAGE,
	};
}

/*
 * A random page-aligned base for whole pages at pa.  Regions that can use large
 * pages keep pa's place within its large page.
 */
static uint64_t pick_base(uint64_t pa, uint64_t len, bool user)
{
	for (;;) {
		uint64_t va = BASE_MIN + random_number() % BASE_SPAN;

		va &= ~(MAP_PAGE - 1);
		if (len >= LARGE_PAGE)
			va = (va & ~(LARGE_PAGE - 1)) | (pa & (LARGE_PAGE - 1));
		if (!user)
			va += KERNEL_BASE_OFFSET;
		if (region_free(va - MAP_PAGE, va + len + MAP_PAGE))
			return va;
	}
}

uint64_t map_region(uint64_t pa, uint64_t len, unsigned rights)
{
	const uint64_t start = pa & ~(MAP_PAGE - 1);
	const uint64_t pages_len = page_up(pa + len) - start;
	const uint64_t va = pick_base(start, pages_len, rights & MAP_USER);

	ASSERT(len > 0);
	region_book(va, pages_len);
	map_leaves(va, start, pages_len, rights);
	return va + (pa - start);
}

void map_fixed(uint64_t va, uint64_t pa, uint64_t len, unsigned rights)
{
	ASSERT(va % MAP_PAGE == 0 && pa % MAP_PAGE == 0 && len % MAP_PAGE == 0);
	map_leaves(va, pa, len, rights);
}

static void book_image(const struct handoff_image *image)
{
	region_book(image->base_va, image->len);
}

volatile void *map_device(uint64_t pa, uint64_t len)
{
	return (volatile void *)map_region(pa, len, MAP_WRITE | MAP_DEVICE);
}

void *map_alloc(uint64_t len, uint64_t *pa)
{
	*pa = map_take(len);
	if (*pa == 0)
		panic("not enough memory for the kernel: give the machine more RAM");
	void *va = (void *)map_region(*pa, len, MAP_WRITE);

	memset(va, 0, page_up(len));
	return va;
}

/* ---- Opening and closing ---------------------------------------------------- */

void map_start(const struct handoff *h)
{
	const struct handoff_image *kernel = &h->kernel;

	free_pa = h->free_pa;
	free_end_pa = h->free_end_pa;
	early_state = load_le64(h->seed);
	arena_pa = map_take(LIMIT_PAGE_TABLES * MAP_PAGE);
	if (arena_pa == 0)
		panic("not enough memory for page tables: give the machine more RAM");
	arena = (uint8_t *)arena_pa;
	table_new();

	book_image(kernel);
	book_image(&h->server);
	for (uint32_t i = 0; i < kernel->segment_count; i++) {
		const struct handoff_segment *s = &kernel->segments[i];

		map_fixed(kernel->base_va + s->off, kernel->pa + s->off, s->len,
		    (s->rights & SEGMENT_WRITE ? MAP_WRITE : MAP_CONST) |
		    (s->rights & SEGMENT_EXEC ? MAP_EXEC : 0));
	}
	uint8_t *window = (uint8_t *)map_region(arena_pa,
	    LIMIT_PAGE_TABLES * MAP_PAGE, MAP_WRITE);

	load_root();
	arena = window;
}

/* What one leaf may be, whatever the tables above it say. */
static void audit_leaf(uint64_t va, uint64_t entry, uint64_t len)
{
	const uint64_t pa = entry & PTE_ADDRESS & ~(len - 1);
	const bool user = entry & PTE_USER;

	ASSERT(!(entry & PTE_WRITE) || (entry & PTE_NX));
	ASSERT(user == (va < UPPER_HALF));
	ASSERT(va != 0);
	/* SYSRET to an address that is not canonical faults in ring 0, on ring 3's stack. */
	ASSERT(!user || va + len <= LOWER_HALF_END - MAP_PAGE);
	for (uint32_t i = 0; i < constant_count; i++)
		ASSERT((!(entry & PTE_WRITE) && (!user || constants[i].user)) ||
		    pa >= constants[i].pa.end || pa + len <= constants[i].pa.start);
	ASSERT(!user || !(entry & PTE_UNCACHED));
	if (pa < arena_pa + LIMIT_PAGE_TABLES * MAP_PAGE && pa + len > arena_pa)
		ASSERT(!user && !(entry & PTE_WRITE));
	if (va >= (uint64_t)sealed_start && va < (uint64_t)sealed_end)
		ASSERT(!(entry & PTE_WRITE));
}

/* Visit every leaf below a table; depth 3 is the root. */
static void audit_table(const uint64_t *table, uint64_t base, unsigned depth)
{
	const unsigned shift = 12 + 9 * depth;

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t va = base + (i << shift);

		if (!(table[i] & PTE_PRESENT))
			continue;
		if (depth == 3 && i >= 256)
			va |= 0xffff000000000000ULL;
		if (depth == 0 || (table[i] & PTE_LARGE))
			audit_leaf(va, table[i], 1ULL << shift);
		else
			audit_table(table_at(table[i] & PTE_ADDRESS), va, depth - 1);
	}
}

static void make_read_only(uint64_t va, uint64_t len)
{
	for (uint64_t off = 0; off < len; off += MAP_PAGE)
		*entry_for(va + off, 12) &= ~PTE_WRITE;
}

/*
 * The tables that hold the window's own entries lie in the window: with CR0.WP off
 * for these few instructions, the order of clearing does not matter.
 */
void map_seal(void)
{
	sealed = true;
	note_constant(*entry_for((uint64_t)sealed_start, 12) & PTE_ADDRESS,
	    (uint64_t)(sealed_end - sealed_start), false);
	cpu_write_cr0(cpu_read_cr0() & ~CR0_WP);
	make_read_only((uint64_t)sealed_start,
	    (uint64_t)(sealed_end - sealed_start));
	make_read_only((uint64_t)arena, LIMIT_PAGE_TABLES * MAP_PAGE);
	cpu_write_cr0(cpu_read_cr0() | CR0_WP);
	load_root();
	audit_table(table_at(arena_pa), 0, 3);
}

const void *map_tables(void)
{
	return arena;
}
