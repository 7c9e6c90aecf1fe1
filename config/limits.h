/*
 * Every limit, its reason, and what a client or an operator sees when it is
 * reached.  One page, so that a reviewer sees all bounds at once.
 */
#pragma once

/* ---- Memory -------------------------------------------------------------- */

/*
 * Receive buffers the NIC may fill.  Each holds the virtio header and one frame
 * of 1514 bytes.  When all wait for the server, the host queues or drops, as on
 * any NIC.  256 is a full queue of QEMU's virtio-net.
 */
#define LIMIT_RX_BUFFERS 256
#define LIMIT_RX_BUFFER_LEN 2048

/*
 * Resets of a NIC that breaks the rules, in the life of one server.  A host with a
 * passing fault needs one; a device that goes on is given up, and the VM with it.
 */
#define LIMIT_NIC_RECOVERIES 16

/*
 * virtio-mmio devices that are looked at: as many as QEMU's microvm without ACPI
 * has.  Further ones named on the command line are an error.
 */
#define LIMIT_VIRTIO_MMIO 8

/* ---- Connections --------------------------------------------------------- */

/*
 * Bytes that the layer above TCP may keep in a connection object.  Multiplied by the
 * number of connections: twice as much costs 1,000 connections 128 KiB.
 */
#define LIMIT_CONN_APP_LEN 128

/*
 * Connections at most, however much memory there is; each LIMIT_CONN_SHARE_LEN of
 * pool memory brings one: 1,024 at 8 MiB of pools (a VM of 24 MiB has about that
 * much), some 480 when there is a certificate.  One more, and the oldest idle
 * one is reset.  The stack's timers visit every connection four times a second, so
 * 10 times as many cost CPU.
 */
#define LIMIT_CONNECTIONS 4096
#define LIMIT_CONN_SHARE_LEN 8192
#define LIMIT_TLS_CONN_SHARE_LEN 16384

/*
 * Bytes received and not yet consumed, a connection: also the TCP window we offer.
 * A whole TLS record; or, once that is decrypted, the longest record behind the
 * longest request head that has not ended.  A peer that sends more waits.
 */
#define LIMIT_HOLD_LEN 24640

/*
 * One hold buffer for so many connections; only those in the middle of a record or a
 * request need one, and requests that wait for memory to be answered from (with one
 * for eight, some of those were reset when all connections downloaded at once).
 * When none is left, a client that holds one and hardly reads its answer is reset (less
 * than LIMIT_RECORD_LEN bytes in LIMIT_RECORD_MS); else the oldest request that is not
 * complete.
 */
#define LIMIT_CONNS_PER_HOLD 5

/*
 * Handshakes begun and not finished.  One more, and the oldest is forgotten; its client,
 * if there is one, is reset when it goes on.  So this many clients can connect within
 * a round trip, and a flood of so many SYNs in a round trip keeps others out.
 * Each place costs half a KiB.
 */
#define LIMIT_HALF_OPEN 1024

/*
 * Bytes under way to one client: bounds throughput to this much per round trip
 * (40 Mbit/s at 100 ms).  The bytes are in the ROM; memory goes only into headers.
 */
#define LIMIT_SEND_LEN (512u << 10)

/*
 * Payload bytes of a segment that a client can ask for at least.  Every path carries
 * more (RFC 9293, section 3.7.1: 536); at 1 byte a response would be 60 times
 * its size in headers.
 */
#define LIMIT_MSS_MIN 256

/* Buffers under way to one client: two per segment without help from the NIC. */
#define LIMIT_SEND_PBUFS 768

/* Neighbours on the link whose addresses are remembered; the oldest is forgotten first. */
#define LIMIT_NEIGHBOURS 32

/*
 * Frames handed to the NIC, or waiting for it to have room.  When all are taken the
 * stack is told so, and sends again later.
 */
#define LIMIT_TX_FRAMES 512

/* ---- TLS ----------------------------------------------------------------- */

/*
 * Private keys and certificate chains in an instance bundle: an ECDSA and an RSA one
 * for each of eight unrelated names.  mkinstance refuses more.
 */
#define LIMIT_KEYS 16
#define LIMIT_CHAINS 16

/*
 * Certificates of one chain, and their bytes together.  The server's first flight is
 * encoded into one transmit buffer, so this bounds that; four RSA 4096
 * certificates are about 6 KiB.  mkinstance refuses more.
 */
#define LIMIT_CHAIN_CERTS 8
#define LIMIT_CHAIN_LEN 12288

/* Bytes of a bundle file: all keys, and chains of ordinary length. */
#define LIMIT_BUNDLE_LEN (1u << 20)

/*
 * Handshake bytes a client may send until the handshake ends.  A ClientHello with two
 * post-quantum key shares is 3 KiB; what is longer gets decode_error.
 */
#define LIMIT_HANDSHAKE_LEN 65536

/*
 * Records without data that a client may send in a row on an open stream: empty ones,
 * warnings, refused renegotiations.  One more is unexpected_message.
 */
