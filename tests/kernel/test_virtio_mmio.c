/* links: kernel/virtio_mmio.c kernel/virtio.c kernel/vq.c tests/host_panic.c */
/*
 * The memory-mapped transport: the words of the command line, and registers of
 * version 2 (Virtio 1.2, section 4.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/reg.h"
#include "kernel/virtio.h"

/* virtio_find.c is not linked; it owns this sentence. */
const char VIRTIO_NONE[] = "none";

/* ---- The command line ---------------------------------------------------- */

static void gives(const char *cmdline, uint64_t pa, uint32_t len, uint32_t gsi)
{
	struct virtio_mmio_place out[2];
	size_t count = 99;

	assert_null(virtio_mmio_parse(cmdline, out, 2, &count));
	assert_int_equal(count, 1);
	assert_int_equal(out[0].pa, pa);
	assert_int_equal(out[0].len, len);
	assert_int_equal(out[0].gsi, gsi);
}

static void refused(const char *cmdline)
{
	struct virtio_mmio_place out[2];
	size_t count;
	const char *wrong = virtio_mmio_parse(cmdline, out, 2, &count);

	if (wrong == NULL)
		fail_msg("accepted: %s", cmdline);
	assert_non_null(strstr(wrong, "virtio_mmio.device="));
}

static void words_of_qemu_and_firecracker_are_read(void **state)
{
	(void)state;
	gives("virtio_mmio.device=512@0xfeb00e00:12", 0xFEB00E00, 512, 12);
	gives("ip=dhcp  virtio_mmio.device=4K@0xd0000000:5\n", 0xD0000000, 4096, 5);
	gives("virtio_mmio.device=0x200@4271898624:5:3", 0xFEA00000, 512, 5);
	gives("virtio_mmio.device=8k@0xD0001000:6 log=off", 0xD0001000, 8192, 6);
}

static void more_than_a_window_is_not_mapped(void **state)
{
	(void)state;
	gives("virtio_mmio.device=1M@0xd0000000:5", 0xD0000000, 0x10000, 5);
	gives("virtio_mmio.device=65536@0xd0000000:5", 0xD0000000, 0x10000, 5);
}

static void several_words_give_several_places(void **state)
{
	struct virtio_mmio_place out[2];
	size_t count;

	(void)state;
	assert_null(virtio_mmio_parse("virtio_mmio.device=512@0xfeb00c00:11 "
	    "virtio_mmio.device=512@0xfeb00e00:12", out, 2, &count));
	assert_int_equal(count, 2);
	assert_int_equal(out[0].gsi, 11);
	assert_int_equal(out[1].pa, 0xFEB00E00);
}

static void a_word_too_many_is_refused(void **state)
{
	(void)state;
	refused("virtio_mmio.device=512@0x1000:1 virtio_mmio.device=512@0x2000:2 "
	    "virtio_mmio.device=512@0x3000:3");
}

static void nothing_is_read_out_of_other_words(void **state)
{
	static const char *const lines[] = {
		"", " ", "virtio_mmio.device", "xvirtio_mmio.device=1", "a=b c",
		"virtio_mmio.devices=1", "xx=virtio_mmio.device=1",
	};
	struct virtio_mmio_place out[1];
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_null(virtio_mmio_parse(lines[i], out, 1, &count));
		assert_int_equal(count, 0);
	}
}

