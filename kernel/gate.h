/*
 * The gate: everything the server (ring 3) may ask of the machine.
 *
 * Error policy, for all calls.  A call checks every argument before it changes
 * anything; a refused call has changed nothing and says which kind of mistake was
 * made.  Each address the server passes must lie, with its whole length, inside
 * memory that is the server's own (its image, its pool memory, its receive
 * buffers, its stack) or, where a call says so, inside the ROM.  The kernel
 * never reads what the bytes mean: only counts, lengths, offsets, addresses.
 *
 * There are three bodies behind this header: the kernel (reached by SYSCALL),
 * a Linux process (kernel/host/), and the fuzz harness (fuzz/).
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"

#define GATE_VERSION 2

enum gate_status {
	GATE_OK = 0,
	GATE_BAD_CALL,   /* no call has this number */
	GATE_BAD_RANGE,  /* an address or length reaches outside what is allowed */
	GATE_BAD_VALUE,  /* a count, offset, index or enum is out of its range */
	GATE_FAILED,     /* gate_sign() only: there is no signature, and no reason is given */
};

enum gate_call {
	GATE_CALL_NET = 1,
	GATE_CALL_WAIT = 2,
	GATE_CALL_SIGN = 3,
	GATE_CALL_RANDOM = 4,
	GATE_CALL_LOG = 5,
	GATE_CALL_STOP = 6,
};

/* ---- What the server finds at its start --------------------------------- */

#define GATE_CMDLINE_CAP 2048
#define GATE_PHASES_CAP 12
#define GATE_KEEP_LEN 4096

/* What the NIC can do for us (bits of gate_info.nic_features). */
#define GATE_NIC_CSUM_TX (1u << 0)  /* completes checksums of frames sent */
#define GATE_NIC_CSUM_RX (1u << 1)  /* may vouch for checksums of frames received */
#define GATE_NIC_TSO4    (1u << 2)  /* cuts TCP over IPv4 into segments */
#define GATE_NIC_TSO6    (1u << 3)  /* cuts TCP over IPv6 into segments */

/*
 * The clock, refreshed by the kernel in every gate_wait() and read without a call:
 *   now_ns = ns_base + (((rdtsc - tsc_base) * mult) >> shift)
 * with a 128-bit product.  now_ns counts from the boot of the VM and never goes
 * back; wall_ns is the Unix time, in ns, at now_ns = 0 (UTC, no leap seconds), or 0
 * when the machine does not know the time of day.
 */
struct gate_clock {
	uint64_t tsc_base;
	uint64_t ns_base;
	uint64_t wall_ns;
	uint32_t mult;
	uint32_t shift;       /* 0..63 */
};

/* One bar of the boot chart: the phase and when it ended, ns since first instruction. */
struct gate_phase {
	char name[16];        /* NUL-terminated */
	uint64_t end_ns;
};

/*
 * Mapped read-only in the server; its address is the argument of
 * server_main().  Lives as long as the server.  `clock` changes, the rest not.
 */
struct gate_info {
	struct gate_clock clock;
	uint32_t version;     /* GATE_VERSION */
	uint32_t nic_features;
	uint8_t mac[6];
	uint16_t mtu;         /* IP bytes in a frame, 576..1500 */
	uint16_t rx_count;    /* receive buffers */
	uint16_t rx_size;     /* bytes of each; buffer i is at rx_base + i * rx_size */
	uint32_t restarts;    /* crashes of the server since the VM's boot */
	uint8_t *rx_base;     /* read-write */
	const uint8_t *rom;   /* the site's image (romfs), read-only */
	uint64_t rom_len;
	uint8_t *pool;        /* read-write memory for the server's pools; contents undefined */
	uint64_t pool_len;
	/*
	 * GATE_KEEP_LEN bytes, read-write, zero at the VM's boot, and the one thing
	 * that outlives a crash of the server (the kernel zeroes it when crashes
	 * follow each other quickly).  Whoever reads it checks it.
	 */
	uint8_t *keep;
	/*
	 * The public part of the instance bundle (config/bundle.h), read-only, whole
	 * pages; NULL and 0 without a bundle.  The kernel has checked where it lies,
	 * not what is in it.
	 */
	const uint8_t *bundle;
	uint64_t bundle_len;
	uint32_t key_count;      /* keys that gate_sign() knows, 0..LIMIT_KEYS */
	uint32_t zero;
	uint16_t key_kind[LIMIT_KEYS];   /* enum bundle_key_kind */
	uint16_t key_bits[LIMIT_KEYS];   /* 256, 384, or the length of the RSA modulus */
	uint8_t image_sha256[32];
	uint32_t phase_count;
	uint32_t cmdline_len;
	struct gate_phase phases[GATE_PHASES_CAP];
	/* The bundle's settings, a blank, the command line: the last of equal words wins. */
	char cmdline[GATE_CMDLINE_CAP];  /* NUL-terminated */
	char version_text[32];           /* "0.1.0", NUL-terminated */
	char machine[32];                /* "pvh, virtio-net pci", NUL-terminated */
};

