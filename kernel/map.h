/*
 * The memory map: who may read, write or execute what.  Built during start-up,
 * closed for good by map_seal(): afterwards no page table can be written and
 * every function here that maps is a bug (it panics).
 *
 * Rules that hold for every mapping, checked once more over the finished tables
 * by map_seal():
 *   - no page is both writable and executable;
 *   - what is mapped MAP_CONST, and .sealed, is written through no other mapping, and
 *     if that is ring 0's, read through none of ring 3's;
 *   - a page of the lower half belongs to ring 3, one of the upper half to ring 0;
 *   - the last page of the lower half is absent: SYSCALL there could not be returned to;
 *   - no page table is writable through any mapping;
 *   - page 0 and a page each side of every region are absent;
 *   - every region has a base of its own, random at each boot.
 */
#pragma once

#include "config/base.h"
#include "kernel/handoff.h"

#define MAP_PAGE 4096ULL

/* Rights of a mapping; readable always. */
#define MAP_WRITE  (1u << 0)
#define MAP_EXEC   (1u << 1)   /* never with MAP_WRITE */
#define MAP_USER   (1u << 2)   /* ring 3, lower half */
#define MAP_DEVICE (1u << 3)   /* uncached */
/*
 * No mapping of the same memory writes; without MAP_USER, none is ring 3's either.
 * Never with MAP_WRITE.
 */
#define MAP_CONST  (1u << 4)

/*
 * Build the kernel's own tables and leave boot's: afterwards only the kernel's
 * image and what is mapped from here on exists.  h must not be used any more by
 * address (copy it first).
 */
void map_start(const struct handoff *h);

/*
 * Map physical memory at a fresh random base, with absent pages each side.
 *
 * pa, len  any length; pa and len are widened to whole pages
 * rights   MAP_*
 * Returns the address of pa's byte.  Panics when tables are used up or sealed.
 */
uint64_t map_region(uint64_t pa, uint64_t len, unsigned rights);

/* Map whole pages at a base chosen elsewhere (the server's image). */
void map_fixed(uint64_t va, uint64_t pa, uint64_t len, unsigned rights);

/* Device registers: uncached, ring 0 only. */
volatile void *map_device(uint64_t pa, uint64_t len);

/*
 * Whole pages of zeroed, physically contiguous kernel memory.
 * *pa receives its physical address.  Panics when RAM is out.
 */
void *map_alloc(uint64_t len, uint64_t *pa);

/*
 * Take whole pages of RAM without mapping or zeroing them.
 * Returns 0 when there are not as many left.
 */
uint64_t map_take(uint64_t len);

/* Bytes of RAM that map_take() could still give. */
uint64_t map_left(void);

/* Check all rules above, then make the page tables and .sealed read-only. */
void map_seal(void);

/* The window through which ring 0 reads the page tables, for tests/guard. */
const void *map_tables(void);

/* Kernel data that is written during start-up only. */
#define SEALED __attribute__((section(".sealed")))