#define LIMIT_QUIET_RECORDS 32

/*
 * Handshakes under way: one for so many connections.  Each costs 5 KiB.  When none
 * is left, the oldest handshake is reset.
 */
#define LIMIT_CONNS_PER_HANDSHAKE 4

/*
 * Sessions that can be resumed without a signature, and for how long (ms).  The oldest
 * of eight neighbours is forgotten first.  A client that comes later does a full handshake.
 */
#define LIMIT_SESSIONS 1024
#define LIMIT_SESSION_MS (12 * 3600 * 1000u)

/*
 * Transmit buffers for encrypted records: a small one holds a record of one TCP
 * segment, a large one the longest record.  They are free again when the peer
 * has acknowledged what is in them.
 */
#define LIMIT_RECORD_SMALL_LEN 1536
#define LIMIT_RECORD_LEN 16640

/*
 * A small one for every connection, and a large one for so many; all memory that the
 * plan leaves goes into further large ones, up to LIMIT_RECORDS (136 MiB: 250
 * clients with LIMIT_SEND_LEN under way).  When none is left, who has something
 * under way waits until it is acknowledged, and the others for their turn.
 */
#define LIMIT_CONNS_PER_RECORD 4
#define LIMIT_RECORDS 8192

/* Below so many days until it expires a certificate is complained about every day. */
#define LIMIT_CERT_DAYS 14

/* ---- HTTP ---------------------------------------------------------------- */

/*
 * Bytes of a request's line and fields together.  The same as nginx's default for
 * one large header buffer.  One more is 431 (or 414 when the line alone is too long).
 */
#define LIMIT_REQUEST_HEAD_LEN 8192

/* Bytes of a request target; RFC 9112, section 3 asks for at least 8000 octets of line. */
#define LIMIT_TARGET_LEN 8000

/*
 * Bytes of a host that we lead to by its own word (redirect=https without HOST): a
 * longer one can not be a name (RFC 1035, section 2.3.4) and gets 400.  Together with
 * the fields before it, it has to fit into what is copied at once.
 */
#define LIMIT_HOST_LEN 255

/*
 * Characters of an ACME token: at least 22 (RFC 8555, section 8.3), Let's Encrypt's
 * have 43.  A longer one is a path like any other.
 */
#define LIMIT_TOKEN_LEN 128

/* Header fields of one request.  One more is 431. */
#define LIMIT_REQUEST_FIELDS 100

/*
 * Lines of a field that is a list and decides an answer (Accept-Encoding, If-Match,
 * If-None-Match, Want-Repr-Digest).  One more is 431 and not dropped: an If-Match that was not
 * seen would make a 200 of a 412.
 */
#define LIMIT_FIELD_LINES 4

/*
 * Parts of one answer to Range.  Where so many that do not touch are known and another one
 * comes along, the whole is sent (200), whatever follows: parts that could have been joined
 * later would have to be remembered until then.  16 bytes each, on the stack.
 */
#define LIMIT_RANGE_PARTS 16

/*
 * Bytes of a Content-Type that is repeated in each part.  With a longer one the whole is
 * sent (200); a delimiter has to fit into what is copied at once.
 */
#define LIMIT_PART_TYPE_LEN 128

/*
 * Bytes of a request body that we read and throw away to keep the connection (GET
 * with a body is legal and pointless).  More: answered, then closed.
 */
#define LIMIT_BODY_SKIP_LEN 65536

/*
 * Characters of the access log that a request line may take, and those that Referer and
 * User-Agent may take, so that a line fits into one GATE_LOG_MAX.  More ends in "...".
 */
#define LIMIT_LOG_LINE_LEN 384
#define LIMIT_LOG_FIELD_LEN 240

/* ---- Operators ----------------------------------------------------------- */

/*
 * Ranges of addresses in one setting (status=, proxy=).  Each is compared for every
 * connection or status request; one more, and the whole word is refused.
 */
#define LIMIT_RANGES 8

/* Bytes of the paths of status= and healthz=; a longer one is complained about and ignored. */
#define LIMIT_OPS_PATH_LEN 64

/*
 * Bytes of a PROXY header.  Its authors have it fit into the smallest segment, 536;
 * certificate names in it may make it longer.  Who announces more is reset.
 */
#define LIMIT_PROXY_LEN 2048

/*
 * Bytes of a syslog message: every receiver over IPv6 MUST take them (RFC 5426, section
 * 3.2), and they fit every IPv6 path.  What is longer ends in "...".
 */
#define LIMIT_SYSLOG_LEN 1180

/*
 * Datagrams that wait for the NIC, or for the address of the next hop; 1.3 KiB each,
 * only with syslog=.  Four full exchanges with the gate; one more is dropped and counted.
 */
#define LIMIT_DATAGRAMS 256

/* ---- Building an image ---------------------------------------------------- */