/* ---- Network ------------------------------------------------------------ */

#define GATE_TX_BATCH 64       /* frames submitted in one call at most */
#define GATE_SLICE_BATCH 256   /* slices of all these frames together at most */
#define GATE_FRAME_SLICES 32   /* slices of one frame at most */
#define GATE_RX_BATCH 64       /* frames handed over in one call at most */
#define GATE_DONE_BATCH 256    /* completions reported in one call at most */
#define GATE_GIVE_BATCH 256    /* receive buffers given back in one call at most */
#define GATE_FRAME_MIN 14      /* an Ethernet header */
#define GATE_FRAME_MAX 65550   /* a TSO frame: Ethernet header + 64 KiB of IP */

enum gate_offload {
	GATE_TX_PLAIN = 0,     /* send as it is */
	GATE_TX_CSUM,          /* fill in the checksum at csum_start + csum_offset */
	GATE_TX_TSO4,          /* checksum and cut into gso_size payloads, IPv4 */
	GATE_TX_TSO6,          /* the same, IPv6 */
};

/* Part of a frame: in the server's own memory or in the ROM; len at least 1. */
struct gate_slice {
	const void *addr;
	uint32_t len;
	uint32_t zero;         /* must be 0 */
};

/*
 * One frame to send: slices [first_slice, first_slice + slice_count), in order,
 * starting with the Ethernet header.  They stay untouched by the server until
 * `cookie` comes back in gate_net.done.
 */
struct gate_tx {
	uint16_t first_slice;
	uint16_t slice_count;  /* 1..GATE_FRAME_SLICES */
	uint16_t cookie;       /* the server's name for the frame; any value */
	uint16_t offload;      /* enum gate_offload; what the NIC cannot do is GATE_BAD_VALUE */
	/* For offloads: Virtio 1.2, section 5.1.6.2; offsets from the frame's first byte. */
	uint16_t csum_start;   /* first byte summed */
	uint16_t csum_offset;  /* from there, where the sum is put */
	uint16_t gso_size;     /* TSO: payload bytes per segment, at least 256 */
	uint16_t header_len;   /* TSO: Ethernet + IP + TCP header, all in the first slice */
};

enum gate_rx_csum {
	GATE_RX_UNCHECKED = 0, /* the server sums for itself */
	GATE_RX_VOUCHED,       /* the NIC found the transport checksum right, or it never left the host */
};

/* One received frame: `len` bytes at rx_base + buffer * rx_size + off. */
struct gate_rx {
	uint16_t buffer;       /* the server's until it gives it back */
	uint16_t off;
	uint16_t len;
	uint16_t csum;         /* enum gate_rx_csum */
};

/* Argument block of gate_net(); lies in the server's memory. */
struct gate_net {
	/* in: */
	uint16_t tx_count;     /* frames in tx[], 0..GATE_TX_BATCH */
	uint16_t slice_count;  /* slices in slices[], 0..GATE_SLICE_BATCH */
	uint16_t give_count;   /* buffers in give[], 0..GATE_GIVE_BATCH */
	/* out: */
	uint16_t tx_taken;     /* the first so many of tx[] were queued; the NIC is full for the rest */
	uint16_t rx_count;     /* frames in rx[] */
	uint16_t done_count;   /* cookies in done[], frames the NIC has sent */
	uint16_t more;         /* 1: further received frames are waiting, call again */
	uint16_t zero;
	struct gate_tx tx[GATE_TX_BATCH];            /* in */
	struct gate_slice slices[GATE_SLICE_BATCH];  /* in */
	uint16_t give[GATE_GIVE_BATCH];              /* in: receive buffers given back */
	struct gate_rx rx[GATE_RX_BATCH];            /* out */
	uint16_t done[GATE_DONE_BATCH];              /* out */
};

/*
 * Submit frames, give back receive buffers, collect received frames and
 * completions; rings the device's doorbell at most once.
 *
 * Errors  GATE_BAD_RANGE for a slice outside the server's memory and the ROM, or a
 *         block outside the server's memory; GATE_BAD_VALUE for anything else out
 *         of the ranges above, a give[] entry that is not the server's to give, or
 *         a frame shorter than GATE_FRAME_MIN or longer than GATE_FRAME_MAX.
 *         A refused call has sent and returned nothing.
 */
MUST_USE enum gate_status gate_net(struct gate_net *net);

/* ---- Time, randomness, console, end -------------------------------------- */

#define GATE_WOKE_NET  (1u << 0)  /* a frame or completion may be waiting */
#define GATE_WOKE_TIME (1u << 1)  /* the deadline has passed */
#define GATE_WOKE_STOP (1u << 2)  /* the operator wants the VM to stop: finish soon, then gate_stop() */

