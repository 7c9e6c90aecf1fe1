/*
 * mkimage: lay boot, kernel, server and site into one bootable ELF file.
 *
 *   mkimage --boot BOOT --kernel KERNEL --server SERVER --rom ROM
 *           --version TEXT -o OUT
 *
 * OUT loads boot's own segments where they were linked and the three parts, as
 * they are, on whole pages after them; boot's image table (boot/image.h) says
 * where.  OUT keeps boot's notes, so that a PVH loader finds the entry.  Prints
 * the hash of the image.  The same input gives the same file, bit for bit.
 *
 * Runs on the build host.  Never leaves a half-written OUT: it is written under
 * another name and renamed at the end.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bearssl_hash.h>

#include "boot/image.h"

#define PAGE_LEN UINT64_C(4096)
#define LARGE_PAGE_LEN UINT64_C(0x200000)
#define BOOT_LEN_MAX (16u << 20)
#define COPY_LEN 65536
#define PART_COUNT 3
#define SEGMENTS_CAP 8
#define NOTE_TYPE_PVH_ENTRY 18   /* XEN_ELFNOTE_PHYS32_ENTRY */

struct part {
	const char *name;
	const char *path;
	FILE *file;
	uint64_t len;
	uint64_t pa;
	uint64_t file_off;
};

/* boot.elf in memory, checked by load_boot(). */
struct boot {
	uint8_t *bytes;
	size_t len;
	const Elf64_Ehdr *header;
	const Elf64_Phdr *segments;
	uint64_t table_off;     /* of image_table, in the file */
	uint64_t end_pa;        /* first address after its last segment */
};

struct plan {
	struct part part[PART_COUNT];   /* kernel, server, rom */
	const char *boot_path;
	const char *out_path;
	const char *version;
};

static char unfinished[4096];    /* removed when we fail */

static NORETURN void __attribute__((format(printf, 1, 2)))
fail(const char *format, ...)
{
	va_list args;

	fputs("mkimage: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (unfinished[0] != '\0')
		unlink(unfinished);
	exit(1);
}

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static FILE *open_input(const char *path, uint64_t *len)
{
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		fail("cannot read %s: %s", path, strerror(errno));
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		fail("%s is not a plain file", path);
	*len = (uint64_t)st.st_size;
	return f;
}

/* ---- boot.elf ------------------------------------------------------------ */

/* True if [off, off + len) lies inside the file. */
static bool inside(const struct boot *boot, uint64_t off, uint64_t len)
{
	return off <= boot->len && len <= boot->len - off;
}

static void read_boot(struct boot *boot, const char *path)
{
	uint64_t len;
	FILE *f = open_input(path, &len);

	if (len < sizeof(Elf64_Ehdr) || len > BOOT_LEN_MAX)
		fail("%s: %llu bytes is no boot program", path,
		    (unsigned long long)len);
	boot->len = (size_t)len;
	boot->bytes = malloc(boot->len);
	if (boot->bytes == NULL)
		fail("out of memory");
	if (fread(boot->bytes, 1, boot->len, f) != boot->len)
		fail("cannot read %s", path);
	fclose(f);
}

static void check_boot_header(struct boot *boot, const char *path)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)boot->bytes;

	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_type != ET_EXEC ||
	    h->e_machine != EM_X86_64 || h->e_phentsize != sizeof(Elf64_Phdr) ||
	    h->e_shentsize != sizeof(Elf64_Shdr))
		fail("%s: not an x86-64 executable at a fixed address", path);
	if (h->e_phnum > SEGMENTS_CAP || h->e_phoff % 8 != 0 ||
	    h->e_shoff % 8 != 0 ||
	    !inside(boot, h->e_phoff, h->e_phnum * sizeof(Elf64_Phdr)) ||
	    !inside(boot, h->e_shoff, h->e_shnum * sizeof(Elf64_Shdr)))
		fail("%s: bad header tables", path);
	boot->header = h;
	boot->segments = (const Elf64_Phdr *)(boot->bytes + h->e_phoff);
}

