/*
 * A TLS client that measures: TLS 1.2 with OpenSSL, one suite, one curve.
 *
 *   tlsload KIND ADDRESS PATH SUITE CONNECTIONS AMOUNT
 *
 * KIND         full: connect, full handshake, close, again and again
 *              resumed: the same with the session of an earlier handshake
 *              requests: GET PATH again and again on connections that are kept alive
 * CONNECTIONS  at once
 * AMOUNT       of handshakes or requests in all: 1000; or for how long: 2s
 *
 * Everything that is not to be measured (keep-alive connections, the session that is
 * resumed) is made first.  Then it prints "ready" and waits for a line, does its work,
 * prints one line (see print_result()) and waits for the end of its input before it
 * closes anything.  So who started it can read counters at both moments.
 *
 * It is an error, with a sentence and status 1, if anything else happened than what
 * was to be measured: a full handshake that was resumed, a resumed one that was
 * not, another suite or curve, an answer other than 200 with its whole body.
 *
 * Why not `openssl s_time` and wrk: s_time names no host, ends on whole seconds and
 * counts the handshake before the first resumption in; wrk counts the handshakes of its
 * connections in and cannot say which were resumed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HOST "bench.test"
#define PORT 443
#define GROUPS "X25519:P-256"   /* P-256 for the certificate's key */
#define CONNECTIONS_MAX 256
#define TLS_RECORD_MAX 16384
#define WAIT_S 10
#define LIFE_S 120

struct conn {
	int fd;
	SSL *ssl;
	size_t have;     /* bytes of the answer, with its head */
	size_t need;     /* how many it has; 0 while the head is incomplete */
	char head[2048];
};

/* What was asked for; constant once main() has read the arguments. */
static struct {
	enum { FULL, RESUMED, REQUESTS } kind;
	struct sockaddr_in server;
	const char *path;
	const char *suite;
	unsigned connections;
	unsigned long count;     /* in all; 0: until `seconds` are over */
	double seconds;
} job;

static SSL_CTX *context;
static SSL_SESSION *session;     /* what later handshakes resume */
static pthread_barrier_t start;
static double end;               /* when to stop, with `seconds` */
static unsigned long done;       /* handshakes or requests */

static _Noreturn void fail(const char *format, ...)
{
	const unsigned long error = ERR_get_error();
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (error != 0)
		printf(": %s", ERR_reason_error_string(error));
	else if (errno != 0)
		printf(": %s", strerror(errno));
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- One connection ------------------------------------------------------- */

static int connect_tcp(void)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	const int one = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (const struct sockaddr *)&job.server,
	    sizeof job.server) != 0)
		fail("connect");
	return fd;
}

/* Curve and signature are in full handshakes only. */
static void check_full(SSL *ssl)
{
	EVP_PKEY *key = NULL;

	if (!SSL_get_peer_tmp_key(ssl, &key) ||
	    EVP_PKEY_get_id(key) != EVP_PKEY_X25519)
		fail("the key exchange was not with X25519");
	EVP_PKEY_free(key);
}

static struct conn open_conn(SSL_SESSION *resume)
{
	struct conn c = { .fd = connect_tcp(), .ssl = SSL_new(context) };

	if (c.ssl == NULL || !SSL_set_tlsext_host_name(c.ssl, HOST) ||
	    !SSL_set_fd(c.ssl, c.fd))
		fail("SSL_new");
	if (resume != NULL && !SSL_set_session(c.ssl, resume))
		fail("SSL_set_session");
	if (SSL_connect(c.ssl) != 1)
		fail("handshake");
	if (strcmp(SSL_get_cipher_name(c.ssl), job.suite) != 0)
		fail("the suite is %s", SSL_get_cipher_name(c.ssl));
	if (job.kind == RESUMED && resume != NULL && !SSL_session_reused(c.ssl))
		fail("a handshake was full, not resumed");
	if (job.kind == FULL && SSL_session_reused(c.ssl))
		fail("a handshake was resumed, not full");
	if (!SSL_session_reused(c.ssl))
		check_full(c.ssl);
	return c;
}

/*
 * close_notify and FIN go out together and first, so that TIME-WAIT is on our side:
 * the server's would grow a table, and meet ports that are used again.  What the
 * server has to say is waited for.
 */
static void close_conn(struct conn *c)
{
	const int on = 1;
	char rest[256];

	fcntl(c->fd, F_SETFL, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
	SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	while (read(c->fd, rest, sizeof rest) > 0)
		;
	SSL_free(c->ssl);
	close(c->fd);
}

/* ---- Requests ------------------------------------------------------------- */

static void ask(struct conn *c)
{
	static char request[512];
	static int len;

	if (len == 0)
		len = snprintf(request, sizeof request,
		    "GET %s HTTP/1.1\r\nHost: " HOST "\r\n\r\n", job.path);
	c->have = c->need = 0;
	if (SSL_write(c->ssl, request, len) != len)
		fail("request");
}

/* Length of the answer with its head; 0 while the head is incomplete. */
static size_t answer_len(const char *head)
{
	const char *body = strstr(head, "\r\n\r\n");
	const char *length = strcasestr(head, "\r\ncontent-length:");

	if (body == NULL)
		return 0;
	if (strncmp(head, "HTTP/1.1 200 ", 13) != 0)
		fail("answered %.*s", (int)strcspn(head, "\r"), head);
	if (length == NULL || length > body)
		fail("an answer without Content-Length");
	return (size_t)(body + 4 - head) + strtoul(length + 17, NULL, 10);
}

/* So many bytes of the answer have come. */
static void take_part(struct conn *c, const char *bytes, size_t len)
{
	if (c->need == 0) {
		const size_t room = sizeof c->head - 1 - c->have;
		const size_t more = len < room ? len : room;

		memcpy(c->head + c->have, bytes, more);
		c->head[c->have + more] = 0;
		c->need = answer_len(c->head);
		if (c->need == 0 && more < len)
			fail("no end of the answer's head");
	}
	c->have += len;
	if (c->need != 0 && c->have > c->need)
		fail("%zu bytes came, %zu were announced", c->have, c->need);
}

/* Take what is there of the answer; returns whether that is all of it. */
static bool take_answer(struct conn *c)
{
	static char bytes[TLS_RECORD_MAX];

	while (c->need == 0 || c->have < c->need) {
		const int n = SSL_read(c->ssl, bytes, sizeof bytes);

		if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
			return false;
		if (n <= 0)
			fail("the answer ended after %zu of %zu bytes",
			    c->have, c->need);
		take_part(c, bytes, (size_t)n);
	}
	return true;
}

/* ---- Work ----------------------------------------------------------------- */

static bool enough(unsigned long so_far)
{
	return job.count != 0 ? so_far >= job.count : now() >= end;
}

static void wait_for(struct conn *conns, int epoll)
{
	for (unsigned i = 0; i < job.connections; i++) {
		struct epoll_event e = { .events = EPOLLIN,
			.data.ptr = &conns[i] };

		fcntl(conns[i].fd, F_SETFL, O_NONBLOCK);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &e) != 0)
			fail("epoll_ctl");
	}
}