static void malformed_words_are_refused(void **state)
{
	static const char *const lines[] = {
		"virtio_mmio.device=",
		"virtio_mmio.device=512",
		"virtio_mmio.device=512@",
		"virtio_mmio.device=512@0x",
		"virtio_mmio.device=512@0x1000",
		"virtio_mmio.device=512@0x1000:",
		"virtio_mmio.device=512@0x1000:1:",
		"virtio_mmio.device=512@0x1000:1x",
		"virtio_mmio.device=512@0x1000:1:2:3",
		"virtio_mmio.device=512 @0x1000:1",
		"virtio_mmio.device=512G@0x1000:1",
		"virtio_mmio.device=-512@0x1000:1",
		"virtio_mmio.device=@0x1000:1",
		"virtio_mmio.device=512@0x1002:1",   /* crooked */
		"virtio_mmio.device=512@0:1",        /* page 0 */
		"virtio_mmio.device=271@0x1000:1",   /* too short */
		"virtio_mmio.device=0@0x1000:1",
		"virtio_mmio.device=512@0x10000000000000:1",
		"virtio_mmio.device=4K@0xFFFFFFFFFF004:1",
		"virtio_mmio.device=0xFFFFFFFFFFFFFFFFFFFF@0x1000:1",
		"virtio_mmio.device=0x100000000001M@0x1000:1",  /* 2^64 + 1M */
		"virtio_mmio.device=512@99999999999999999999999:1",
		"virtio_mmio.device=512@0x1000:65536",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		refused(lines[i]);
	gives("virtio_mmio.device=272@0x1000:65535", 0x1000, 272, 65535);
	gives("virtio_mmio.device=4K@0xFFFFFFFFFF000:1", 0xFFFFFFFFFF000, 4096, 1);
}

static void random_words_never_lead_outside_the_rules(void **state)
{
	static const char alphabet[] = "0123456789abcdefxKM@: ";
	char line[64];

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 200000; round++) {
		struct virtio_mmio_place out[1];
		size_t count;

		strcpy(line, "virtio_mmio.device=");
		for (size_t i = strlen(line), n = i + (size_t)rand() % 30; i < n; )
			line[i++] = alphabet[(size_t)rand() % 22], line[i] = '\0';
		if (virtio_mmio_parse(line, out, 1, &count) != NULL || count == 0)
			continue;
		assert_in_range(out[0].len, 0x110, 0x10000);
		assert_true(out[0].pa + out[0].len <= 1ull << 52);
		assert_int_equal(out[0].pa & 3, 0);
	}
}

/* ---- The device ---------------------------------------------------------- */

#define BASE 0xFEB00000u
#define NIC_PA (BASE + 0x200)
#define RNG_PA (BASE + 0x400)
#define EMPTY_PA (BASE + 0x600)

static struct {
	uint8_t window[0x1000];
	uint32_t reg[0x1000 / 4];     /* what plain registers hold */
	uint64_t offers, accepted;
	char events[64];
	unsigned mapped;
	uint32_t routed_gsi;
	bool no_ioapic, queue_runs;
} hw;

volatile void *map_device(uint64_t pa, uint64_t len)
{
	assert_true(pa >= BASE && pa - BASE + len <= sizeof hw.window);
	hw.mapped++;
	return hw.window + (pa - BASE);
}

bool irq_route_gsi(uint32_t gsi, uint8_t vector, enum irq_trigger trigger)
{
	assert_int_equal(vector, 0x31);
	assert_int_equal(trigger, IRQ_LEVEL_HIGH);
	hw.routed_gsi = gsi;
	return !hw.no_ioapic;
}

/* Offset in the window: device * 0x200 + register. */
static unsigned offset_of(const volatile void *at, unsigned width)
{
	const volatile uint8_t *p = at;

	assert_true(p >= hw.window && p + width <= hw.window + sizeof hw.window);
	assert_int_equal((p - hw.window) % width, 0);
	return (unsigned)(p - hw.window);
}

uint8_t reg_read8(const volatile void *at)
{
	const unsigned off = offset_of(at, 1);

	assert_true(off % 0x200 >= 0x100);    /* section 4.2.2.2: 32 bits else */
	return hw.window[off];
}

uint16_t reg_read16(const volatile void *at)
{
	const unsigned off = offset_of(at, 2);

	assert_true(off % 0x200 >= 0x100);
	return load_le16(hw.window + off);
}

static uint32_t *plain(unsigned off)
{
	return &hw.reg[off / 4];
}

uint32_t reg_read32(const volatile void *at)
{
	const unsigned off = offset_of(at, 4);
	const unsigned device = off & ~0x1FFu;

	switch (off % 0x200) {
	case 0x010:
		return (uint32_t)(hw.offers >> (*plain(device + 0x014) ? 32 : 0));
	case 0x044:
		return hw.queue_runs ? 1 : *plain(off);
	default:
		return *plain(off);
	}
}

