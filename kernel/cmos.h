/*
 * The CMOS clock at ports 0x70 and 0x71 (MC146818 and its kin), read only.
 */
#pragma once

#include "config/base.h"

/*
 * The time it shows, Unix seconds.
 *
 * century_index  register of the century, 0 if there is none
 * Returns false if there is no such clock, or it shows no date.  Waits at most
 * for an update to end, 2 ms.
 */
MUST_USE bool cmos_read(uint8_t century_index, uint64_t *unix_s);

/*
 * Wait for its next second to begin, at most some seconds.
 * Returns false if it stands still.
 */
MUST_USE bool cmos_wait_second(void);
