/*
 * Page 0 and a page each side of every region are absent.
 *
 * case null_read: SERVER CRASH in ring 3 .*page fault.*reading address 0x0000000000000000, nothing mapped there
 * case null_write: SERVER CRASH in ring 3 .*page fault.*writing address 0x0000000000000008, nothing mapped there
 * case null_execute: SERVER CRASH in ring 3 .*page fault.*executing address 0x0000000000000000, nothing mapped there
 * case stack_below: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case stack_above: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case stack_overflow: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case pool_below: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case pool_above: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case receive_below: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case receive_above: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case keep_above: SERVER CRASH in ring 3 .*page fault.*writing.*nothing mapped there
 * case rom_below: SERVER CRASH in ring 3 .*page fault.*reading.*nothing mapped there
 * case rom_above: SERVER CRASH in ring 3 .*page fault.*reading.*nothing mapped there
 * case bundle_below instance=keys: SERVER CRASH in ring 3 .*page fault.*reading.*nothing mapped there
 * case bundle_above instance=keys: SERVER CRASH in ring 3 .*page fault.*reading.*nothing mapped there
 */
#include "config/limits.h"
#include "tests/guard/guard.h"

#define PAGE 4096ULL

/* The stack's first byte: it is a multiple of pages, and we are near its top. */
static uint8_t *stack_top(void)
{
	const uint64_t here = (uint64_t)__builtin_frame_address(0);

	return (uint8_t *)((here + PAGE - 1) & ~(PAGE - 1));
}

static uint64_t overflow(volatile uint64_t *above)
{
	volatile uint64_t frame[64];

	frame[0] = above[0] + 1;
	if (frame[0] == 0)       /* never: the compiler is not to know */
		return 0;
	return overflow(frame) + frame[0];
}

static void touch_null(const struct gate_info *info)
{
	uint8_t *null = NULL;

	__asm__("" : "+r"(null));    /* the compiler must not know */
	if (case_is(info, "null_read"))
		touch_read(null);
	if (case_is(info, "null_write"))
		touch_write(null + 8);
	if (case_is(info, "null_execute"))
		touch_execute(null);
}

void server_main(const struct gate_info *info)
{
	volatile uint64_t start[1] = { 0 };

	touch_null(info);
	if (case_is(info, "stack_below"))
		touch_write(stack_top() - LIMIT_SERVER_STACK_LEN - 1);
	if (case_is(info, "stack_above"))
		touch_write(stack_top());
	if (case_is(info, "stack_overflow"))
		(void)overflow(start);
	if (case_is(info, "pool_below"))
		touch_write(info->pool - 1);
	if (case_is(info, "pool_above"))
		touch_write(info->pool + info->pool_len);
	if (case_is(info, "receive_below"))
		touch_write(info->rx_base - 1);
	if (case_is(info, "receive_above"))
		touch_write(info->rx_base + info->rx_count * info->rx_size);
	if (case_is(info, "keep_above"))
		touch_write(info->keep + GATE_KEEP_LEN);
	if (case_is(info, "rom_below"))
		touch_read(info->rom - 1);
	if (case_is(info, "rom_above"))
		touch_read(info->rom + ((info->rom_len + PAGE - 1) & ~(PAGE - 1)));
	if (case_is(info, "bundle_below"))
		touch_read(info->bundle - 1);
	if (case_is(info, "bundle_above"))
		touch_read(info->bundle + info->bundle_len);
	survived("access to an absent page");
}
