/* links: net/text.c http/banner.c */
/*
 * The banner, word for word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/banner.h"

static const struct romfs fs = { .file_count = 12 };

static const char *banner(struct gate_info *info)
{
	static char buf[HTTP_BANNER_CAP + 1];
	struct text t = text_start(buf, HTTP_BANNER_CAP);

	http_format_banner(info, &fs, 4250000, &t);
	buf[t.len] = 0;
	return buf;
}

static struct gate_info info = {
	.rom_len = 81920,
	.image_sha256 = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1 },
	.phase_count = 2,
	.phases = { { "boot", 1230000 }, { "kernel", 3000000 } },
	.version_text = "0.1.0",
	.machine = "pvh, virtio-net pci",
};

static void it_names_version_image_files_and_phases(void **state)
{
	(void)state;
	assert_string_equal(banner(&info),
	    "stele 0.1.0 on pvh, virtio-net pci\n"
	    "image 0123456789abcdef, 12 files, 80 KiB of ROM\n"
	    "boot: boot 1.2, kernel 1.7, server 1.2, ready after 4.2 ms\n");
}

static void a_server_that_came_back_says_so(void **state)
{
	(void)state;
	info.restarts = 3;
	assert_string_equal(banner(&info),
	    "stele 0.1.0 on pvh, virtio-net pci\n"
	    "image 0123456789abcdef, 12 files, 80 KiB of ROM\n"
	    "back after crash 3\n");
}

static void as_many_phases_as_there_can_be_fit(void **state)
{
	(void)state;
	info.restarts = 0;
	info.phase_count = UINT32_MAX;
	for (size_t i = 0; i < GATE_PHASES_CAP; i++) {
		memcpy(info.phases[i].name, "a_name_so_long_", 16);
		info.phases[i].end_ns = i % 2 ? UINT64_MAX : 0;
	}
	memset(info.version_text, 'v', sizeof info.version_text - 1);
	memset(info.machine, 'm', sizeof info.machine - 1);
	const char *const text = banner(&info);
	assert_string_equal(text + strlen(text) - strlen(" ready after 4.2 ms\n"),
	    " ready after 4.2 ms\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_names_version_image_files_and_phases),
		cmocka_unit_test(a_server_that_came_back_says_so),
		cmocka_unit_test(as_many_phases_as_there_can_be_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