static bool has_pvh_entry(const struct boot *boot, const Elf64_Phdr *segment)
{
	uint64_t off = segment->p_offset;
	const uint64_t end = off + segment->p_filesz;

	while (end - off >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;

		memcpy(&note, boot->bytes + off, sizeof note);
		off += sizeof note;
		const uint64_t name_len = round_up(note.n_namesz, 4);
		const uint64_t len = name_len + round_up(note.n_descsz, 4);
		if (len > end - off)
			break;
		if (note.n_type == NOTE_TYPE_PVH_ENTRY && note.n_namesz == 4 &&
		    memcmp(boot->bytes + off, "Xen", 4) == 0)
			return true;
		off += len;
	}
	return false;
}

static void check_boot_segments(struct boot *boot, const char *path)
{
	bool pvh = false;

	for (unsigned i = 0; i < boot->header->e_phnum; i++) {
		const Elf64_Phdr *s = &boot->segments[i];

		if (!inside(boot, s->p_offset, s->p_filesz) ||
		    s->p_memsz < s->p_filesz || s->p_memsz > BOOT_LEN_MAX ||
		    s->p_paddr > IMAGE_END_MAX)
			fail("%s: segment %u is out of bounds", path, i);
		if (s->p_type == PT_NOTE && has_pvh_entry(boot, s))
			pvh = true;
		if (s->p_type == PT_LOAD &&
		    s->p_paddr + s->p_memsz > boot->end_pa)
			boot->end_pa = s->p_paddr + s->p_memsz;
	}
	if (!pvh)
		fail("%s: no PVH entry note", path);
}

static void find_image_table(struct boot *boot, const char *path)
{
	const Elf64_Ehdr *h = boot->header;
	const Elf64_Shdr *sections =
	    (const Elf64_Shdr *)(boot->bytes + h->e_shoff);
	const Elf64_Shdr *names = &sections[h->e_shstrndx];

	if (h->e_shstrndx >= h->e_shnum ||
	    !inside(boot, names->sh_offset, names->sh_size))
		fail("%s: no section names", path);
	for (unsigned i = 0; i < h->e_shnum; i++) {
		static const char wanted[] = ".image_table";
		const Elf64_Shdr *s = &sections[i];

		if (s->sh_name > names->sh_size ||
		    names->sh_size - s->sh_name < sizeof wanted ||
		    memcmp(boot->bytes + names->sh_offset + s->sh_name, wanted,
		    sizeof wanted) != 0)
			continue;
		if (s->sh_type != SHT_PROGBITS ||
		    s->sh_size != sizeof(struct image_table) ||
		    !inside(boot, s->sh_offset, s->sh_size) ||
		    load_le64(boot->bytes + s->sh_offset) != IMAGE_MAGIC)
			fail("%s: .image_table is not an image table", path);
		boot->table_off = s->sh_offset;
		return;
	}
	fail("%s: no section .image_table", path);
}

static void load_boot(struct boot *boot, const char *path)
{
	read_boot(boot, path);
	check_boot_header(boot, path);
	check_boot_segments(boot, path);
	find_image_table(boot, path);
}

/* ---- Placement ------------------------------------------------------------ */

static void place_parts(struct part *part, uint64_t boot_end_pa)
{
	uint64_t pa = boot_end_pa;

	for (unsigned i = 0; i < PART_COUNT; i++) {
		const bool large = part[i].len >= LARGE_PAGE_LEN;

		pa = round_up(pa, large ? LARGE_PAGE_LEN : PAGE_LEN);
		part[i].pa = pa;
		pa += round_up(part[i].len, PAGE_LEN);
		if (part[i].len > IMAGE_END_MAX || pa > IMAGE_END_MAX)
			fail("the image is too large: its %s ends at %llu MiB, "
			    "and all of it has to lie below %llu MiB",
			    part[i].name, (unsigned long long)(pa >> 20),
			    (unsigned long long)(IMAGE_END_MAX >> 20));
	}
}

/* ---- Writing --------------------------------------------------------------- */

static void write_bytes(FILE *out, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, out) != len)
		fail("cannot write %s: %s", unfinished, strerror(errno));
}

/* Zeros up to file offset `to`. */
static void write_padding(FILE *out, uint64_t *off, uint64_t to)
{
	static const uint8_t zeros[PAGE_LEN];

	while (*off < to) {
		const uint64_t n = to - *off < PAGE_LEN ? to - *off : PAGE_LEN;

		write_bytes(out, zeros, (size_t)n);
		*off += n;
	}
}

