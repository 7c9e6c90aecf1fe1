/* Contract: rom_file.h. */
#include "romfs/mkromfs/rom_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/format.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"

struct mapped {
	const uint8_t *bytes;
	size_t len;
};

static bool map(const char *path, struct mapped *out)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		report_error(path, "%s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	*out = (struct mapped){ .len = (size_t)st.st_size };
	if (S_ISREG(st.st_mode) && st.st_size == 0) {
		close(fd);
		return true;
	}
	out->bytes = mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (out->bytes != MAP_FAILED)
		return true;
	report_error(path, "%s", strerror(errno));
	return false;
}

/*
 * In a bootable image the ROM begins a page of the file: the first page that begins as
 * one, and says a length that the file has.  Kernel and server come before it, a site's
 * own files behind its header.
 */
static void find_rom(struct mapped *file)
{
	for (size_t at = 0; file->len - at >= sizeof(struct rom_header); at += ROM_PAGE) {
		const struct rom_header *header = (const void *)(file->bytes + at);

		if (memcmp(header->magic, ROM_MAGIC, sizeof header->magic) == 0 &&
		    header->image_len <= file->len - at) {
			*file = (struct mapped){
				file->bytes + at, (size_t)header->image_len
			};
			return;
		}
		if (file->len - at < ROM_PAGE)
			return;
	}
}

bool rom_file_open(const char *path, struct romfs *fs)
{
	static const uint8_t elf[] = { 0x7f, 'E', 'L', 'F' };
	enum romfs_status status;
	struct mapped file;

	if (!map(path, &file))
		return false;
	if (file.len >= sizeof elf && memcmp(file.bytes, elf, sizeof elf) == 0)
		find_rom(&file);
	status = romfs_open(fs, file.bytes, file.len);
	if (status == ROMFS_OK)
		return true;
	report_error(path, "refused: %s", romfs_status_text(status));
	return false;
}

char *rom_file_text(const uint8_t *bytes, size_t len)
{
	char *text = xmalloc(len + 1);

	memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

char *rom_file_site_name(const struct romfs *fs, uint32_t site)
{
	const struct rom_name *names = (const void *)fs->names;

	for (uint32_t i = 0; i < fs->name_count; i++) {
		if (names[i].site == site && names[i].canonical == ROM_NONE)
			return rom_file_text(fs->paths + names[i].off, names[i].len);
	}
	return xstrdup("*");
}
