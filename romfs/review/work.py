"""Reads one file and says what is in it; runs in processes of its own."""
import mimetypes
import os
import signal
from typing import NamedTuple

from . import drawing, leaks, page, style
from .found import Finding

PARSED_MOST = 32 << 20      # bytes: a tree takes some ten times as much memory
STYLE_MOST = 4 << 20        # the parser of styles is slow
SEARCHED_MOST = 64 << 20    # for secrets

HTML = {".html", ".htm", ".xhtml", ".shtml"}
# What a page loads counts against the budget, what a person chooses to fetch does not.
BUDGETED = "text/html", "text/css", "text/javascript", "application/javascript", \
    "application/json", "application/wasm", "image/", "font/", "application/xhtml+xml"


class Read(NamedTuple):
    """What one file holds."""
    file: str
    references: list
    anchors: set            # None: of no kind that has any
    findings: list
    base: str               # of <base href>, or None
    inline: list
    unruly: list


def begin():
    """In a new process: Ctrl-C is for the one that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def read(folder, file, budget):
    """budget: bytes, 0: none"""
    findings = list(leaks.in_name(file))
    nothing = Read(file, [], None, findings, None, [], [])
    path = os.path.join(folder, file)
    try:
        size = os.stat(path).st_size
        kind = kind_of(file)
        check_budget(findings, file, size, budget)
        if size > SEARCHED_MOST:
            return nothing
        with open(path, "rb") as source:
            data = source.read()
    except OSError as error:
        findings.append(Finding(file, 0, "unreadable", error.strerror))
        return nothing
    findings += leaks.in_content(file, data)
    most = STYLE_MOST if kind == "css" else PARSED_MOST
    if kind and len(data) > most:
        findings.append(Finding(file, 0, "not reviewed",
                                f"more than {most >> 20} MiB: nobody would read it"))
        return nothing
    return parse(nothing, kind, file, data)


def parse(nothing, kind, file, data):
    if kind == "html":
        found = page.read(file, data)
        return Read(file, unique(found.references), found.anchors,
                    nothing.findings + found.findings, found.base,
                    found.inline, found.unruly)
    if kind == "css":
        return nothing._replace(references=unique(style.of_sheet(data)))
    if kind == "svg":
        references, anchors, findings = drawing.read(file, data)
        return nothing._replace(references=unique(references), anchors=anchors,
                                findings=nothing.findings + findings)
    return nothing


def kind_of(file):
    ending = os.path.splitext(file)[1].lower()
    return "html" if ending in HTML else {".css": "css", ".svg": "svg"}.get(ending)


def check_budget(findings, file, size, budget):
    kind = mimetypes.guess_type(file)[0] or ""
    if budget and size > budget and kind.startswith(BUDGETED):
        findings.append(Finding(file, 0, "over budget",
                                f"{size / 1024:.0f} KiB, and the budget is"
                                f" {budget / 1024:.0f} KiB a file (BUDGET=)"))


def unique(references):
    """Each URL in each role once, where it comes first."""
    first = {}
    for reference in references:
        first.setdefault((reference.role, reference.url), reference)
    return list(first.values())
