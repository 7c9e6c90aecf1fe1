/*
 * The gate as a Linux process: the same server, for development, sanitizers and
 * profiling.  It refuses the same calls as the kernel, by the same code
 * (kernel/gate_check.c), takes the same instance bundle and signs by the same vault.
 * What differs: there is no ring 0 to protect, so the keys lie in the server's own
 * address space and whoever takes it over has them; a fault ends the process, and a
 * call that the kernel would refuse is reported by the server's own panic.
 */
#include "kernel/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/limits.h"
#include "kernel/bundle.h"
#include "kernel/gate_check.h"
#include "kernel/host/link.h"
#include "kernel/random.h"
#include "kernel/vault.h"

/*
 * Where a frame begins in its buffer: the IP header behind it is then aligned.
 */
#define FRAME_OFF 2
#define CALIBRATE_NS 5000000u

#define ALL_RIGHTS (GATE_RANGE_READ | GATE_RANGE_WRITE | GATE_RANGE_SEND)

static struct gate_info info;
static struct gate_range range_list[6];
static struct gate_ranges ranges = { range_list, 0 };
static struct link *link_;

static uint16_t rx_free[LIMIT_RX_BUFFERS];
static size_t rx_free_count;
static bool rx_with_server[LIMIT_RX_BUFFERS];

static volatile sig_atomic_t stop_asked;
static uint64_t start_ns;

