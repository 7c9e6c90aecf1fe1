/*
 * CMOS clock: see cmos.h.  Source: MC146818 data sheet, "Update cycle".
 */
#include <string.h>

#include "kernel/clock_math.h"
#include "kernel/cmos.h"
#include "kernel/io.h"

#define CMOS_INDEX_PORT 0x70     /* bit 7 clear: NMIs stay on */
#define CMOS_DATA_PORT 0x71

#define CMOS_SECOND 0
#define CMOS_MINUTE 2
#define CMOS_HOUR 4
#define CMOS_DAY 7
#define CMOS_MONTH 8
#define CMOS_YEAR 9
#define CMOS_STATUS_A 10
#define CMOS_STATUS_B 11

#define STATUS_A_UPDATING 0x80
#define NOTHING 0xFF             /* an empty bus; no second is written so */

/*
 * Looks at a port before we stop believing in the clock.  An update takes 2 ms,
 * a look (two accesses) 2 us on real hardware and some 0.3 us in an emulator.
 */
#define UPDATE_LOOKS 10000
#define SECOND_LOOKS 20000000

/* Reads until two in a row are the same. */
#define READ_TRIES 4

static uint8_t cmos_reg(uint8_t idx)
{
	io_out8(CMOS_INDEX_PORT, idx);
	return io_in8(CMOS_DATA_PORT);
}

static bool wait_update(void)
{
	for (unsigned i = 0; i < UPDATE_LOOKS; i++) {
		if (!(cmos_reg(CMOS_STATUS_A) & STATUS_A_UPDATING))
			return true;
		cpu_pause();
	}
	return false;
}

static void read_once(uint8_t century_index, struct cmos_time *t)
{
	*t = (struct cmos_time){
		.second = cmos_reg(CMOS_SECOND),
		.minute = cmos_reg(CMOS_MINUTE),
		.hour = cmos_reg(CMOS_HOUR),
		.day = cmos_reg(CMOS_DAY),
		.month = cmos_reg(CMOS_MONTH),
		.year = cmos_reg(CMOS_YEAR),
		.century = century_index != 0 ? cmos_reg(century_index) : 0,
		.status_b = cmos_reg(CMOS_STATUS_B),
	};
}

bool cmos_read(uint8_t century_index, uint64_t *unix_s)
{
	struct cmos_time a, b;

	/* An empty bus reads 0xFF: "updating" for ever. */
	if (!wait_update())
		return false;
	read_once(century_index, &a);
	for (unsigned i = 0; i < READ_TRIES; i++) {
		if (!wait_update())
			return false;
		read_once(century_index, &b);
		if (memcmp(&a, &b, sizeof a) == 0)
			return clock_unix_from_cmos(&a, unix_s);
		a = b;
	}
	return false;
}

bool cmos_wait_second(void)
{
	const uint8_t now = cmos_reg(CMOS_SECOND);

	if (now == NOTHING)
		return false;
	for (unsigned i = 0; i < SECOND_LOOKS; i++) {
		if (cmos_reg(CMOS_SECOND) != now)
			return true;
		cpu_pause();
	}
	return false;
}

_Static_assert(sizeof(struct cmos_time) == 8, "no padding to compare");
