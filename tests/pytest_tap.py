"""A pytest plugin that prints TAP, so that tests/run can count single tests."""
import sys

results = []


def add(ok, report, reason=""):
    results.append(ok)
    print(f"\n{'ok' if ok else 'not ok'} {len(results)} - {report.nodeid}{reason}",
          file=sys.__stdout__)


def pytest_runtest_logreport(report):
    if report.skipped:
        why = report.longrepr
        why = why[2] if isinstance(why, tuple) else getattr(report, "wasxfail", "")
        add(True, report, f" # SKIP {why}")
    elif report.failed:
        add(False, report)
    elif report.when == "call":
        add(True, report)


def pytest_collectreport(report):
    if report.failed:
        add(False, report, " (cannot be collected)")


def pytest_sessionfinish():
    print(f"\n1..{len(results)}", file=sys.__stdout__)
