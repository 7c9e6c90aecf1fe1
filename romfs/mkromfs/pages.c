/* Contract: pages.h. */
#include "romfs/mkromfs/pages.h"

const char page_not_found[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>Not found</title>\n"
	"<style>\n"
	"body { margin: 0; min-height: 100vh; display: grid; place-content: center;\n"
	"  font: 1.125rem/1.6 system-ui, sans-serif; text-align: center; padding: 1rem;\n"
	"  box-sizing: border-box }\n"
	"h1 { font-size: clamp(4rem, 20vw, 8rem); line-height: 1; margin: 0;\n"
	"  letter-spacing: .04em; opacity: .25 }\n"
	"p { margin: 1rem 0 0 }\n"
	"</style>\n"
	"<h1>404</h1>\n"
	"<p>There is no page at this address.</p>\n"
	"<p><a href=\"/\">Go to the start page</a></p>\n";

struct text page_moved(const char *url)
{
	struct text page = { 0 };

	text_add(&page, "<!DOCTYPE html>\n"
	    "<html lang=\"en\">\n"
	    "<meta charset=\"utf-8\">\n"
	    "<title>Moved</title>\n"
	    "<p>This page is at <a href=\"");
	text_add_html(&page, url);
	text_add(&page, "\">");
	text_add_html(&page, url);
	text_add(&page, "</a>.</p>\n");
	return page;
}
