/* links: romfs/mkromfs/coding_check.c romfs/mkromfs/coding_encode.c
 *        romfs/mkromfs/coding_source.c romfs/mkromfs/site.c romfs/mkromfs/url.c
 *        romfs/mkromfs/sha256.c romfs/mkromfs/memory.c romfs/mkromfs/report.c
 *        tests/romfs/coding_help.c tests/host_panic.c -lcrypto
 *        -lunistring -lz -lzstd -lbrotlienc -lbrotlidec */
/*
 * Does this decode to that: what encoders make does; what differs in a byte, a length or
 * a claim does not, and is found out soon.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <brotli/encode.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "romfs/mkromfs/coding_check.h"
#include "romfs/mkromfs/coding_encode.h"
#include "romfs/romfs.h"
#include "tests/romfs/coding_help.h"

#define TEXT_LEN 300000u

static struct folder top;
static uint8_t text[TEXT_LEN];

struct bytes {
	uint8_t *data;
	size_t len, cap;
};

static int set_up(void **state)
{
	(void)state;
	folder_make(&top);
	fill_text(text, sizeof text, 11);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&top);
	return 0;
}

/* What the check says of these coded bytes for that file. */
static enum check_status check(unsigned coding, const void *coded, size_t coded_len,
    const void *plain, size_t plain_len, struct check *out)
{
	static const char *const names[] = { "plain" };
	enum check_status status;
	struct source source;
	struct site site;
	char *path;
	int fd;

	folder_put(&top, "plain", plain, plain_len);
	folder_put(&top, "coded", coded, coded_len);
	path = folder_path(&top, "coded");
	fd = open(path, O_RDONLY);
	free(path);
	site_of(&site, &top, names, 1);
	assert_true(source_open(&source, &site, 0));
	status = coding_check(coding, fd, coded_len, &source, out);
	source_close(&source);
	site_close(&site);
	close(fd);
	return status;
}

static void assert_same(unsigned coding, const void *coded, size_t coded_len,
    const void *plain, size_t plain_len, unsigned parts)
{
	struct check result;
	const enum check_status status =
	    check(coding, coded, coded_len, plain, plain_len, &result);

	if (status != CHECK_SAME)
		print_message("%s\n", result.reason);
	assert_int_equal(status, CHECK_SAME);
	assert_int_equal(result.parts, parts);
}

static void assert_different(unsigned coding, const void *coded, size_t coded_len,
    const void *plain, size_t plain_len, const char *reason)
{
	struct check result;

	assert_int_equal(check(coding, coded, coded_len, plain, plain_len, &result),
	    CHECK_DIFFERENT);
	if (strstr(result.reason, reason) == NULL)
		print_message("'%s' is not '%s'\n", result.reason, reason);
	assert_non_null(strstr(result.reason, reason));
}

static bool collect(void *to, const uint8_t *data, size_t len)
{
	struct bytes *b = to;

	assert_true(len <= b->cap - b->len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return true;
}

static struct bytes bytes_of(size_t cap)
{
	const struct bytes b = { .data = malloc(cap), .cap = cap };

	assert_non_null(b.data);
	return b;
}

/* What our encoder makes; to be freed. */
static struct bytes encode(unsigned coding, const void *plain, size_t len)
{
	static const char *const names[] = { "plain" };
	struct bytes b = bytes_of(len + 100000);
	struct source source;
	struct site site;

	folder_put(&top, "plain", plain, len);
	site_of(&site, &top, names, 1);
	assert_true(source_open(&source, &site, 0));
	assert_int_equal(coding_encode(coding, &source, UINT64_MAX, collect, &b), ENCODE_OK);
	source_close(&source);
	site_close(&site);
	return b;
}

/* ---- Encoders ------------------------------------------------------------------- */

/* Around the lengths of chunks and windows, of all kinds of content. */
static void what_is_encoded_decodes_to_the_same(void **state)
{
	static const size_t lens[] = {
		0, 1, 2, 100, 1008, 1009, 65520, 65521, 65535, 65536, 65537,
		262143, 262144, 262145, 600000,
	};
	uint8_t *plain = malloc(600000), *out = malloc(600001);

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		for (size_t i = 0; i < 3 * ARRAY_LEN(lens); i++) {
			const size_t len = lens[i / 3];
			struct bytes b;

			if (i % 3 == 0)
				memset(plain, 'a', len);
			else if (i % 3 == 1)
				fill_text(plain, len, i);
			else
				fill_noise(plain, len, i);
			b = encode(coding, plain, len);
			assert_int_equal(decode(coding, b.data, b.len, out, 600001), len);
			assert_memory_equal(out, plain, len);
			assert_same(coding, b.data, b.len, plain, len, 1);
			free(b.data);
		}
	}
	free(out);
	free(plain);
}