/*
 * Sleep until a frame arrives, the deadline (gate clock, ns; 0 = look and return
 * at once) passes, or the operator asks for a stop.  May return early.
 *
 * woke    receives the reasons, GATE_WOKE_*; STOP stays set once it was seen
 * Errors  GATE_BAD_RANGE
 */
MUST_USE enum gate_status gate_wait(uint64_t deadline_ns, uint32_t *woke);

#define GATE_RANDOM_MAX 256

/*
 * Fill buf with len (1..GATE_RANDOM_MAX) bytes of the kernel's seeded generator.
 * Errors  GATE_BAD_RANGE, GATE_BAD_VALUE for a length out of range
 */
MUST_USE enum gate_status gate_random(void *buf, size_t len);

#define GATE_LOG_MAX 1024

/*
 * Append len (1..GATE_LOG_MAX) bytes to the console.  Control bytes other than
 * '\n' are shown as '?'.  Never waits: when the console is slower than the
 * server, whole calls are dropped and the kernel prints how many.
 * Errors  GATE_BAD_RANGE, GATE_BAD_VALUE for a length out of range
 */
MUST_USE enum gate_status gate_log(const void *text, size_t len);

/* ---- Signatures ----------------------------------------------------------- */

#define GATE_DIGEST_MAX 64
#define GATE_SIGNATURE_MAX 512

/* What to make; each fits one kind of key and takes a digest of exactly one length. */
enum gate_sign_algorithm {
	GATE_SIGN_ECDSA_SHA256 = 1,      /* r and s, each as long as the curve's order */
	GATE_SIGN_ECDSA_SHA384,
	GATE_SIGN_ECDSA_SHA512,
	GATE_SIGN_RSA_PKCS1_SHA256,      /* RFC 8017, section 8.2; as long as the modulus */
	GATE_SIGN_RSA_PKCS1_SHA384,
	GATE_SIGN_RSA_PKCS1_SHA512,
	GATE_SIGN_RSA_PSS_SHA256,        /* RFC 8017, section 8.1; salt as long as the digest */
	GATE_SIGN_RSA_PSS_SHA384,
	GATE_SIGN_RSA_PSS_SHA512,
};

/* Argument block of gate_sign(); lies in the server's memory. */
struct gate_sign {
	uint32_t key;            /* in: 0..key_count - 1 */
	uint32_t algorithm;      /* in: enum gate_sign_algorithm */
	uint32_t digest_len;     /* in: 32, 48 or 64, as the algorithm says */
	uint32_t signature_len;  /* out */
	uint8_t digest[GATE_DIGEST_MAX];        /* in; bytes after digest_len are ignored */
	uint8_t signature[GATE_SIGNATURE_MAX];  /* out */
};

/*
 * Sign a digest with a private key that only the kernel has.  Time does not depend
 * on the key's bits or the digest.  ECDSA nonces follow RFC 6979.
 *
 * Errors  GATE_BAD_RANGE; GATE_BAD_VALUE for a key that is not there, an algorithm
 *         that is unknown or for another kind of key, a digest of another length;
 *         GATE_FAILED when the finished signature did not verify (a hardware
 *         fault: a wrong one could betray the key).  The block is unchanged then.
 */
MUST_USE enum gate_status gate_sign(struct gate_sign *sign);

enum gate_stop {
	GATE_STOP_POWER_OFF = 0,
	GATE_STOP_REBOOT,
	GATE_STOP_FAULT,       /* the server found itself wrong: counts as a crash, text says where */
	GATE_STOP_REFUSED,     /* the server cannot serve this image or these settings: text says why; power off */
};

/*
 * End: never returns on GATE_OK.  text is printed first (0..GATE_LOG_MAX bytes).
 * Errors  GATE_BAD_RANGE, GATE_BAD_VALUE
 */
MUST_USE enum gate_status gate_stop(enum gate_stop how, const char *text, size_t len);

/* The server's first function, called by its body once per (re)start. */
NORETURN void server_main(const struct gate_info *info);

/* Nanoseconds since boot, from the clock page and the TSC; no call. */
static inline uint64_t gate_now_ns(const struct gate_info *info)
{
	const volatile struct gate_clock *c = &info->clock;
	const uint64_t delta = __builtin_ia32_rdtsc() - c->tsc_base;

	return c->ns_base +
	    (uint64_t)(((unsigned __int128)delta * c->mult) >> c->shift);
}

_Static_assert(sizeof(struct gate_slice) == 16, "slice layout is the same on both sides");
_Static_assert(sizeof(struct gate_tx) == 16, "frame layout is the same on both sides");
_Static_assert(sizeof(struct gate_rx) == 8, "receive layout is the same on both sides");
