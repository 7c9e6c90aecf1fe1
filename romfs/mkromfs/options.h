/* What a user may decide about a site; `mkromfs --help` and README.md explain the words. */
#pragma once

#include "config/base.h"

/* --clean-urls=keep|auto|off: what "/about" and "/about.html" do for about.html. */
enum clean_urls {
	CLEAN_URLS_KEEP,         /* both answer */
	CLEAN_URLS_AUTO,         /* "/about" answers, "/about.html" redirects to it */
	CLEAN_URLS_OFF,          /* only names as they are */
};

/* --trailing-slash=auto|always|never|both: which form of a page's URL answers. */
enum trailing_slash {
	SLASH_AUTO,              /* folders with, files without; the other form redirects */
	SLASH_ALWAYS,            /* with; without redirects */
	SLASH_NEVER,             /* without; with redirects */
	SLASH_BOTH,              /* both answer */
};

/*
 * --redirects=netlify|cloudflare: what _redirects leaves open.  Netlify: an existing file wins
 * unless the rule says '!', and a rule without a status means 301.  Cloudflare: every rule
 * wins, and no status means 302.
 */
enum redirects_dialect {
	REDIRECTS_NETLIFY,
	REDIRECTS_CLOUDFLARE,
};

struct site_options {
	enum clean_urls clean_urls;
	enum trailing_slash trailing_slash;
	enum redirects_dialect redirects;
	bool spa;                /* --spa: "/index.html" answers what nothing else does */
	bool listings;           /* --listings: folders without an index list their files */
	const char *csp;         /* --csp=POLICY: Content-Security-Policy of HTML; NULL: none */
};

/* What the times of modification become. */
struct image_times {
	bool fixed;
	int64_t fixed_at;        /* every file's, if fixed */
	int64_t latest;          /* later ones become this */
};