static void read_part(const struct part *part, void *buf, size_t len)
{
	if (fread(buf, 1, len, part->file) != len)
		fail("%s changed while it was read", part->path);
}

static void hash_part(br_sha256_context *hash, const struct part *part)
{
	static uint8_t buf[COPY_LEN];
	uint8_t len_le[8];
	uint64_t left = part->len;

	store_le64(len_le, part->len);
	br_sha256_update(hash, len_le, sizeof len_le);
	while (left > 0) {
		const size_t n = left < COPY_LEN ? (size_t)left : COPY_LEN;

		read_part(part, buf, n);
		br_sha256_update(hash, buf, n);
		left -= n;
	}
	rewind(part->file);
}

static void copy_part(FILE *out, const struct part *part)
{
	static uint8_t buf[COPY_LEN];
	uint64_t left = part->len;

	while (left > 0) {
		const size_t n = left < COPY_LEN ? (size_t)left : COPY_LEN;

		read_part(part, buf, n);
		write_bytes(out, buf, n);
		left -= n;
	}
}

/* The file offset that boot's byte at old_off has in the new file. */
static uint64_t moved_off(const struct boot *boot, const Elf64_Phdr *loads,
    unsigned load_count, uint64_t old_off, uint64_t len)
{
	unsigned k = 0;

	for (unsigned i = 0; i < boot->header->e_phnum; i++) {
		const Elf64_Phdr *s = &boot->segments[i];

		if (s->p_type != PT_LOAD)
			continue;
		if (k < load_count && old_off >= s->p_offset &&
		    old_off + len <= s->p_offset + s->p_filesz)
			return old_off - s->p_offset + loads[k].p_offset;
		k++;
	}
	fail("boot: the notes and .image_table have to lie in a loaded segment");
}

/* Program headers of the new file, in order of their offsets; returns how many. */
static unsigned plan_segments(const struct boot *boot, struct part *part,
    Elf64_Phdr *out)
{
	unsigned count = 0;
	uint64_t off = PAGE_LEN;

	for (unsigned i = 0; i < boot->header->e_phnum; i++) {
		const Elf64_Phdr *s = &boot->segments[i];

		if (s->p_type != PT_LOAD)
			continue;
		off = round_up(off, PAGE_LEN) + s->p_paddr % PAGE_LEN;
		out[count] = *s;
		out[count].p_offset = off;
		out[count].p_align = PAGE_LEN;
		off += s->p_filesz;
		count++;
	}
	const unsigned load_count = count;

	for (unsigned i = 0; i < PART_COUNT; i++) {
		off = round_up(off, PAGE_LEN);
		part[i].file_off = off;
		out[count++] = (Elf64_Phdr){
			.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = off,
			.p_vaddr = part[i].pa, .p_paddr = part[i].pa,
			.p_filesz = part[i].len,
			.p_memsz = round_up(part[i].len, PAGE_LEN),
			.p_align = PAGE_LEN,
		};
		off += part[i].len;
	}
	for (unsigned i = 0; i < boot->header->e_phnum; i++) {
		const Elf64_Phdr *s = &boot->segments[i];

		if (s->p_type != PT_NOTE)
			continue;
		out[count] = *s;
		out[count++].p_offset = moved_off(boot, out, load_count,
		    s->p_offset, s->p_filesz);
	}
	return count;
}

/* Returns the file offset reached. */
static uint64_t write_boot(FILE *out, const struct boot *boot,
    const Elf64_Phdr *segments, unsigned count)
{
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
		    ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_entry = boot->header->e_entry,
		.e_phoff = sizeof header, .e_ehsize = sizeof header,
		.e_phentsize = sizeof *segments, .e_phnum = (uint16_t)count,
	};
	uint64_t off = sizeof header + count * sizeof *segments;
	unsigned k = 0;

	write_bytes(out, &header, sizeof header);
	write_bytes(out, segments, count * sizeof *segments);
	for (unsigned i = 0; i < boot->header->e_phnum; i++) {
		const Elf64_Phdr *s = &boot->segments[i];

		if (s->p_type != PT_LOAD)
			continue;
		write_padding(out, &off, segments[k++].p_offset);
		write_bytes(out, boot->bytes + s->p_offset, s->p_filesz);
		off += s->p_filesz;
	}
	return off;
}

