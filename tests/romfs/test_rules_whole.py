"""_redirects from the file to the answer: `mkromfs --resolve` against a model that reads the
lines of RULES.md word by word.  Random sites and rules, the same in every run."""
import random
import re
import urllib.parse

import pytest

from baked import Image, mkromfs

FILES = ["x", "y", "d/x", "d/y", "d/e/x", "d/e/y", "404.html", "d/404.html", "z.html"]
ROUNDS = 60


class Rule:
    """One line, in the form of the model."""

    def __init__(self, source, conditions, target, status, forced):
        self.source, self.conditions = source, conditions
        self.target, self.status, self.forced = target, status, forced

    def line(self):
        words = [self.source] + [f"{k}={v}" for k, v in self.conditions.items()]
        words.append(self.target)
        if self.status is not None:
            words.append(str(self.status) + "!" * self.forced)
        return " ".join(words)


def regex(source, netlify):
    """The source as a regular expression."""
    out, rest = "", source
    end = ""
    if netlify and source.endswith("/*"):
        rest, end = source[:-2], r"(?:/(?P<splat>.*))?"
    for part in re.split(r"(:[a-z]\w*|\*)", rest):
        if part.startswith(":"):
            out += f"(?P<{part[1:]}>[^/]+)"
        elif part == "*":
            out += "(?P<splat>.*)"
        else:
            out += re.escape(part)
    slash = ""
    if netlify and "*" not in source and source != "/":
        slash = "/?"
        if out.endswith("/"):
            out = out[:-1]
    return re.compile("^" + out + end + slash + "$", re.S)


def captures(rule, path, query, netlify):
    """What the placeholders stand for; None: the rule does not match."""
    match = regex(rule.source, netlify).match(path)
    if not match:
        return None
    found = {k: v or "" for k, v in match.groupdict().items()}
    pairs = [p.split("=", 1) for p in query.split("&") if "=" in p] if query else []
    for name, want in rule.conditions.items():
        values = [v for k, v in pairs if k == name]
        if want.startswith(":"):
            if not values:
                return None
            found[want[1:]] = values[0]
        elif want not in values:
            return None
    return found


def expand(target, found):
    return re.sub(r":([a-z]\w*)", lambda m: found[m[1]], target)


def is_taken(rules, target):
    """A rule is for exactly this path, maybe with another slash at its end."""
    return any(r.source.rstrip("/") == target.rstrip("/") for r in rules)


def answer(rules, path, query, netlify):
    """Status and Location, or status and the path whose file is sent.  None: rewritten, by
    captures, to a path that another rule is for; what answers then is not said."""
    files = {"/" + f for f in FILES}
    for rule in rules:
        if path in files and netlify and not rule.forced:
            continue
        found = captures(rule, path, query, netlify)
        if found is None:
            continue
        status = rule.status or (301 if netlify else 302)
        target = expand(rule.target, found)
        if status == 404:
            return 404, None
        if status == 200:
            if is_taken(rules, target) and target != rule.target:
                return None
            if target in files:
                return 200, target
            continue
        if query is not None and "?" not in target and not rule.conditions:
            target += "?" + query
        return status, re.sub("^/+", "/", target)
    return (200, path) if path in files else (404, None)


def random_rule(rnd):
    names = iter("pqrs")
    segments, known, star = [], [], False
    for _ in range(rnd.randrange(1, 4)):
        kind = rnd.randrange(10)
        if kind < 6:
            segments.append(rnd.choice(["d", "e", "x", "y", "n"]))
        elif kind < 8:
            known.append(next(names))
            segments.append(rnd.choice(["", "d"]) + ":" + known[-1])
        elif kind < 9:
            known.append("splat")
            segments.append("*")
            star = True
            break
        else:
            segments.append("")
    source = "/" + "/".join(segments)
    conditions = {}
    if rnd.randrange(5) == 0:
        conditions[rnd.choice("ab")] = rnd.choice(["1", "2", ":value"])
        known += ["value"] if ":value" in conditions.values() else []
    status = rnd.choice([None, 301, 302, 308, 200, 200, 404])
    if status == 404:
        target = "/404.html"
    elif status == 200 and (not known or rnd.randrange(2)):
        target = "/" + rnd.choice(FILES)
    else:
        target = "/d" if status == 200 else rnd.choice(["https://o.example/t", "/far/away"])
        for name in known:
            target += "/:" + name
    if status not in (200, 404) and not known and rnd.randrange(4) == 0:
        target += "?own=1"
    forced = status is not None and rnd.randrange(3) == 0
    return Rule(source, conditions, target, status, forced)


def random_path(rnd):
    if rnd.randrange(3) == 0:
        return "/" + rnd.choice(FILES)
    return "/" + "/".join(rnd.choice(["d", "e", "x", "y", "n", "", "dx"])
                          for _ in range(rnd.randrange(1, 5)))


@pytest.mark.parametrize("dialect", ["netlify", "cloudflare"])
def test_answers_are_those_of_the_model(site, dialect):
    rnd = random.Random(dialect)
    for name in FILES:
        site.write(name, name.encode())
    checked, seen = 0, set()
    for _ in range(ROUNDS):
        rules = [random_rule(rnd) for _ in range(rnd.randrange(1, 9))]
        site.write("_redirects", "\n".join(rule.line() for rule in rules).encode())
        baked = mkromfs("--quiet", "--codings", "none", "--clean-urls", "off",
                        "--redirects", dialect, site.root, site.image)
        assert baked.status == 0, baked.text
        asked = [(random_path(rnd), rnd.choice([None, None, "a=1", "b=2&a=3", ""]))
                 for _ in range(40)]
        lines = [path + ("" if query is None else "?" + query) for path, query in asked]
        image = Image(site.image.read_bytes())
        got = mkromfs("--resolve", site.image, input="\n".join(lines) + "\n").out
        for (path, query), line in zip(asked, got.splitlines(), strict=True):
            want = answer(rules, path, query, dialect == "netlify")
            if want is None:
                continue
            status, where = want
            what = f"{path}?{query} with\n" + "\n".join(r.line() for r in rules)
            assert line.split("\t")[0] == str(status), what
            if status // 100 == 3:
                assert re.sub("^/+", "/", line.split("\t")[1]) == where, what
            elif status == 200 and line.split("\t")[1] != "*":
                sent = urllib.parse.unquote_to_bytes(line.split("\t")[1])
                assert image.find(sent).body == where[1:].encode(), what
            checked += 1
            seen.add((status, query is None, path[1:] in FILES))
    assert checked > 39 * ROUNDS
    assert {s for s, _, _ in seen} == {200, 301, 302, 308, 404}
    assert len(seen) >= 18   # nearly all of 5 * 2 * 2