void reg_write32(volatile void *at, uint32_t v)
{
	const unsigned off = offset_of(at, 4);
	const unsigned reg = off % 0x200;
	const size_t len = strlen(hw.events);

	if (reg == 0x020)
		hw.accepted |= (uint64_t)v <<
		    (*plain((off & ~0x1FFu) + 0x024) ? 32 : 0);
	if (reg == 0x070)
		hw.events[len] = v == 0 ? '0' : v == 1 ? 'A' : v == 3 ? 'D' :
		    v == 11 ? 'F' : v == 15 ? 'O' : '?';
	*plain(off) = v;
}

void reg_write8(volatile void *at, uint8_t v)
{
	fail_msg("%p = %u", (volatile void *)at, v);
}

void reg_write16(volatile void *at, uint16_t v)
{
	fail_msg("%p = %u", (volatile void *)at, v);
}

static void set_up(unsigned at, uint32_t kind, uint32_t version)
{
	*plain(at) = 0x74726976;
	*plain(at + 4) = version;
	*plain(at + 8) = kind;
	*plain(at + 0x34) = 256;
}

/* Places stay added for the whole program: the bus has no way to forget. */
static int plug(void **state)
{
	(void)state;
	memset(&hw, 0, sizeof hw);
	hw.offers = VIRTIO_F_VERSION_1 | 0x21;
	set_up(0x200, VIRTIO_KIND_NET, 2);
	set_up(0x400, VIRTIO_KIND_ENTROPY, 2);
	set_up(0x600, 0, 2);
	return 0;
}

static struct virtio_dev dev;

static void places_come_from_the_command_line_and_are_mapped_once(void **state)
{
	static const char cmdline[] = "virtio_mmio.device=512@0xfeb00600:7 "
	    "virtio_mmio.device=512@0xfeb00200:5 "
	    "virtio_mmio.device=512@0xfeb00400:6";

	(void)state;
	assert_ptr_equal(virtio_mmio_find(VIRTIO_KIND_NET, &dev), VIRTIO_NONE);
	assert_non_null(virtio_mmio_add_cmdline("virtio_mmio.device=x"));
	assert_null(virtio_mmio_add_cmdline(cmdline));
	assert_null(virtio_mmio_add_cmdline(cmdline));
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	assert_int_equal(hw.mapped, 2);
	assert_int_equal(dev.gsi, 5);
	assert_int_equal(dev.config_len, 0x100);
	assert_null(virtio_mmio_find(VIRTIO_KIND_ENTROPY, &dev));
	assert_int_equal(dev.gsi, 6);
	assert_int_equal(hw.mapped, 3);
	assert_string_equal(dev.ops->name, "mmio");
}

static void is_refused(const char *word)
{
	const char *wrong = virtio_mmio_find(VIRTIO_KIND_NET, &dev);

	assert_non_null(wrong);
	assert_non_null(strstr(wrong, word));
}

static void a_legacy_device_is_refused_with_the_remedy(void **state)
{
	(void)state;
	*plain(0x204) = 1;
	is_refused("force-legacy=false");
}

static void an_unknown_version_is_refused(void **state)
{
	(void)state;
	*plain(0x204) = 3;
	is_refused("version");
}

static void a_place_without_device_is_told(void **state)
{
	(void)state;
	*plain(0x200) = 0xFFFFFFFF;
	is_refused("announced");
}

static void a_queue_is_started_and_rung(void **state)
{
	static _Alignas(16) uint8_t mem[VQ_MEM_LEN(64)];
	static struct vq vq;
	uint64_t accepted;
	uint16_t head;

	(void)state;
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	memset(hw.events, 0, sizeof hw.events);
	assert_null(virtio_negotiate(&dev, 0x23, &accepted));
	assert_int_equal(accepted, VIRTIO_F_VERSION_1 | 0x21);
	assert_int_equal(hw.accepted, accepted);
	assert_null(virtio_queue_start(&dev, 1, &vq, 64, mem, 0x1234567890));
	assert_null(virtio_go(&dev));
	assert_string_equal(hw.events, "0ADFO");
	assert_int_equal(*plain(0x230), 1);
	assert_int_equal(*plain(0x238), 64);
	assert_int_equal(*plain(0x280), 0x34567890);
	assert_int_equal(*plain(0x284), 0x12);
	assert_int_equal(*plain(0x290), 0x34567890 + 1024);
	assert_int_equal(*plain(0x2A0), 0x34567890 + 1024 + 136);
	assert_int_equal(*plain(0x244), 1);
	*plain(0x250) = 99;
	assert_true(vq_begin(&vq, 1, 0, &head));
	vq_push(&vq, 0x1000, 1, true);
	virtio_publish(&dev, 1, &vq);
	assert_int_equal(*plain(0x250), 1);
}