static void a_gzip_head_says_nothing_of_its_maker(void **state)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255 };
	struct bytes b = encode(ROMFS_GZIP, text, TEXT_LEN);

	(void)state;
	assert_memory_equal(b.data, head, sizeof head);
	free(b.data);
}

/* RFC 8878, section 3.1.1.1: the frame's content size, and neither dictionary nor checksum. */
static void a_zstd_head_has_the_length_and_no_checksum(void **state)
{
	struct bytes b = encode(ROMFS_ZSTD, text, TEXT_LEN);

	(void)state;
	assert_int_equal(ZSTD_getFrameContentSize(b.data, b.len), TEXT_LEN);
	assert_int_equal(b.data[4] & 0x07, 0);
	free(b.data);
}

static uint8_t *large_text(size_t len)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	fill_text(data, len / 16, 1);
	for (size_t at = len / 16; at < len; at += len / 16)
		memcpy(data + at, data, len - at < len / 16 ? len - at : len / 16);
	return data;
}

/* Less effort, but the same formats; and the zstd window is what it may be. */
static void large_content_decodes_with_a_window_of_8_mib(void **state)
{
	const size_t len = ENCODE_LARGE_LEN + 1;
	uint8_t *data = large_text(len);

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = encode(coding, data, len);

		assert_true(b.len < len / 3);
		assert_same(coding, b.data, b.len, data, len, 1);
		/* RFC 8878, section 3.1.1.1.2: 2^23 bytes, no mantissa. */
		if (coding == ROMFS_ZSTD)
			assert_int_equal(b.data[5], (23 - 10) << 3);
		free(b.data);
	}
	free(data);
}

static void an_encoder_stops_when_it_is_not_worth_it(void **state)
{
	static const char *const names[] = { "plain" };
	struct source source;
	struct site site;

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes whole = encode(coding, text, TEXT_LEN), b = bytes_of(whole.len);

		site_of(&site, &top, names, 1);
		assert_true(source_open(&source, &site, 0));
		assert_int_equal(coding_encode(coding, &source, whole.len - 1, collect, &b),
		    ENCODE_NOT_WORTH);
		assert_true(b.len < whole.len);
		source_close(&source);
		b.len = 0;
		assert_true(source_open(&source, &site, 0));
		assert_int_equal(coding_encode(coding, &source, whole.len, collect, &b),
		    ENCODE_OK);
		assert_memory_equal(b.data, whole.data, whole.len);
		source_close(&source);
		site_close(&site);
		free(whole.data);
		free(b.data);
	}
}

static bool refuse(void *to, const uint8_t *data, size_t len)
{
	(void)to;
	(void)data;
	(void)len;
	errno = ENOSPC;
	return false;
}

static void a_sink_that_refuses_ends_it(void **state)
{
	static const char *const names[] = { "plain" };
	struct source source;
	struct site site;

	(void)state;
	folder_put(&top, "plain", text, TEXT_LEN);
	site_of(&site, &top, names, 1);
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		assert_true(source_open(&source, &site, 0));
		assert_int_equal(coding_encode(coding, &source, UINT64_MAX, refuse, NULL),
		    ENCODE_BAD_SINK);
		assert_int_equal(errno, ENOSPC);
		source_close(&source);
	}
	site_close(&site);
}

/* ---- Damage --------------------------------------------------------------------- */

static void one_other_byte_in_the_file_is_found(void **state)
{
	static const size_t places[] = { 0, 1, 65535, 65536, 200000, TEXT_LEN - 1 };
	char reason[64];

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = encode(coding, text, TEXT_LEN);

		for (size_t i = 0; i < ARRAY_LEN(places); i++) {
			snprintf(reason, sizeof reason, "from byte %zu on", places[i]);
			text[places[i]] ^= 1;
			assert_different(coding, b.data, b.len, text, TEXT_LEN, reason);
			text[places[i]] ^= 1;
		}
		free(b.data);
	}
}

static void a_longer_or_shorter_file_is_found(void **state)
{
	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = encode(coding, text, TEXT_LEN - 1);

		assert_different(coding, b.data, b.len, text, TEXT_LEN,
		    "decodes to only 299999 of its file's 300000 bytes");
		assert_different(coding, b.data, b.len, text, TEXT_LEN - 2,
		    "decodes to more than its file's 299998 bytes");
		assert_different(coding, b.data, b.len, text, 0,
		    "decodes to more than its file's 0 bytes");
		free(b.data);
	}
}

