"""Review a site: python3 -m romfs.review --help.  README.md says what is looked for."""
import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from . import leaks, links, policy, report, urls, work
from .answers import Answers, Trouble, asker, by_host, run
from .found import Finding, LINK

PROCESSES = 2
CHUNK = 16          # files that a process takes at a time


def options(arguments):
    parser = argparse.ArgumentParser(prog="review")
    parser.add_argument("folder", help="the site, or with --sites a folder of sites")
    parser.add_argument("--sites", action="store_true", help="one folder per host name")
    parser.add_argument("--mkromfs", default="build/mkromfs", metavar="PROGRAM")
    parser.add_argument("--image", help="baked from the site; --resolve is asked of it")
    parser.add_argument("--manifest", metavar="FILE",
                        help="what mkromfs --manifest prints of it; else it is run")
    parser.add_argument("--budget", default="2048", metavar="KIB",
                        help="the most a page or its parts may weigh; 0: anything")
    parser.add_argument("--strict", action="store_true", help="fail if there is a warning")
    parser.add_argument("--all", action="store_true", help="show every warning")
    parser.add_argument("--csp", action="store_true",
                        help="propose a Content-Security-Policy instead")
    chosen = parser.parse_args(arguments)
    if not chosen.budget.isascii() or not chosen.budget.isdigit():
        parser.error(f"BUDGET={chosen.budget} is not a number of KiB")
    chosen.budget = int(chosen.budget) << 10
    return chosen


def hosts_of(chosen):
    """{host name, "" for a single site: its folder}"""
    if not chosen.sites:
        return {"": chosen.folder}
    return {name: os.path.join(chosen.folder, name)
            for name in sorted(os.listdir(chosen.folder))
            if not name.startswith((".", "_"))
            and os.path.isdir(os.path.join(chosen.folder, name))}


def manifest_of(chosen):
    if chosen.manifest:
        with open(chosen.manifest, encoding="utf-8", errors="surrogateescape",
                  newline="\n") as lines:
            return lines.read()
    words = ["--sites"] if chosen.sites else []
    return run(chosen.mkromfs, words + ["--manifest", "--", chosen.folder])


def read_all(folders, answers, budget):
    """{(host, file): what it holds}"""
    jobs = [(host, folders[host], file)
            for host in folders for file in sorted(answers[host].files)]
    if len(jobs) <= CHUNK:
        return {(host, file): work.read(folder, file, budget)
                for host, folder, file in jobs}
    pool = ProcessPoolExecutor(PROCESSES, initializer=work.begin)
    try:
        found = pool.map(work.read, [j[1] for j in jobs], [j[2] for j in jobs],
                         [budget] * len(jobs), chunksize=CHUNK)
        everything = {(job[0], job[2]): read for job, read in zip(jobs, found)}
    except BaseException:
        processes = list(pool._processes.values())
        for process in processes:
            process.kill()
        for process in processes:
            process.join(5)
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return everything


def bases_of(answers, read):
    """The URLs that relative references of a file start from, one per folder."""
    own = answers.files[read.file]
    places = {url.rsplit("/", 1)[0]: url for url in sorted(own, reverse=True)}
    found = sorted(places.values())
    return sorted({with_base(url, read.base) for url in found}) if read.base else found


def with_base(url, base):
    """Where relative references start in a page with <base href>."""
    try:
        target = urls.resolve(url, base)
    except urls.BadURL:
        return url
    return url if target is None else target.origin + target.path


def check_references(answers, everything):
    """Findings about what the files name."""
    anchors = {key: read.anchors for key, read in everything.items()
               if read.anchors is not None}
    seen = []
    for (host, _), read in everything.items():
        checker = links.Checker(answers, host, anchors)
        for base in bases_of(answers[host], read):
            seen += [(checker, shown_name(host, read), r, base)
                     for r in read.references]
    ask_all(answers, seen)
    findings = []
    for checker, file, reference, base in seen:
        findings += checker.check(file, reference, base)
    return list(dict.fromkeys(findings)) + wandering(answers, everything)


def ask_all(answers, seen):
    """One question to mkromfs per host instead of one per link."""
    targets = {host: set() for host in answers}
    for checker, _, reference, base in seen:
        try:
            place = checker.place(reference, base)
        except urls.BadURL:
            continue
        if place:
            targets[place[0]].add(place[1].path)
    for host, wanted in targets.items():
        answers[host].ask(wanted)


def wandering(answers, everything):
    """A 404 page answers in every folder, so what it names must not depend on one."""
    findings = []
    for (host, file), read in everything.items():
        if file not in answers[host].not_found or read.base is not None:
            continue
        for reference in read.references:
            url = urls.tidy(reference.url)
            if url and not urls.scheme_of(url) and url[0] not in "/\\#?":
                what = "broken link" if reference.role == LINK else "missing asset"
                why = f"<{reference.by}> {links.shown(url)} is relative, and this page" \
                    " answers in every folder: begin it with /"
                findings.append(Finding(shown_name(host, read), reference.line, what, why))
    return findings


def shown_name(host, thing):
    """A file as it lies below the folder that was given."""
    return os.path.join(host, thing.file)


def review(chosen, answers, everything):
    findings = [f._replace(file=shown_name(host, f))
                for (host, _), read in everything.items() for f in read.findings]
    findings += check_references(answers, everything)
    findings += leaks.in_hidden(chosen.folder)
    for line in report.lines(findings, chosen.all):
        print(line)
    print(report.summary(findings))
    return 1 if findings and chosen.strict else 0


def propose(answers, everything):
    """Print a policy, ready for CSP=; what stands in its way goes to stderr."""
    proposed = policy.Policy()
    for (host, _), read in everything.items():
        for base in bases_of(answers[host], read):
            proposed.add_page(read.references, read.inline, base)
        for line, why in read.unruly:
            print(report.one(Finding(shown_name(host, read), line, "not allowed by the policy",
                                     why + ": move it into a script")), file=sys.stderr)
    text = proposed.text()
    print(text)
    if len(text) > policy.LONG:
        print(f"review: the policy has {len(text)} bytes, and every page would carry it:"
              " move inline scripts and styles into files", file=sys.stderr)
    return 0


def main(arguments):
    chosen = options(arguments)
    folders = hosts_of(chosen)
    answers = {host: Answers(lines, asker(chosen.mkromfs, chosen.image, host)
                             if chosen.image else None)
               for host, lines in by_host(manifest_of(chosen), list(folders)).items()}
    everything = read_all(folders, answers, chosen.budget)
    if chosen.csp:
        return propose(answers, everything)
    return review(chosen, answers, everything)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        sys.stderr.write(str(trouble))
        sys.exit(2)
    except BrokenProcessPool:
        sys.exit("review: a process that reads pages died (out of memory?)")
    except KeyboardInterrupt:
        # An ordinary exit waits for the pool, whose processes may have died with a lock.
        sys.stdout.flush()
        os._exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