/*
 * States of a site's automaton (romfs/format.h), 16 bytes each and 4 for an edge: some
 * 30,000 redirects with placeholders that have little in common.  Patterns that overlap
 * (several with a placeholder in the same place, or that begin with '*') multiply each
 * other, in the worst case without end; one more, and mkromfs names the rule.
 */
#define LIMIT_RULE_STATES (1u << 20)

/*
 * Conditions on the query (_redirects) of all rules that match one path.  Each is looked for
 * in the whole query, of LIMIT_TARGET_LEN bytes at most; one more, and mkromfs names the rule.
 */
#define LIMIT_RULE_CONDITIONS 64u

/*
 * What mkromfs may spend on building it: positions in patterns that it remembers (4 bytes
 * each), and steps, some 10 ns each.
 */
#define LIMIT_RULE_POSITIONS (1u << 26)
#define LIMIT_RULE_STEPS (1u << 30)

/*
 * Bytes of the part of an answer that lies ready in the image.  mkromfs refuses a site
 * whose _headers make more: proxies take 4 to 16 KiB of fields, browsers 256.  The image's
 * format allows for 65535.
 */
#define LIMIT_ANSWER_HEAD_LEN 16384

/* ---- Deadlines (ms) ------------------------------------------------------ */

/* A new or kept-alive connection without a byte of a next request: closed silently. */
#define LIMIT_IDLE_MS 60000

/* From the first byte of a request to its last: 408, then closed. */
#define LIMIT_REQUEST_MS 15000

/*
 * While a response is under way the client has to acknowledge at least
 * LIMIT_WRITE_MIN_LEN bytes (or all that is left) in every span of this length,
 * or the connection is reset.
 */
#define LIMIT_WRITE_MS 20000
#define LIMIT_WRITE_MIN_LEN 4096

/*
 * While connections with nothing under way wait for a record buffer, who holds some
 * has to acknowledge LIMIT_RECORD_LEN bytes in each span of this length, or is
 * reset.  So those who do not read keep others waiting for no longer than this.
 */
#define LIMIT_RECORD_MS 4000

/* After our last byte, for the client to close its side; then reset. */
#define LIMIT_LINGER_MS 5000

/* After the operator asked for a stop, for responses under way to end. */
#define LIMIT_STOP_MS 3000

/* ---- Kernel -------------------------------------------------------------- */

/*
 * Pages for page tables.  Each of some thirty regions takes up to five, and 2 MiB
 * pages keep the large ones small.  Running out is a panic at start-up, never later.
 */
#define LIMIT_PAGE_TABLES 160

/* Stack of the server, bytes.  Overflow hits an absent page: crash and restart. */
#define LIMIT_SERVER_STACK_LEN 65536

/*
 * Most memory the server's pools get, however much RAM there is: LIMIT_CONNECTIONS
 * fill an eighth of it.  Nobody clears it, neither at the start nor after a crash.
 */
#define LIMIT_POOL_LEN (256u << 20)

/* With less than this for the pools, the machine is refused as too small. */
#define LIMIT_POOL_MIN_LEN (4u << 20)

/*
 * The watchdog: a server that makes no gate call for this many ticks of a second
 * hangs, and is restarted.  The longest honest turn takes milliseconds.
 */
#define LIMIT_HANG_TICKS 3

/*
 * Crashes in a row, each within LIMIT_CRASH_ROW_MS of the start before, after which
 * the whole VM is rebooted instead of the server alone.
 */
#define LIMIT_CRASH_ROW 8
#define LIMIT_CRASH_ROW_MS 5000

/*
 * Crashes in a row after which a new server no longer gets the page that the old
 * one left (its addresses): it may be what makes it crash.
 */
#define LIMIT_CRASH_KEEP 3

/* ---- Machine ------------------------------------------------------------- */

/*
 * Text of the server that waits for the console.  About 600 access-log lines; a
 * serial port of 115200 baud needs 6 s for them.  When it is full, lines are
 * dropped and counted on the console.
 */
#define LIMIT_CONSOLE_RING_LEN 65536

/* One formatted kernel message; the rest of a longer one is cut off. */
#define LIMIT_CONSOLE_LINE_LEN 256

/*
 * ACPI tables looked at, and bytes of one.  QEMU has 6 to 10 tables of 16 KiB at most;
 * a physical server's DSDT reaches some 500 KiB.  What lies beyond is ignored:
 * the machine then may lack a power button.
 */
#define LIMIT_ACPI_TABLES 64
#define LIMIT_ACPI_TABLE_LEN (1u << 20)

/* For the firmware to hand the power button over (ms); then we go without it. */
#define LIMIT_ACPI_ENABLE_MS 300

/* Between two looks at the CMOS clock to correct the time of day. */
#define LIMIT_CLOCK_CHECK_S 600

/*
 * The generator takes fresh bytes from the CPU after so many bytes given out, or
 * after so long.  Key erasure makes this a second line: after a state was
 * read once, output can be foretold no longer than this.
 */
#define LIMIT_RESEED_LEN 65536
#define LIMIT_RESEED_S 300