static void any_cut_is_found(void **state)
{
	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = encode(coding, text, 2000);

		for (size_t len = 0; len < b.len; len++)
			assert_different(coding, b.data, len, text, 2000, "ends too early");
		free(b.data);
	}
}

/* It has a checksum; only what fills the last block's last byte up does not matter. */
static void any_turned_bit_of_gzip_is_found(void **state)
{
	struct bytes b = encode(ROMFS_GZIP, text, 2000);
	struct check result;

	(void)state;
	/* Behind flags, time, extra flags and system. */
	for (size_t i = 10 * 8; i < b.len * 8; i++) {
		b.data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (check(ROMFS_GZIP, b.data, b.len, text, 2000, &result) == CHECK_SAME)
			assert_int_equal(i / 8, b.len - 9);
		b.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(b.data);
}

static void other_formats_are_refused(void **state)
{
	uint8_t raw[5000], wrapped[5000];
	uLongf wrapped_len = sizeof wrapped;
	z_stream z = { .next_in = text, .avail_in = 2000, .next_out = raw,
		.avail_out = sizeof raw };

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	assert_int_equal(compress(wrapped, &wrapped_len, text, 2000), Z_OK);
	assert_different(ROMFS_GZIP, raw, z.total_out, text, 2000, "is not gzip");
	assert_different(ROMFS_GZIP, wrapped, wrapped_len, text, 2000, "is not gzip");
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		static const char *const reasons[] = {
			[ROMFS_GZIP] = "is not gzip", [ROMFS_ZSTD] = "is not zstd",
			[ROMFS_BROTLI] = "",
		};

		assert_different(coding, text, 2000, text, 2000, reasons[coding]);
	}
}

static void what_is_behind_the_end_is_found(void **state)
{
	static const char *const more[] = { "x", "garbage", "\n" };

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = encode(coding, text, TEXT_LEN);

		for (size_t i = 0; i < ARRAY_LEN(more); i++) {
			memcpy(b.data + b.len, more[i], strlen(more[i]));
			/* Too little to be told from a part that was cut is one. */
			assert_different(coding, b.data, b.len + strlen(more[i]),
			    text, TEXT_LEN, strlen(more[i]) > 4 ? "behind its end" : "");
		}
		memset(b.data + b.len, 0, 100);
		assert_different(coding, b.data, b.len + 100, text, TEXT_LEN,
		    "behind its end");
		free(b.data);
	}
}

/* ---- Parts, windows, dictionaries ------------------------------------------------ */

/* RFC 1952, section 2.2; RFC 8878, section 3.  Brotli has nothing of the kind. */
static void parts_are_counted(void **state)
{
	struct bytes b, c;

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		b = encode(coding, text, 100000);
		c = encode(coding, text + 100000, TEXT_LEN - 100000);
		assert_true(collect(&b, c.data, c.len));
		if (coding == ROMFS_BROTLI)
			assert_different(coding, b.data, b.len, text, TEXT_LEN,
			    "behind its end");
		else
			assert_same(coding, b.data, b.len, text, TEXT_LEN, 2);
		free(b.data);
		free(c.data);
	}
}

static void a_zstd_window_over_8_mib_is_refused(void **state)
{
	const size_t len = (8 << 20) + 1, cap = ZSTD_compressBound(len);
	uint8_t *data = large_text(len), *out = malloc(cap);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t coded;

	(void)state;
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 24);
	coded = ZSTD_compress2(zstd, out, cap, data, len);
	assert_different(ROMFS_ZSTD, out, coded, data, len, "more than 8 MiB");
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 23);
	coded = ZSTD_compress2(zstd, out, cap, data, len);
	assert_same(ROMFS_ZSTD, out, coded, data, len, 1);
	ZSTD_freeCCtx(zstd);
	free(out);
	free(data);
}

/* A frame by hand (RFC 8878, section 3.1.1): 5 bytes as they are, with a dictionary's number. */
static void a_zstd_dictionary_is_refused(void **state)
{
	static const char with[] = "\x28\xb5\x2f\xfd\x21\x2a\x05\x29\x00\x00hello";
	static const char without[] = "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello";

	(void)state;
	assert_different(ROMFS_ZSTD, with, sizeof with - 1, "hello", 5, "needs a dictionary");
	assert_same(ROMFS_ZSTD, without, sizeof without - 1, "hello", 5, 1);
}

