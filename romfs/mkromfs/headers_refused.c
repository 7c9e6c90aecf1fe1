/* Contract: headers_refused.h. */
#include "romfs/mkromfs/headers_refused.h"

#include <string.h>
#include <strings.h>

static const char connection[] =
    "the field is about the connection, which is the server's; leave it out";
static const char length[] =
    "the server says itself where the answer ends; leave the field out";
static const char made[] =
    "the field follows from the file and its codings, and conditions and ranges rely on it; "
    "leave it out";
static const char moment[] =
    "the field is about the moment of the answer, which only the server knows; leave it out";
static const char users[] =
    "the server asks for no password: everybody could read what this seems to protect; keep "
    "it out of the site";

static const struct {
	const char *name;
	const char *why;
} refused[] = {
	{ "Accept-Ranges", made },
	{ "Age", moment },
	{ "Allow", "the server says itself that GET and HEAD are allowed; leave the field out" },
	{ "Authentication-Info", users },
	{ "Basic-Auth", users },
	{ "Connection", connection },
	{ "Content-Digest", made },
	{ "Content-Encoding", "the codings of a file are decided by what its copies in the site "
	    "are and by CODINGS; put file.br, file.gz or file.zst beside the file" },
	{ "Content-Length", length },
	{ "Content-Range", made },
	{ "Date", moment },
	{ "Digest", made },
	{ "ETag", made },
	{ "HTTP2-Settings", connection },
	{ "Keep-Alive", connection },
	{ "Last-Modified", "the field is the time of the file; touch the file instead" },
	{ "Location", "redirects are written in _redirects" },
	{ "Proxy-Authenticate", users },
	{ "Proxy-Authentication-Info", users },
	{ "Proxy-Connection", connection },
	{ "Repr-Digest", made },
	{ "Status", "statuses are written in _redirects" },
	{ "TE", connection },
	{ "Trailer", length },
	{ "Transfer-Encoding", length },
	{ "Upgrade", connection },
	{ "WWW-Authenticate", users },
};

static const char *const single[] = {
	"Content-Disposition", "Content-Location", "Content-Type", "Expires", "Retry-After",
	"Set-Cookie",
};

static bool is(const char *name, size_t len, const char *other)
{
	return strlen(other) == len && strncasecmp(other, name, len) == 0;
}

const char *headers_refused(const char *name, size_t len, bool is_removal)
{
	if (is_removal && is(name, len, "Vary"))
		return "caches would hand out codings that a client cannot read; leave Vary as "
		    "it is";
	if (is_removal && is(name, len, "Content-Type"))
		return "an answer says what it is; write Content-Type: application/octet-stream "
		    "for what shall only be saved";
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (is(name, len, refused[i].name))
			return refused[i].why;
	}
	return NULL;
}

bool headers_is_single(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		if (is(name, len, single[i]))
			return true;
	}
	return false;
}
