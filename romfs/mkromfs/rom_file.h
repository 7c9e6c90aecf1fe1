/* An image as a file: a ROM, or a bootable image with one inside. */
#pragma once

#include "config/base.h"
#include "romfs/romfs.h"

/*
 * Map a file and check the ROM in it; it stays mapped until the program ends.
 * Returns false after report_error() has said why not.
 */
MUST_USE bool rom_file_open(const char *path, struct romfs *fs);

/*
 * How a site is called in tables: its first name that does not redirect, or "*" if it has
 * none.  The caller frees it.
 */
char *rom_file_site_name(const struct romfs *fs, uint32_t site);

/* Bytes of an image as a string; they hold no NUL.  The caller frees it. */
char *rom_file_text(const uint8_t *bytes, size_t len);
