/*
 * The slow reference: tests/http/slow_path.h.  One step after the other, each over
 * the whole string, with arrays of its own.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/slow_path.h"

/* A byte of the decoded path that came from "%2f". */
#define ESCAPED_SLASH 256

static int hex(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* RFC 3986, section 2.1; -1 if an escape is broken or a NUL comes out. */
static int decode(const uint8_t *raw, size_t len, int *out)
{
	int n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = raw[i];

		if (c == '%') {
			if (i + 2 >= len || !isxdigit(raw[i + 1]) ||
			    !isxdigit(raw[i + 2]))
				return -1;
			c = hex(raw[i + 1]) * 16 + hex(raw[i + 2]);
			i += 2;
			if (c == '/')
				c = ESCAPED_SLASH;
		}
		if (c == 0)
			return -1;
		out[n++] = c;
	}
	return n;
}

/* RFC 3629, section 3, the other way round: decode, then ask for the shortest form. */
static bool utf8(const int *s, int n)
{
	for (int i = 0; i < n; ) {
		const int lead = s[i] & 0xff;
		const int tail = lead < 0x80 ? 0 : lead < 0xc0 ? -1 :
		    lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : -1;
		static const long smallest[] = { 0, 0x80, 0x800, 0x10000 };

		if (tail < 0 || i + tail >= n)
			return false;
		long point = tail == 0 ? lead : lead & (0x3f >> tail);
		for (int k = 1; k <= tail; k++) {
			if ((s[i + k] & ~0x3f) != 0x80)
				return false;
			point = point << 6 | (s[i + k] & 0x3f);
		}
		if (point < smallest[tail] || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += tail + 1;
	}
	return true;
}

static bool starts(const char *in, const char *prefix)
{
	return strncmp(in, prefix, strlen(prefix)) == 0;
}

/*
 * RFC 3986, section 5.2.4, steps A to E word by word.  in and out are strings: a
 * decoded path holds no NUL.
 */
static void remove_dot_segments(char *in, char *out)
{
	*out = 0;
	while (*in != 0) {
		if (starts(in, "../")) {
			in += 3;
		} else if (starts(in, "./") || starts(in, "/./")) {
			in += 2;
		} else if (strcmp(in, "/.") == 0) {
			in[1] = 0;
		} else if (starts(in, "/../") || strcmp(in, "/..") == 0) {
			in += in[3] == '/' ? 3 : 2;
			*in = '/';
			char *const slash = strrchr(out, '/');
			*(slash != NULL ? slash : out) = 0;
		} else if (strcmp(in, ".") == 0 || strcmp(in, "..") == 0) {
			*in = 0;
		} else {
			const size_t len = 1 + strcspn(in + 1, "/");
			strncat(out, in, len);
			in += len;
		}
	}
}

enum http_path slow_normalise(const uint8_t *raw, size_t len, uint8_t *out,
    size_t *out_len)
{
	enum http_path status = HTTP_PATH_OK;
	int *const decoded = calloc(len + 1, sizeof *decoded);
	char *const in = calloc(len + 1, 1);

	const int n = decode(raw, len, decoded);
	if (len == 0 || raw[0] != '/' || n < 0 || !utf8(decoded, n))
		status = HTTP_PATH_BAD;
	for (int i = 0; i < n && status != HTTP_PATH_BAD; i++) {
		if (decoded[i] == ESCAPED_SLASH)
			status = HTTP_PATH_SLASH;
		/* No byte of UTF-8 is 0xff, so it can stand for one that is not there. */
		in[i] = decoded[i] == ESCAPED_SLASH ? '\xff' : (char)decoded[i];
	}
	if (status != HTTP_PATH_BAD) {
		remove_dot_segments(in, (char *)out);
		*out_len = strlen((char *)out);
	}
	for (size_t i = 0; status == HTTP_PATH_SLASH && i < *out_len; i++) {
		if (out[i] == 0xff)
			out[i] = 0;
	}
	free(decoded);
	free(in);
	return status;
}

bool slow_has_dots(const uint8_t *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t end = i + 1;

		if (path[i] != '/')
			continue;
		while (end < len && path[end] != '/')
			end++;
		if ((end == i + 2 && path[i + 1] == '.') || (end == i + 3 &&
		    path[i + 1] == '.' && path[i + 2] == '.'))
			return true;
	}
	return false;
}
