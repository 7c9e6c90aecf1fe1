/*
 * A plugin for QEMU's TCG that counts what the guest executes.
 *
 *   -plugin insn.so,out=FILE,entry=ADDRESS[,blocks=on]
 *
 * FILE is mapped and holds live counters (struct counters) for whoever maps it too.
 * Counted is by translated block, at its start: exact but for blocks that an
 * exception leaves half way.  QEMU executes one repetition of a string instruction
 * as one instruction, and so do these counts.
 *
 * The plugin never changes what the guest does; only its speed.  One CPU only: the
 * counters are not atomic.
 *
 * QEMU's plugin interface, version 1 (QEMU 7.2, include/qemu/qemu-plugin.h), is
 * declared here as far as it is used, because Debian has no package with the header.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* ---- QEMU's side --------------------------------------------------------- */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translated_function)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_function)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
    translated_function);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *,
    executed_function, enum qemu_plugin_cb_flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *,
    enum qemu_plugin_op, void *counter, uint64_t add);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(qemu_plugin_id_t, const void *info, int argc,
    char **argv);

int qemu_plugin_version = 1;

/* ---- What is counted (tests/bench/counters.py reads it) ------------------- */

#define BLOCKS_CAP (1u << 18)
#define HASH_CAP (1u << 20)
#define LOW_END 0x100000000ULL

/* Where a block's address lies: which ring, in the layout of our image. */
enum region {
	REGION_LOW,      /* below 4 GiB: firmware and boot/ */
	REGION_LOWER,    /* the rest of the lower half: ring 3 */
	REGION_UPPER,    /* the upper half: ring 0 */
	REGION_COUNT,
};

struct block {
	uint64_t address;
	uint64_t insns;
	uint64_t count;  /* times executed */
};

struct counters {
	uint64_t insns[REGION_COUNT];  /* since power-on */
	uint64_t at_entry[REGION_COUNT]; /* what insns was at the first `entry` */
	uint64_t entered;              /* 1 once `entry` was executed */
	uint64_t block_count;          /* blocks[] in use, in order of translation */
	struct block blocks[BLOCKS_CAP]; /* with blocks=on */
};

static struct counters *counters;
static uint64_t entry;
static bool with_blocks;
static uint32_t hash[HASH_CAP];  /* block index + 1, 0 if free */

/*
 * The block's place.  QEMU translates a block again after it threw its
 * translations away; address and length make it the same one.
 */
static struct block *find_block(uint64_t address, uint64_t insns)
{
	uint64_t at = (address * 31 + insns) * 0x9e3779b97f4a7c15ULL >> 44;

	for (; hash[at] != 0; at = (at + 1) % HASH_CAP) {
		struct block *b = &counters->blocks[hash[at] - 1];

		if (b->address == address && b->insns == insns)
			return b;
	}
	if (counters->block_count == BLOCKS_CAP) {
		fprintf(stderr, "insn: more than %u blocks\n", BLOCKS_CAP);
		exit(1);
	}
	hash[at] = (uint32_t)++counters->block_count;
	struct block *b = &counters->blocks[hash[at] - 1];

	*b = (struct block){ .address = address, .insns = insns };
	return b;
}

static enum region region_of(uint64_t address)
{
	if (address >> 63)
		return REGION_UPPER;
	return address < LOW_END ? REGION_LOW : REGION_LOWER;
}

/* Runs before the block's own instructions are added. */
static void entered(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (counters->entered)
		return;
	memcpy(counters->at_entry, counters->insns, sizeof counters->insns);
	counters->entered = 1;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const uint64_t address = qemu_plugin_tb_vaddr(tb);
	const uint64_t insns = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (address == entry)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, entered,
		    QEMU_PLUGIN_CB_NO_REGS, NULL);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
	    &counters->insns[region_of(address)], insns);
	if (with_blocks)
		qemu_plugin_register_vcpu_tb_exec_inline(tb,
		    QEMU_PLUGIN_INLINE_ADD_U64,
		    &find_block(address, insns)->count, 1);
}

static bool map_counters(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || ftruncate(fd, sizeof *counters) != 0) {
		perror(path);
		return false;
	}
	counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	return counters != MAP_FAILED;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
    char **argv)
{
	const char *out = NULL;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = argv[i] + 4;
		else if (strncmp(argv[i], "entry=", 6) == 0)
			entry = strtoull(argv[i] + 6, NULL, 0);
		else
			with_blocks = strcmp(argv[i], "blocks=on") == 0;
	}
	if (out == NULL || entry == 0) {
		fprintf(stderr, "insn: needs out=FILE and entry=ADDRESS\n");
		return -1;
	}
	if (!map_counters(out))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
