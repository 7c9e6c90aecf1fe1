/*
 * Pages about the server itself: status= and healthz= (settings.h).
 *
 *   PATH           HTML      for the peers in the ranges of status=, on plain and private
 *   PATH.json      JSON      streams alike; for others these paths do not exist here, and
 *   PATH/metrics   metrics   the site answers
 *   healthz's path           200 "ok\n", whoever asks
 *
 * A peer is the client that a PROXY header names, if there was one.  Pages are not
 * kept anywhere (Cache-Control: no-store) and come in chunks, each made as it is sent;
 * in HTTP/1.0 they end with the connection.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"
#include "http/figures.h"
#include "http/settings.h"

/*
 * Say what is asked for, and by whom; once, before the first request.
 *
 * settings  kept by reference
 * collect   fills in the figures of the moment; called for each piece of a page
 */
void http_status_start(const struct http_settings *settings,
    void (*collect)(struct http_figures *out));

/* Answer a GET or HEAD for one of these pages: an http_status_function (answer.h). */
http_status_function http_answer_status;
