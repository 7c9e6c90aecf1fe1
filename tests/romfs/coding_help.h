/* Sites in temporary folders, and contents to compress, for the tests of coding*.c. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding.h"

struct folder {
	char path[64];
	int saved_stderr;        /* -1: stderr is not caught */
};

/* A new folder, empty; and away with it and all it holds. */
void folder_make(struct folder *folder);
void folder_remove(struct folder *folder);

/* Write folder/name. */
void folder_put(const struct folder *folder, const char *name,
    const void *data, size_t len);

/* folder/name; the caller frees it. */
char *folder_path(const struct folder *folder, const char *name);

/* Names in a folder (but "." and ".."). */
size_t folder_count(const char *path);

/* A site that has just these files, in the order of strcmp(). */
void site_of(struct site *site, const struct folder *folder,
    const char *const *names, size_t count);
void site_close(struct site *site);

/* Bytes that do not compress; the same for the same seed. */
void fill_noise(uint8_t *out, size_t len, uint64_t seed);

/* Text that compresses to about a third. */
void fill_text(uint8_t *out, size_t len, uint64_t seed);

/* A whole file; the caller frees it. */
uint8_t *read_whole(const char *path, size_t *len);

/* Between the two stderr goes to a file, which the second returns, to be freed. */
void catch_stderr(struct folder *folder);
char *caught_stderr(struct folder *folder);

/* Decode with a library in one go; returns the length, or SIZE_MAX. */
size_t decode(unsigned coding, const uint8_t *data, size_t len, uint8_t *out, size_t cap);