static void a_queue_that_runs_after_a_reset_is_refused(void **state)
{
	static _Alignas(16) uint8_t mem[VQ_MEM_LEN(64)];
	static struct vq vq;

	(void)state;
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	hw.queue_runs = true;
	assert_non_null(virtio_queue_start(&dev, 0, &vq, 64, mem, 0));
	hw.queue_runs = false;
	*plain(0x234) = 0x20000;
	assert_int_equal(virtio_queue_size(&dev, 0), 256);
	*plain(0x234) = 0;
	assert_non_null(virtio_queue_start(&dev, 0, &vq, 64, mem, 0));
}

static void configuration_lies_behind_the_registers(void **state)
{
	uint8_t mac[6];
	uint16_t v;

	(void)state;
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	for (unsigned i = 0; i < 16; i++)
		hw.window[0x300 + i] = (uint8_t)(i + 1);
	assert_true(virtio_config_bytes(&dev, 0, mac, 6));
	assert_int_equal(mac[5], 6);
	assert_true(virtio_config_u16(&dev, 10, &v));
	assert_int_equal(v, 0x0C0B);
	assert_false(virtio_config_u16(&dev, 0xFF, &v));
}

static void the_line_is_routed_and_acknowledged_whole(void **state)
{
	(void)state;
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	hw.no_ioapic = true;
	assert_non_null(strstr(dev.ops->interrupts(&dev, 0x31), "IOAPIC"));
	assert_false(dev.interrupts);
	hw.no_ioapic = false;
	assert_null(dev.ops->interrupts(&dev, 0x31));
	assert_true(dev.interrupts);
	assert_int_equal(hw.routed_gsi, 5);
	dev.ops->interrupt_ack(&dev);
	assert_int_equal(*plain(0x264), 3);
}

static void places_too_many_are_ignored(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2 * LIMIT_VIRTIO_MMIO; i++)
		virtio_mmio_add(&(struct virtio_mmio_place){
			.pa = BASE + 0x800, .len = 0x200, .gsi = i });
	for (uint32_t i = 0; i < 2 * LIMIT_VIRTIO_MMIO; i++)
		virtio_mmio_add(&(struct virtio_mmio_place){
			.pa = BASE + 0x810 + 4 * i, .len = 0x200, .gsi = i });
	assert_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	*plain(0x208) = 99;
	assert_non_null(virtio_mmio_find(VIRTIO_KIND_NET, &dev));
	assert_true(hw.mapped <= LIMIT_VIRTIO_MMIO);
}

#define CASE(name) cmocka_unit_test_setup(name, plug)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(words_of_qemu_and_firecracker_are_read),
		CASE(more_than_a_window_is_not_mapped),
		CASE(several_words_give_several_places),
		CASE(a_word_too_many_is_refused),
		CASE(nothing_is_read_out_of_other_words),
		CASE(malformed_words_are_refused),
		CASE(random_words_never_lead_outside_the_rules),
		CASE(places_come_from_the_command_line_and_are_mapped_once),
		CASE(a_legacy_device_is_refused_with_the_remedy),
		CASE(an_unknown_version_is_refused),
		CASE(a_place_without_device_is_told),
		CASE(a_queue_is_started_and_rung),
		CASE(a_queue_that_runs_after_a_reset_is_refused),
		CASE(configuration_lies_behind_the_registers),
		CASE(the_line_is_routed_and_acknowledged_whole),
		CASE(places_too_many_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
