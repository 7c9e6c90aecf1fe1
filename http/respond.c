/*
 * The responder: http/respond.h.
 */
#include "http/respond.h"

#include "http/acme.h"
#include "http/conditions.h"
#include "http/path.h"
#include "http/redirect.h"

static void answer_built_in(const struct http_site *site,
    const struct http_request *req, uint16_t status,
    struct http_response *out)
{
	http_begin(site, req, status, out);
	http_end_built_in(req->method, out);
}

/* The answer for a path's key, or for no such path if there is none. */
static struct romfs_answer choose(const struct http_site *site,
    const struct http_request *req, const struct http_text *key)
{
	struct romfs_entry entry;
	struct romfs_variant variant;

	if (key == NULL ||
	    romfs_find(site->fs, key->at, key->len, &entry) != ROMFS_OK)
		romfs_not_found(site->fs, &entry);
	/* Room for later: content negotiation chooses among the variants here. */
	romfs_variant(site->fs, &entry, 0, &variant);

	/* RFC 9110, section 13.2.1: conditions count only where the answer would be 2xx. */
	const struct http_text etag = { variant.etag, variant.etag_len };
	if (etag.at != NULL &&
	    http_not_modified(req, etag, entry.modified, site->now->time))
		return variant.not_modified;
	return variant.full;
}

/*
 * A folder's redirect, which the ROM has without a query.  The new location is made
 * of the key: the path as sent could begin with two slashes ("//a/../../dir"), and so
 * name another host (RFC 3986, section 4.2).
 */
static void answer_moved(const struct http_site *site,
    const struct http_request *req, struct http_text key,
    struct http_response *out)
{
	const struct http_location location = {
		.path = key, .query = req->query, .is_folder = true,
	};

	http_begin(site, req, 301, out);
	HTTP_PUT(out, "Location: ");
	http_put_location(out, &location);
	http_end_built_in(req->method, out);
}

static void answer_from_rom(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	struct http_text key;

	const enum http_path path = http_normalise_path(req->path,
	    site->scratch, site->scratch_cap, &key);
	if (path == HTTP_PATH_BAD) {
		answer_built_in(site, req, 400, out);
		return;
	}
	const struct romfs_answer answer =
	    choose(site, req, path == HTTP_PATH_OK ? &key : NULL);
	if (answer.status == 301 && req->query.at != NULL) {
		answer_moved(site, req, key, out);
		return;
	}
	http_begin(site, req, answer.status, out);
	out->body_len = req->method == HTTP_METHOD_HEAD ? 0 : answer.body_len;
	out->rest = (struct http_text){
		answer.head, answer.head_len + out->body_len
	};
}

void http_respond(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	if (req->method != HTTP_METHOD_GET && req->method != HTTP_METHOD_HEAD) {
		answer_built_in(site, req, 405, out);
		return;
	}
	if (site->thumbprint.len > 0 && http_answer_acme(site, req, out))
		return;
	if (site->redirect != NULL)
		http_answer_redirect(site, req, out);
	else
		answer_from_rom(site, req, out);
}
