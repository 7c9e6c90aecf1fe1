/* Contract: coding_help.h. */
#include "tests/romfs/coding_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <brotli/decode.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "romfs/romfs.h"

void folder_make(struct folder *folder)
{
	strcpy(folder->path, "/tmp/stele-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->saved_stderr = -1;
}

static int delete_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void folder_remove(struct folder *folder)
{
	assert_int_equal(nftw(folder->path, delete_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

char *folder_path(const struct folder *folder, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
	return path;
}

void folder_put(const struct folder *folder, const char *name,
    const void *data, size_t len)
{
	char *path = folder_path(folder, name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	free(path);
}

size_t folder_count(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return count;
}

void site_of(struct site *site, const struct folder *folder,
    const char *const *names, size_t count)
{
	*site = (struct site){ .root = folder->path, .file_count = count };
	site->root_fd = open(folder->path, O_RDONLY | O_DIRECTORY);
	assert_true(site->root_fd >= 0);
	site->files = calloc(count, sizeof *site->files);
	for (size_t i = 0; i < count; i++) {
		struct stat st;

		assert_int_equal(fstatat(site->root_fd, names[i], &st, 0), 0);
		site->files[i].path = strdup(names[i]);
		site->files[i].len = (uint64_t)st.st_size;
		site->files[i].mtime = st.st_mtim;
	}
}

void site_close(struct site *site)
{
	for (size_t i = 0; i < site->file_count; i++)
		free(site->files[i].path);
	free(site->files);
	close(site->root_fd);
}

void fill_noise(uint8_t *out, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		out[i] = (uint8_t)(x >> 32);
	}
}

void fill_text(uint8_t *out, size_t len, uint64_t seed)
{
	static const char *const words[] = {
		"stone ", "slab ", "the ", "text ", "cut ", "into ", "it ", "stands ",
		"in ", "public, ", "anyone ", "can ", "read ", "it.\n", "nobody ", "edits ",
	};
	uint8_t pick[64];
	size_t done = 0;

	while (done < len) {
		fill_noise(pick, sizeof pick, seed++);
		for (size_t i = 0; i < sizeof pick && done < len; i++) {
			const char *word = words[pick[i] % ARRAY_LEN(words)];
			const size_t word_len = strlen(word);
			const size_t step = word_len < len - done ? word_len : len - done;

			memcpy(out + done, word, step);
			done += step;
		}
	}
}

uint8_t *read_whole(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	data = calloc(1, *len + 1);
	assert_int_equal(fread(data, 1, *len, f), *len);
	fclose(f);
	return data;
}

void catch_stderr(struct folder *folder)
{
	char *path = folder_path(folder, "stderr");
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	fflush(stderr);
	folder->saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	free(path);
}

char *caught_stderr(struct folder *folder)
{
	char *path = folder_path(folder, "stderr");
	char *text;
	size_t len;

	fflush(stderr);
	dup2(folder->saved_stderr, STDERR_FILENO);
	close(folder->saved_stderr);
	text = (char *)read_whole(path, &len);
	free(path);
	return text;
}

static size_t decode_gzip(const uint8_t *data, size_t len, uint8_t *out, size_t cap)
{
	z_stream z = { .next_in = (uint8_t *)data, .avail_in = (uInt)len,
		.next_out = out, .avail_out = (uInt)cap };
	int status;

	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	status = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return status == Z_STREAM_END && z.avail_in == 0 ? cap - z.avail_out : SIZE_MAX;
}

size_t decode(unsigned coding, const uint8_t *data, size_t len, uint8_t *out, size_t cap)
{
	size_t out_len = cap;

	switch (coding) {
	case ROMFS_GZIP:
		return decode_gzip(data, len, out, cap);
	case ROMFS_BROTLI:
		return BrotliDecoderDecompress(len, data, &out_len, out) ==
		    BROTLI_DECODER_RESULT_SUCCESS ? out_len : SIZE_MAX;
	default:
		out_len = ZSTD_decompress(out, cap, data, len);
		return ZSTD_isError(out_len) ? SIZE_MAX : out_len;
	}
}