static void a_large_brotli_window_is_refused(void **state)
{
	BrotliEncoderState *brotli = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	uint8_t out[200000];
	const uint8_t *in = text;
	uint8_t *next = out;
	size_t in_left = 1000, out_left = sizeof out;

	(void)state;
	assert_true(BrotliEncoderSetParameter(brotli, BROTLI_PARAM_LARGE_WINDOW, 1));
	assert_true(BrotliEncoderSetParameter(brotli, BROTLI_PARAM_LGWIN, 26));
	assert_true(BrotliEncoderCompressStream(brotli, BROTLI_OPERATION_FINISH,
	    &in_left, &in, &out_left, &next, NULL));
	BrotliEncoderDestroyInstance(brotli);
	assert_different(ROMFS_BROTLI, out, sizeof out - out_left, text, 1000,
	    "is not brotli");
}

/* ---- Bombs ------------------------------------------------------------------------ */

/* 256 MiB of zeros, in a MiB or so; streamed, so that making it takes no memory either. */
static struct bytes bomb(unsigned coding)
{
	struct bytes b = bytes_of(4 << 20);
	static uint8_t zeros[1 << 20];
	uint64_t left = 256;

	if (coding == ROMFS_GZIP) {
		z_stream z = { .next_out = b.data, .avail_out = (uInt)b.cap };

		assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
		for (; left > 0; left--) {
			z.next_in = zeros;
			z.avail_in = sizeof zeros;
			assert_int_equal(deflate(&z, Z_NO_FLUSH), Z_OK);
		}
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		b.len = z.total_out;
		deflateEnd(&z);
	} else if (coding == ROMFS_BROTLI) {
		BrotliEncoderState *e = BrotliEncoderCreateInstance(NULL, NULL, NULL);
		size_t out_left = b.cap;
		uint8_t *out = b.data;

		BrotliEncoderSetParameter(e, BROTLI_PARAM_QUALITY, 1);
		do {
			const uint8_t *in = zeros;
			size_t in_left = left > 0 ? sizeof zeros : 0;

			left -= left > 0;
			assert_true(BrotliEncoderCompressStream(e, left > 0 ?
			    BROTLI_OPERATION_PROCESS : BROTLI_OPERATION_FINISH,
			    &in_left, &in, &out_left, &out, NULL));
		} while (!BrotliEncoderIsFinished(e));
		b.len = b.cap - out_left;
		BrotliEncoderDestroyInstance(e);
	} else {
		ZSTD_CCtx *e = ZSTD_createCCtx();
		ZSTD_outBuffer out = { b.data, b.cap, 0 };

		for (; left > 0; left--) {
			ZSTD_inBuffer in = { zeros, sizeof zeros, 0 };

			assert_false(ZSTD_isError(ZSTD_compressStream2(e, &out, &in,
			    left > 1 ? ZSTD_e_continue : ZSTD_e_end)));
		}
		b.len = out.pos;
		ZSTD_freeCCtx(e);
	}
	return b;
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The file is 100,000 zeros: the bomb is the same as long as it can be. */
static void a_bomb_stops_where_the_file_ends(void **state)
{
	uint8_t *plain = calloc(1, 100000);

	(void)state;
	for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
		struct bytes b = bomb(coding);
		const double before = cpu_seconds();

		assert_different(coding, b.data, b.len, plain, 100000,
		    "decodes to more than its file's 100000 bytes");
		assert_true(cpu_seconds() - before < 0.2);
		free(b.data);
	}
	free(plain);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_encoded_decodes_to_the_same),
		CASE(a_gzip_head_says_nothing_of_its_maker),
		CASE(a_zstd_head_has_the_length_and_no_checksum),
		CASE(large_content_decodes_with_a_window_of_8_mib),
		CASE(an_encoder_stops_when_it_is_not_worth_it),
		CASE(a_sink_that_refuses_ends_it),
		CASE(one_other_byte_in_the_file_is_found),
		CASE(a_longer_or_shorter_file_is_found),
		CASE(any_cut_is_found),
		CASE(any_turned_bit_of_gzip_is_found),
		CASE(other_formats_are_refused),
		CASE(what_is_behind_the_end_is_found),
		CASE(parts_are_counted),
		CASE(a_zstd_window_over_8_mib_is_refused),
		CASE(a_zstd_dictionary_is_refused),
		CASE(a_large_brotli_window_is_refused),
		CASE(a_bomb_stops_where_the_file_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