/* Each connection that has its answer is asked again at once. */
static void make_requests(struct conn *conns, int epoll)
{
	struct epoll_event events[CONNECTIONS_MAX];
	unsigned long asked = 0;

	for (; asked < job.connections && !enough(asked); asked++)
		ask(&conns[asked]);
	while (done < asked) {
		const int n = epoll_wait(epoll, events, CONNECTIONS_MAX,
		    WAIT_S * 1000);

		if (n <= 0)
			fail("no answer");
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (!take_answer(c))
				continue;
			done++;
			if (enough(asked))
				continue;
			ask(c);
			asked++;
		}
	}
}

/* Each of these has one connection at a time. */
static void *make_handshakes(void *unused)
{
	static unsigned long begun;

	(void)unused;
	pthread_barrier_wait(&start);
	while (!enough(__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED))) {
		struct conn c = open_conn(job.kind == RESUMED ? session : NULL);

		close_conn(&c);
		__atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Tell that all is ready; returns when the clock starts. */
static double wait_for_start(void)
{
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		exit(1);
	const double begin = now();

	end = begin + job.seconds;
	return begin;
}

static double cpu_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* How much was done, in how many seconds, with how many seconds of our own CPU. */
static void print_result(double begin, double cpu)
{
	printf("%lu %.6f %.6f\n", done, now() - begin, cpu_seconds() - cpu);
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static void run_requests(void)
{
	static struct conn conns[CONNECTIONS_MAX];
	const int epoll = epoll_create1(EPOLL_CLOEXEC);

	/* To resume only saves time here: what follows is the same. */
	for (unsigned i = 0; i < job.connections; i++) {
		conns[i] = open_conn(session);
		ask(&conns[i]);
		if (!take_answer(&conns[i]))
			fail("no answer");
	}
	wait_for(conns, epoll);
	const double begin = wait_for_start(), cpu = cpu_seconds();

	make_requests(conns, epoll);
	print_result(begin, cpu);
	for (unsigned i = 0; i < job.connections; i++)
		close_conn(&conns[i]);
}

static void run_handshakes(void)
{
	pthread_t threads[CONNECTIONS_MAX];

	pthread_barrier_init(&start, NULL, job.connections + 1);
	for (unsigned i = 0; i < job.connections; i++)
		if (pthread_create(&threads[i], NULL, make_handshakes, NULL) != 0)
			fail("pthread_create");
	const double begin = wait_for_start(), cpu = cpu_seconds();

	pthread_barrier_wait(&start);
	for (unsigned i = 0; i < job.connections; i++)
		pthread_join(threads[i], NULL);
	print_result(begin, cpu);
}

/* ---- Start ---------------------------------------------------------------- */

static void make_context(void)
{
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL ||
	    !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(context, job.suite) ||
	    !SSL_CTX_set1_groups_list(context, GROUPS))
		fail("OpenSSL's settings");
	/* By session identifier: both servers offer that. */
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(context, 1);
}

static void read_arguments(int argc, char **argv)
{
	static const char *const kinds[] = { "full", "resumed", "requests" };
	unsigned kind = 0;
	char *unit = "";

	while (argc == 7 && kind < 3 && strcmp(argv[1], kinds[kind]) != 0)
		kind++;
	if (argc != 7 || kind == 3)
		fail("usage: tlsload KIND ADDRESS PATH SUITE CONNECTIONS AMOUNT");
	job.kind = kind;
	job.server.sin_family = AF_INET;
	job.server.sin_port = htons(PORT);
	job.path = argv[3];
	job.suite = argv[4];
	job.connections = (unsigned)strtoul(argv[5], NULL, 10);
	job.seconds = strtod(argv[6], &unit);
	if (*unit != 's')
		job.count = (unsigned long)job.seconds;
	if (inet_pton(AF_INET, argv[2], &job.server.sin_addr) != 1 ||
	    job.connections < 1 || job.connections > CONNECTIONS_MAX ||
	    job.seconds <= 0)
		fail("bad arguments");
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(LIFE_S);
	read_arguments(argc, argv);
	make_context();
	if (job.kind != FULL) {
		struct conn c = open_conn(NULL);

		session = SSL_get1_session(c.ssl);
		close_conn(&c);
	}
	if (job.kind == REQUESTS)
		run_requests();
	else
		run_handshakes();
	return 0;
}
