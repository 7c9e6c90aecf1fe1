/*
 * The keep page; see keep.h.
 *
 *   offset  length
 *   0       8       "steleNET"
 *   8       8       SipHash-2-4 of the record under an all-zero key: against
 *                   accidents; nobody but us can write the page
 *   16      76      struct keep
 */
#include "net/keep.h"

#include "net/siphash.h"

#define SUM_OFF 8
#define RECORD_OFF 16

_Static_assert(sizeof(struct keep) == 76, "the record has no padding to sum");
_Static_assert(RECORD_OFF + sizeof(struct keep) <= GATE_KEEP_LEN,
    "the record fits the page");

static const uint8_t magic[8] = { 's', 't', 'e', 'l', 'e', 'N', 'E', 'T' };

static uint64_t sum_of(const struct keep *keep)
{
	static const uint8_t key[16];

	return siphash24(key, keep, sizeof *keep);
}

void keep_write(uint8_t *page, const struct keep *keep)
{
	const uint64_t sum = sum_of(keep);

	__builtin_memcpy(page, magic, sizeof magic);
	__builtin_memcpy(page + SUM_OFF, &sum, sizeof sum);
	__builtin_memcpy(page + RECORD_OFF, keep, sizeof *keep);
}

/* An address of a host: not this network, loopback, multicast or broadcast. */
static bool addr4_plausible(const uint8_t addr[4])
{
	return load_le32(addr) == 0 ||
	    (addr[0] != 0 && addr[0] != 127 && addr[0] < 224);
}

/*
 * Global, unique local or (out of use, but what QEMU's user networking
 * announces) site-local: RFC 4291, section 2.4; RFC 4193, section 3.1; RFC
 * 3879.
 */
static bool addr6_plausible(const uint8_t addr[16])
{
	return (load_le64(addr) == 0 && load_le64(addr + 8) == 0) ||
	    (addr[0] & 0xe0) == 0x20 || (addr[0] & 0xfe) == 0xfc ||
	    (addr[0] == 0xfe && (addr[1] & 0xc0) == 0xc0);
}

static bool router6_plausible(const uint8_t addr[16])
{
	return (load_le64(addr) == 0 && load_le64(addr + 8) == 0) ||
	    (addr[0] == 0xfe && addr[1] == 0x80);
}

bool keep_read(const uint8_t *page, struct keep *keep)
{
	bool good;

	__builtin_memcpy(keep, page + RECORD_OFF, sizeof *keep);
	good = __builtin_memcmp(page, magic, sizeof magic) == 0 &&
	    load_le64(page + SUM_OFF) == sum_of(keep) &&
	    addr4_plausible(keep->addr4) && addr4_plausible(keep->gateway4) &&
	    router6_plausible(keep->router6);
	for (size_t i = 0; i < KEEP_ADDRS6; i++)
		good = good && addr6_plausible(keep->addr6[i]);
	if (!good)
		__builtin_memset(keep, 0, sizeof *keep);
	return good;
}
