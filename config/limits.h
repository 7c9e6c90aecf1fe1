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

/* ---- Connections --------------------------------------------------------- */

/*
 * Bytes that the layer above TCP may keep in a connection object.  Multiplied by the
 * number of connections: twice as much costs 1,000 connections 128 KiB.
 */
#define LIMIT_CONN_APP_LEN 128

/* ---- HTTP ---------------------------------------------------------------- */

/*
 * Bytes of a request's line and fields together.  The same as nginx's default for
 * one large header buffer.  One more is 431 (or 414 when the line alone is too long).
 */
#define LIMIT_REQUEST_HEAD_LEN 8192

/* Bytes of a request target; RFC 9112, section 3 asks for at least 8000 octets of line. */
#define LIMIT_TARGET_LEN 8000

/* Header fields of one request.  One more is 431. */
#define LIMIT_REQUEST_FIELDS 100

/*
 * Bytes of a request body that we read and throw away to keep the connection (GET
 * with a body is legal and pointless).  More: answered, then closed.
 */
#define LIMIT_BODY_SKIP_LEN 65536

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

/* After our last byte, for the client to close its side; then reset. */
#define LIMIT_LINGER_MS 5000

/* After the operator asked for a stop, for responses under way to end. */
#define LIMIT_STOP_MS 3000
