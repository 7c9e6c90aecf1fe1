/*
 * What the tests of coding.c have in common: one site in a folder, a cache, and jobs of
 * which each codes one file.  A test puts files, plans, makes, looks, ends.
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding.h"
#include "romfs/romfs.h"
#include "tests/romfs/coding_help.h"

#define ALL ((1u << ROMFS_GZIP) | (1u << ROMFS_BROTLI) | (1u << ROMFS_ZSTD))

extern struct folder top;        /* of the site; other things have a folder of their own */
extern struct folder beside;
extern char *cache;              /* in `beside`; not there at first */

extern struct site site;
extern struct coding_job jobs[64];
extern size_t job_count;

/* Each test begins without a file and without a cache. */
#define CASE(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)
int jobs_set_up(void **state);
int jobs_tear_down(void **state);

/* Write a file of the site. */
void put_text(const char *name, size_t len, uint64_t seed);
void put_noise(const char *name, size_t len, uint64_t seed);

/* A job for each of these names, with the sidecars that are in the folder, too. */
void jobs_plan(const char *const *names, size_t name_count);

/* Make what was planned; returns what was said, to be freed.  Or: nothing may be said. */
char *jobs_make(const char *folder, unsigned codings, size_t *errors);
void jobs_make_silently(const char *folder, unsigned codings);

void jobs_end(void);

/* The bytes of a coding, to be freed; NULL if there is none. */
uint8_t *job_bytes(size_t job, unsigned coding, size_t *len);

/* Those of the job's file, to be freed. */
uint8_t *job_file(size_t job, size_t *len);

/* A coding is there, saves enough and is the file. */
void assert_decodes(size_t job, unsigned coding);

/* No coding is there. */
void assert_none(size_t job);

/* Among what was said is this text about the site's file `name`. */
void assert_said(const char *said, const char *name, const char *text);
