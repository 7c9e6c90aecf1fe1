/*
 * Numbers and addresses as text; see text.h.  Pure.
 */
#include "net/text.h"

void text_add_u64(struct text *t, uint64_t value)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (count > 0)
		text_add_char(t, digits[--count]);
}

void text_add_ipv4(struct text *t, const uint8_t addr[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			text_add_char(t, '.');
		text_add_u64(t, addr[i]);
	}
}

/* Lower case, no leading zeros: RFC 5952, sections 4.1 and 4.3. */
static void add_hex16(struct text *t, uint16_t value)
{
	bool started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		const unsigned digit = (value >> shift) & 15u;

		if (digit == 0 && !started && shift > 0)
			continue;
		started = true;
		text_add_char(t, "0123456789abcdef"[digit]);
	}
}

void text_add_ipv6(struct text *t, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
	};
	size_t run_start = 8;
	size_t run_len = 1;     /* one group alone is not shortened, section 4.2.2 */

	if (__builtin_memcmp(addr, mapped, sizeof mapped) == 0) {
		text_add(t, "::ffff:");
		text_add_ipv4(t, addr + 12);
		return;
	}

	/*
	 * The longest run of zero groups, the first of equals: section 4.2.3.
	 */
	for (size_t i = 0; i < 8; i++) {
		size_t n = 0;

		while (i + n < 8 && load_be16(addr + 2 * (i + n)) == 0)
			n++;
		if (n > run_len) {
			run_start = i;
			run_len = n;
		}
	}
	for (size_t i = 0; i < 8; i++) {
		if (i == run_start) {
			text_add(t, "::");
			i += run_len - 1;
			continue;
		}
		if (i > 0 && i != run_start + run_len)
			text_add_char(t, ':');
		add_hex16(t, load_be16(addr + 2 * i));
	}
}