static void fill_table(struct boot *boot, const struct plan *plan)
{
	const struct part *part = plan->part;
	struct image_table table = {
		.magic = IMAGE_MAGIC,
		.version = IMAGE_VERSION,
		.end_pa = part[2].pa + round_up(part[2].len, PAGE_LEN),
		.kernel = { part[0].pa, part[0].len },
		.server = { part[1].pa, part[1].len },
		.rom = { part[2].pa, part[2].len },
	};
	br_sha256_context hash;

	strncpy(table.version_text, plan->version, IMAGE_VERSION_CAP - 1);
	br_sha256_init(&hash);
	br_sha256_update(&hash, table.version_text, IMAGE_VERSION_CAP);
	for (unsigned i = 0; i < PART_COUNT; i++)
		hash_part(&hash, &part[i]);
	br_sha256_out(&hash, table.sha256);
	memcpy(boot->bytes + boot->table_off, &table, sizeof table);

	for (unsigned i = 0; i < IMAGE_SHA256_LEN; i++)
		printf("%02x", table.sha256[i]);
	putchar('\n');
}

static void write_image(const struct plan *plan, const struct boot *boot)
{
	struct part part[PART_COUNT];
	Elf64_Phdr segments[2 * SEGMENTS_CAP] = { 0 };
	FILE *out;

	memcpy(part, plan->part, sizeof part);
	const unsigned count = plan_segments(boot, part, segments);

	if (snprintf(unfinished, sizeof unfinished, "%s.new",
	    plan->out_path) >= (int)sizeof unfinished)
		fail("%s: name too long", plan->out_path);
	out = fopen(unfinished, "wb");
	if (out == NULL)
		fail("cannot write %s: %s", unfinished, strerror(errno));
	uint64_t off = write_boot(out, boot, segments, count);
	for (unsigned i = 0; i < PART_COUNT; i++) {
		write_padding(out, &off, part[i].file_off);
		copy_part(out, &part[i]);
		off += part[i].len;
	}
	if (fclose(out) != 0 || rename(unfinished, plan->out_path) != 0)
		fail("cannot write %s: %s", plan->out_path, strerror(errno));
}

/* ---- Command line ---------------------------------------------------------- */

static void parse_arguments(struct plan *plan, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = {
		{ "--boot", &plan->boot_path },
		{ "--kernel", &plan->part[0].path },
		{ "--server", &plan->part[1].path },
		{ "--rom", &plan->part[2].path },
		{ "--version", &plan->version },
		{ "-o", &plan->out_path },
	};

	for (int a = 1; a < argc; a += 2) {
		unsigned i = 0;

		while (i < ARRAY_LEN(options) &&
		    strcmp(argv[a], options[i].name) != 0)
			i++;
		if (i == ARRAY_LEN(options) || a + 1 == argc)
			fail("bad argument: %s", argv[a]);
		*options[i].value = argv[a + 1];
	}
	for (unsigned i = 0; i < ARRAY_LEN(options); i++)
		if (*options[i].value == NULL)
			fail("%s is missing", options[i].name);
	if (strlen(plan->version) >= IMAGE_VERSION_CAP)
		fail("--version: more than %d bytes", IMAGE_VERSION_CAP - 1);
}

int main(int argc, char **argv)
{
	struct plan plan = {
		.part = { { .name = "kernel" }, { .name = "server" },
		    { .name = "site" } },
	};
	struct boot boot = { 0 };

	parse_arguments(&plan, argc, argv);
	load_boot(&boot, plan.boot_path);
	for (unsigned i = 0; i < PART_COUNT; i++) {
		struct part *part = &plan.part[i];

		part->file = open_input(part->path, &part->len);
		if (part->len == 0)
			fail("%s is empty", part->path);
	}
	place_parts(plan.part, boot.end_pa);
	fill_table(&boot, &plan);
	write_image(&plan, &boot);
	return 0;
}