NORETURN void host_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	fputs("stele: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- Clock --------------------------------------------------------------- */

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Set the clock right again; it never goes back. */
static void refresh_clock(void)
{
	const uint64_t shown = gate_now_ns(&info);
	const uint64_t right = monotonic_ns() - start_ns;

	info.clock.tsc_base = __builtin_ia32_rdtsc();
	info.clock.ns_base = right > shown ? right : shown;
}

static void start_clock(void)
{
	const uint64_t tsc = __builtin_ia32_rdtsc();
	struct timespec wall;
	uint64_t ns;

	start_ns = monotonic_ns();
	do
		ns = monotonic_ns() - start_ns;
	while (ns < CALIBRATE_NS);
	/* mult / 2^shift nanoseconds a tick; no TSC is slower than 1 MHz. */
	info.clock.shift = 22;
	info.clock.mult =
	    (uint32_t)((ns << info.clock.shift) / (__builtin_ia32_rdtsc() - tsc));
	info.clock.tsc_base = tsc;
	clock_gettime(CLOCK_REALTIME, &wall);
	info.clock.wall_ns = (uint64_t)wall.tv_sec * 1000000000u +
	    (uint64_t)wall.tv_nsec - (monotonic_ns() - start_ns);
}

/* ---- Calls --------------------------------------------------------------- */

static bool server_has(const void *at, size_t len, uint32_t rights)
{
	return gate_find_range(&ranges, (uint64_t)(uintptr_t)at, len,
	    rights) != NULL;
}

static enum gate_status check_net(const struct gate_net *net)
{
	static uint64_t unused[GATE_SLICE_BATCH];
	static bool seen[LIMIT_RX_BUFFERS];
	enum gate_status status;

	if (!server_has(net, sizeof *net, GATE_RANGE_READ | GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	status = gate_check_counts(net);
	for (size_t i = 0; i < net->tx_count && status == GATE_OK; i++)
		status = gate_check_frame(&net->tx[i], net->slices,
		    net->slice_count, &ranges, info.nic_features, unused);
	if (status != GATE_OK)
		return status;

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < net->give_count; i++) {
		const uint16_t buffer = net->give[i];

		if (buffer >= info.rx_count || !rx_with_server[buffer] ||
		    seen[buffer])
			return GATE_BAD_VALUE;
		seen[buffer] = true;
	}
	return GATE_OK;
}

static void receive_frames(struct gate_net *net)
{
	net->rx_count = 0;
	net->more = 0;
	while (rx_free_count > 0) {
		const uint16_t buffer = rx_free[rx_free_count - 1];
		uint8_t *at = info.rx_base + buffer * info.rx_size + FRAME_OFF;
		uint16_t csum;
		size_t len;

		if (net->rx_count == GATE_RX_BATCH) {
			net->more = 1;
			return;
		}
		len = link_->receive(link_, at, info.rx_size - FRAME_OFF, &csum);
		if (len == 0)
			return;
		rx_free_count--;
		rx_with_server[buffer] = true;
		net->rx[net->rx_count++] = (struct gate_rx){
			.buffer = buffer,
			.off = FRAME_OFF,
			.len = (uint16_t)len,
			.csum = csum,
		};
	}
}

enum gate_status gate_net(struct gate_net *net)
{
	const enum gate_status status = check_net(net);

	if (status != GATE_OK)
		return status;
	refresh_clock();
	for (size_t i = 0; i < net->give_count; i++) {
		rx_with_server[net->give[i]] = false;
		rx_free[rx_free_count++] = net->give[i];
	}
	net->tx_taken = 0;
	net->done_count = 0;
	while (net->tx_taken < net->tx_count) {
		const struct gate_tx *tx = &net->tx[net->tx_taken];

		if (!link_->send(link_, tx, net->slices))
			break;
		net->tx_taken++;
		net->done[net->done_count++] = tx->cookie;
	}
	receive_frames(net);
	return GATE_OK;
}

static void on_stop_signal(int number)
{
	(void)number;
	stop_asked = 1;
}

enum gate_status gate_wait(uint64_t deadline_ns, uint32_t *woke)
{
	struct pollfd fd = { .fd = link_->fd, .events = POLLIN };
	uint64_t now, left;
	struct timespec timeout;
	sigset_t none;
	int ready;

	if (!server_has(woke, sizeof *woke, GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	refresh_clock();
	now = gate_now_ns(&info);
	left = deadline_ns > now ? deadline_ns - now : 0;
	timeout.tv_sec = (time_t)(left / 1000000000u);
	timeout.tv_nsec = (long)(left % 1000000000u);
	/*
	 * Stop signals are blocked but here: none can slip in before the sleep.
	 */
	sigemptyset(&none);
	ready = ppoll(&fd, 1, stop_asked ? &(struct timespec){ 0 } : &timeout,
	    &none);

	*woke = ready > 0 ? GATE_WOKE_NET : 0;
	if (gate_now_ns(&info) >= deadline_ns)
		*woke |= GATE_WOKE_TIME;
	if (stop_asked)
		*woke |= GATE_WOKE_STOP;
	refresh_clock();
	return GATE_OK;
}

/* For the vault and the server; Linux is the generator. */
void random_fill(void *buf, size_t len)
{
	/* Up to 256 bytes come whole and uninterrupted: getrandom(2). */
	ASSERT(len <= GATE_RANDOM_MAX);
	if (getrandom(buf, len, 0) != (ssize_t)len)
		host_fail("getrandom: %s", strerror(errno));
}

enum gate_status gate_random(void *buf, size_t len)
{
	if (len == 0 || len > GATE_RANDOM_MAX)
		return GATE_BAD_VALUE;
	if (!server_has(buf, len, GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	random_fill(buf, len);
	return GATE_OK;
}

/* Copied in and out as the kernel does, so that a refused block stays as it is. */
enum gate_status gate_sign(struct gate_sign *sign)
{
	struct gate_sign copy;
	enum gate_status status;

	if (!server_has(sign, sizeof *sign, GATE_RANGE_READ | GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	copy = *sign;
	status = gate_check_sign(&copy, &info);
	if (status == GATE_OK)
		status = vault_sign(&copy);
	if (status == GATE_OK)
		*sign = copy;
	return status;
}

static void print(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		putchar((c < 0x20 && c != '\n') || c == 0x7f ? '?' : c);
	}
	fflush(stdout);
}

enum gate_status gate_log(const void *text, size_t len)
{
	if (len == 0 || len > GATE_LOG_MAX)
		return GATE_BAD_VALUE;
	if (!server_has(text, len, GATE_RANGE_READ))
		return GATE_BAD_RANGE;
	print(text, len);
	return GATE_OK;
}

enum gate_status gate_stop(enum gate_stop how, const char *text, size_t len)
{
	if (how > GATE_STOP_REFUSED || len > GATE_LOG_MAX)
		return GATE_BAD_VALUE;
	if (len > 0 && !server_has(text, len, GATE_RANGE_READ))
		return GATE_BAD_RANGE;
	if (len > 0) {
		print(text, len);
		print("\n", 1);
	}
	if (how == GATE_STOP_FAULT)
		abort();
	exit(how == GATE_STOP_REFUSED ? 1 : 0);
}

/* ---- Start --------------------------------------------------------------- */

static void add_range(const void *start, size_t len, uint32_t rights)
{
	ASSERT(ranges.count < ARRAY_LEN(range_list));
	range_list[ranges.count++] = (struct gate_range){
		.start = (uint64_t)(uintptr_t)start, .len = len, .rights = rights,
	};
}

static uint8_t *map_memory(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		host_fail("%zu bytes of memory: %s", len, strerror(errno));
	add_range(at, len, ALL_RIGHTS);
	return at;
}

static void map_rom(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st) < 0)
		host_fail("%s: %s", path, strerror(errno));
	if (st.st_size == 0)
		host_fail("%s: the file is empty", path);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		host_fail("%s: %s", path, strerror(errno));
	close(fd);
	info.rom = at;
	info.rom_len = (uint64_t)st.st_size;
	add_range(at, (size_t)st.st_size, GATE_RANGE_READ | GATE_RANGE_SEND);
}

/* All of a file in memory of its own, whole pages; *len is the file's length. */
static uint8_t *read_file(const char *path, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *at;

	if (fd < 0 || fstat(fd, &st) < 0)
		host_fail("%s: %s", path, strerror(errno));
	if (st.st_size == 0 || st.st_size > LIMIT_BUNDLE_LEN)
		host_fail("%s: an instance bundle has 1 to %u bytes", path,
		    LIMIT_BUNDLE_LEN);
	*len = (size_t)st.st_size;
	at = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (at == MAP_FAILED)
		host_fail("%zu bytes of memory: %s", *len, strerror(errno));
	if (read(fd, at, *len) != st.st_size)
		host_fail("%s: cannot be read to its end", path);
	close(fd);
	return at;
}

/* The same checks and the same order as in the kernel: see kernel/main.c, server.c. */
static void open_bundle(const char *path)
{
	const struct bundle_header *header;
	const char *why;
	uint8_t *bundle;
	size_t len;

	bundle = read_file(path, &len);
	why = bundle_check(bundle, len);
	if (why == NULL)
		why = bundle_put_settings(bundle, info.cmdline, sizeof info.cmdline);
	if (why != NULL)
		host_fail("%s: %s", path, why);
	if (mprotect(bundle, len, PROT_READ) < 0)
		host_fail("mprotect: %s", strerror(errno));
	info.cmdline_len = (uint32_t)strlen(info.cmdline);
	header = (const void *)bundle;
	info.bundle = bundle + header->public_off;
	info.bundle_len = header->public_len;
	add_range(info.bundle, header->public_len, GATE_RANGE_READ);
	vault_open((const void *)(bundle + header->secret_off), header->key_count);
	vault_describe(&info);
}

/* The program itself and its stack. */
static void add_own_ranges(void)
{
	extern char __executable_start[], _end[];
	pthread_attr_t attr;
	void *stack;
	size_t len;

	add_range(__executable_start, (size_t)(_end - __executable_start),
	    ALL_RIGHTS);
	if (pthread_getattr_np(pthread_self(), &attr) != 0 ||
	    pthread_attr_getstack(&attr, &stack, &len) != 0)
		host_fail("cannot find my own stack");
	pthread_attr_destroy(&attr);
	add_range(stack, len, ALL_RIGHTS);
}

static void start_memory(size_t pool_mib)
{
	static uint8_t keep[GATE_KEEP_LEN];

	info.rx_count = LIMIT_RX_BUFFERS;
	info.rx_size = LIMIT_RX_BUFFER_LEN;
	info.rx_base = map_memory((size_t)info.rx_count * info.rx_size);
	for (uint16_t i = 0; i < info.rx_count; i++)
		rx_free[rx_free_count++] = i;
	info.pool_len = pool_mib << 20;
	info.pool = map_memory(info.pool_len);
	info.keep = keep;
}

static void start_signals(void)
{
	const struct sigaction action = { .sa_handler = on_stop_signal };
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigprocmask(SIG_BLOCK, &stops, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

NORETURN static void usage(void)
{
	host_fail("usage: stele-process --rom FILE (--passt SOCKET | --tap NAME)\n"
	    "    [--instance FILE] [--append WORDS] [--memory MiB] [--mac XX:XX:XX:XX:XX:XX]");
}

static void set_mac(const char *text)
{
	char excess;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &info.mac[0],
	        &info.mac[1], &info.mac[2], &info.mac[3], &info.mac[4],
	        &info.mac[5], &excess) != 6 || (info.mac[0] & 1) != 0)
		host_fail("%s: not the address of one interface", text);
}

static void set_cmdline(const char *text)
{
	info.cmdline_len = (uint32_t)strlen(text);
	if (info.cmdline_len >= sizeof info.cmdline)
		host_fail("--append is longer than %zu bytes",
		    sizeof info.cmdline - 1);
	memcpy(info.cmdline, text, info.cmdline_len);
}

static size_t read_mib(const char *text)
{
	char *end;
	const unsigned long mib = strtoul(text, &end, 10);

	if (*end != '\0' || mib < 1 || mib > 4096)
		host_fail("--memory %s: not 1 to 4096 MiB", text);
	return mib;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rom", required_argument, NULL, 'r' },
		{ "passt", required_argument, NULL, 'p' },
		{ "tap", required_argument, NULL, 't' },
		{ "instance", required_argument, NULL, 'i' },
		{ "append", required_argument, NULL, 'a' },
		{ "memory", required_argument, NULL, 'm' },
		{ "mac", required_argument, NULL, 'M' },
		{ 0 },
	};
	const char *rom = NULL, *passt = NULL, *tap = NULL, *instance = NULL;
	size_t pool_mib = 48;
	int option;

	set_mac("52:54:00:12:34:56");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r': rom = optarg; break;
		case 'p': passt = optarg; break;
		case 't': tap = optarg; break;
		case 'i': instance = optarg; break;
		case 'a': set_cmdline(optarg); break;
		case 'm': pool_mib = read_mib(optarg); break;
		case 'M': set_mac(optarg); break;
		default: usage();
		}
	}
	if (optind != argc || rom == NULL || (passt == NULL) == (tap == NULL))
		usage();

	start_clock();
	start_signals();
	add_own_ranges();
	map_rom(rom);
	if (instance != NULL)
		open_bundle(instance);
	start_memory(pool_mib);
	link_ = passt != NULL ? link_open_passt(passt) : link_open_tap(tap);
	info.version = GATE_VERSION;
	info.nic_features = link_->nic_features;
	info.mtu = 1500;
	info.phase_count = 1;
	snprintf(info.phases[0].name, sizeof info.phases[0].name, "process");
	info.phases[0].end_ns = gate_now_ns(&info);
	snprintf(info.version_text, sizeof info.version_text, "process");
	snprintf(info.machine, sizeof info.machine, "Linux, %.20s", link_->name);
	server_main(&info);
}
