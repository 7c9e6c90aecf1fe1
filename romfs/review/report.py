"""Prints findings: one line each, in groups, and no more than a person would read."""
from .found import Finding

# In the order in which they are shown.
GROUPS = ("secret", "backup", "broken link", "missing asset", "wrong case",
          "broken anchor", "bad URL", "mixed content", "unreadable", "broken SVG",
          "wrong charset", "no charset", "no title", "duplicate id", "over budget",
          "not reviewed")
PER_GROUP = 40      # lines, unless all are asked for
SINGLE = "secret", "backup", "over budget"      # each file counts, whatever the reason


def escaped(text):
    """Names and URLs are a stranger's: no control character reaches the terminal."""
    return "".join(c if c.isprintable() else
                   c.encode("unicode_escape", "surrogatepass").decode()
                   if ord(c) < 0xd800 or ord(c) > 0xdfff else
                   f"\\x{ord(c) & 0xff:02x}" for c in text)


def lines(findings, everything=False):
    """The report, without its last line."""
    groups = {}
    for finding in findings:
        groups.setdefault(finding.what, []).append(finding)
    for what in sorted(groups, key=GROUPS.index):
        same = {}
        for finding in sorted(groups[what]):
            key = (finding.why, finding.file if what in SINGLE else "")
            same.setdefault(key, []).append(finding)
        # What many pages share comes first: it is mended in one place.
        causes = sorted(same.values(), key=lambda c: (-len(c), c[0]))
        shown = causes if everything else causes[:PER_GROUP]
        for cause in shown:
            yield from of_cause(cause, everything)
        left = sum(len(c) for c in causes[len(shown):])
        if left:
            yield f"... and {left} more: {what} (ALL=1 shows them)"


def of_cause(cause, everything):
    if everything or len(cause) == 1:
        yield from map(one, cause)
        return
    files = len({f.file for f in cause})
    yield one(cause[0]) + f" (and {len(cause) - 1} more" + \
        (f", in {files} files)" if files > 1 else ")")


def one(finding: Finding):
    place = escaped(finding.file) + (f":{finding.line}" if finding.line else "")
    return f"{place}: {finding.what}: {escaped(finding.why)}"


def summary(findings):
    files = len({f.file for f in findings})
    return f"{count(len(findings), 'warning')} in {count(files, 'file')}"


def count(number, word):
    return f"{number} {word}" + ("" if number == 1 else "s")
