/* Contract: url.h. */
#include "romfs/mkromfs/url.h"

#include <stdbool.h>
#include <string.h>

#include "romfs/mkromfs/memory.h"

static bool is_plain(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("-._~/" "!$()*+,;=" ":@", c) != NULL;
}

size_t url_encoded_len(const char *path)
{
	size_t len = 0;

	for (; *path != '\0'; path++)
		len += is_plain(*path) ? 1 : 3;
	return len;
}

char *url_encode(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *url = xmalloc(url_encoded_len(path) + 1);
	char *out = url;

	for (; *path != '\0'; path++) {
		const unsigned char c = (unsigned char)*path;

		if (is_plain(*path)) {
			*out++ = *path;
			continue;
		}
		*out++ = '%';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	*out = '\0';
	return url;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c & 0x0f) + 9;
	return -1;
}

int url_escape_value(const char *at, const char *end)
{
	if (end - at < 3 || hex_value(at[1]) < 0 || hex_value(at[2]) < 0)
		return -1;
	return hex_value(at[1]) << 4 | hex_value(at[2]);
}
