"""Measure everything that can be served with, and print one table.

What is compared is measured in turn (A B A B ...) and given as the median.  No
figure is ever a failure; what could not be measured is named at the end, and only
then is the exit status 1.
"""
import argparse
import contextlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys

import client
import rig
from rig import Unmeasured

BUDGET_S = 430
BOOT_LIMIT_S = 60
ROUNDS = 3
COUNT_ROUNDS = 5
TLS_COUNT_ROUNDS = 3
RATE_SECONDS = 2
TLS_SECONDS = 1.5
COUNT_SECONDS = 1
RATE_CONNECTIONS = 64
BUSY = 0.9        # of the time: less, and something else than the server was the limit


# ---- Rows ----------------------------------------------------------------------

def whole(value):
    return f"{value:,.0f}"


def tenths(value):
    return f"{value:,.1f}"


def millions(value):
    return f"{value / 1e6:,.2f}"


# key -> (title, unit, how it is written)
ROWS = {
    "rate": ("requests/s, 1 KiB, keep-alive, 64 connections", "requests/s", whole),
    "rate_log": ("  the same with the access log", "requests/s", whole),
    "tls1k_s": ("requests/s, 1 KiB over TLS, keep-alive, 64 connections",
                "requests/s", whole),
    "tls1m_s": ("MB/s, 1 MiB over TLS, keep-alive, 4 connections", "MB/s", whole),
    "tlsnew_s": ("full handshakes/s, ECDSA P-256", "handshakes/s", whole),
    "tlsrsa_s": ("full handshakes/s, RSA 2048", "handshakes/s", whole),
    "tlsresume_s": ("resumed handshakes/s", "handshakes/s", whole),
    "tls1k_cpu": ("CPU µs: 1 KiB over TLS", "µs", tenths),
    "tls1m_cpu": ("CPU µs: 1 MiB over TLS", "µs", whole),
    "tlsnew_cpu": ("CPU µs: full handshake, ECDSA P-256", "µs", whole),
    "tlsrsa_cpu": ("CPU µs: full handshake, RSA 2048", "µs", whole),
    "tlsresume_cpu": ("CPU µs: resumed handshake", "µs", whole),
    "boot_ms": ("boot to first response, ms", "ms", whole),
    "boot": ("boot to listening, million instructions", "instructions", millions),
    "boot_low": ("  of them below 4 GiB (boot/)", "instructions", millions),
    "boot_lower": ("  of them ring 3", "instructions", millions),
    "boot_upper": ("  of them ring 0", "instructions", millions),
}
for _key, _kind in client.KINDS.items():
    ROWS[_key] = ("instructions: " + _kind.title, "instructions", whole)
    ROWS[_key + "_lower"] = ("  of them ring 3", "instructions", whole)
    ROWS[_key + "_upper"] = ("  of them ring 0", "instructions", whole)
ROWS.update({
    "c64": ("instructions: 1 KiB, 64 connections at once", "instructions", whole),
    "1k_log": ("instructions: 1 KiB, keep-alive, access log", "instructions",
               whole),
    "idle": ("instructions a second when idle", "instructions", whole),
    "least_mib": ("least memory that serves, MiB", "MiB", whole),
    "image": ("image without the site, KiB", "bytes",
              lambda value: f"{value / 1024:,.0f}"),
})


class Results:
    """Figures by row and column, and what is missing."""

    def __init__(self):
        self.runs = {}
        self.missing = {}

    def add(self, row, body, value):
        self.runs.setdefault(row, {}).setdefault(body.name, []).append(value)

    def add_counts(self, row, body, counts):
        """By ring, where the addresses tell: in the layout of Linux too."""
        self.add(row, body, counts.total())
        self.add(row + "_lower", body, counts.lower)
        self.add(row + "_upper", body, counts.upper)

    @contextlib.contextmanager
    def attempt(self, row, body):
        """Note why a row of this body is missing, and go on."""
        try:
            yield
        except (Unmeasured, OSError, subprocess.SubprocessError) as error:
            self.missing.setdefault((row, body.name), str(error))

    def add_tls(self, key, body, made, cpu):
        """What tlsload did, and the server's CPU seconds for it."""
        amount = made.times
        if key == "tls1m":
            amount *= client.SIZES["/1m.bin"] / 1e6
        self.add(key + "_s", body, amount / made.seconds)
        self.add(key + "_cpu", body, cpu / made.times * 1e6)
        self.add(key + "_busy", body, cpu / made.seconds)

    def median(self, row, body):
        runs = self.runs.get(row, {}).get(body.name)
        return statistics.median(runs) if runs else None


# ---- What is done --------------------------------------------------------------

class Bench:
    def __init__(self, bodies):
        self.bodies = bodies
        self.results = Results()
        self.budget = rig.Budget(BUDGET_S)

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def start(self, stack, body, **options):
        """Start a body and wait for its first answer: (server, answer)."""
        limit = self.budget.limit(BOOT_LIMIT_S)
        server = stack.enter_context(rig.Server(body, **options))
        return server, client.wait_first_answer(server, limit)

    def start_rounds(self, stack, row, bodies, record, **options):
        """Start each body several times, in turn; the last ones go on running."""
        running = []
        for number in reversed(range(ROUNDS)):
            for body in bodies:
                if number >= (body.counted_boots if "counted" in options
                              else ROUNDS):
                    continue
                with self.results.attempt(row, body), \
                        contextlib.ExitStack() as one:
                    server, answer = self.start(one, body, **options)
                    record(body, answer)
                    if number == 0:
                        stack.push(one.pop_all())
                        running.append(server)
        return running

    def times(self):
        self.say("boot and load, without counting")
        results = self.results
        with contextlib.ExitStack() as stack:
            servers = [("rate", s) for s in self.start_rounds(
                stack, "boot_ms", [b for b in self.bodies if b.boots],
                lambda body, a: results.add("boot_ms", body, a.ms))]
            for body in self.bodies:
                if not body.boots:
                    with results.attempt("rate", body):
                        servers.append(("rate", self.start(stack, body)[0]))
                if body.ours:
                    with results.attempt("rate_log", body):
                        servers.append(
                            ("rate_log", self.start(stack, body, log=True)[0]))
            for _ in range(ROUNDS):
                for row, server in servers:
                    with results.attempt(row, server.body):
                        self.budget.limit(1)
                        made = client.load(server, "/1k.bin", RATE_CONNECTIONS,
                                           RATE_SECONDS)
                        results.add(row, server.body, made.rate)

    def times_tls(self):
        self.say("TLS, without counting")
        with contextlib.ExitStack() as stack:
            servers = self.start_tls(stack, "tls1k_s", self.bodies)
            for _ in range(ROUNDS):
                for key, kind in client.TLS.items():
                    for server in servers:
                        with self.results.attempt(key + "_s", server.body):
                            self.budget.limit(1)
                            made, cpu = client.tls_load(server, kind, TLS_SECONDS)
                            self.results.add_tls(key, server.body, made, cpu)

    def start_tls(self, stack, row, bodies, **options):
        """Servers with certificates, of the bodies that are measured with TLS."""
        servers = []
        for body in bodies:
            if body.tls:
                with self.results.attempt(row, body):
                    servers.append(
                        self.start(stack, body, tls=True, **options)[0])
        return servers

    def record_boot(self, body, answer):
        self.results.add_counts("boot", body, answer.listening)
        self.results.add("boot_low", body, answer.listening.low)

    def counts(self):
        self.say("boot and requests, counting instructions")
        counted = [b for b in self.bodies if b.counts]
        with contextlib.ExitStack() as stack:
            servers = self.start_rounds(stack, "boot", counted,
                                        self.record_boot, counted=True)
            logging = []
            for body in counted:
                if body.ours:
                    with self.results.attempt("1k_log", body):
                        logging.append(self.start(stack, body, counted=True,
                                                  log=True)[0])
            for _ in range(COUNT_ROUNDS):
                for server in servers:
                    self.count_requests(server)
                for server in logging:
                    self.count_one("1k_log", server, client.KINDS["1k"])

    def counts_tls(self):
        self.say("TLS, counting instructions")
        with contextlib.ExitStack() as stack:
            servers = self.start_tls(
                stack, "tls1k", [b for b in self.bodies if b.counts],
                counted=True)
            for _ in range(TLS_COUNT_ROUNDS):
                for key, kind in client.TLS.items():
                    for server in servers:
                        self.count_one(key, server, kind)

    def count_one(self, row, server, kind):
        with self.results.attempt(row, server.body):
            self.budget.limit(1)
            spent = client.count_requests(server, kind)
            self.results.add_counts(row, server.body, spent)

    def count_requests(self, server):
        for key, kind in client.PLAIN.items():
            self.count_one(key, server, kind)
        with self.results.attempt("c64", server.body):
            self.budget.limit(1)
            spent = client.count_load(server, "/1k.bin", RATE_CONNECTIONS,
                                      COUNT_SECONDS)
            self.results.add("c64", server.body, spent.total())
        with self.results.attempt("idle", server.body):
            self.budget.limit(1)
            self.results.add("idle", server.body, client.count_idle(server, COUNT_SECONDS))

    def serves(self, body, mem):
        """Whether it boots with so much memory and sends the largest file."""
        usual = self.results.median("boot_ms", body) or BOOT_LIMIT_S * 250
        limit = self.budget.limit(2 + 3 * usual / 1000)
        with rig.Server(body, mem=mem) as server:
            try:
                client.wait_first_answer(server, limit)
                client.request_many(server, client.KINDS["1m"], 3)
                return True
            except Unmeasured:
                return False

    def least_memory(self, body, low, high, step):
        """Search between what is too little and what is known to be enough."""
        self.say(f"least memory, {body.name}")
        with self.results.attempt("least_mib", body):
            if not self.serves(body, high):
                raise Unmeasured(f"does not serve with {high} MiB")
            while high - low > step:
                middle = (low + high) // 2 // step * step
                if self.serves(body, middle):
                    high = middle
                else:
                    low = middle
            self.results.add("least_mib", body, high)

    def sizes(self):
        for body in self.bodies:
            if isinstance(body, rig.Vm):
                self.results.add("image", body, os.path.getsize(rig.IMAGE)
                                 - os.path.getsize(rig.ROM))
            if isinstance(body, rig.LinuxGuest):
                with open(rig.LINUX + "/size", encoding="ascii") as f:
                    self.results.add("image", body, int(f.read()))


# ---- The table -----------------------------------------------------------------

NOTES = """\
Counts repeat, times do not: runs of one row differed by up to {counts:.0%} in
instructions a request, by up to {times:.0%} in time.  Compare within one table only.
Medians of {rounds} runs ({count_rounds} of what is counted a request without TLS), in turn.
QEMU's TCG, one CPU, instructions as it executes them; no access log unless said.
TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256 (RSA 2048: ECDHE-RSA) with X25519; handshakes
from SYN to FIN, without a request; resumption by session identifier, each one checked.
+ the server had less than {busy:.0%} of a CPU: the client or other programs were the
limit, so believe its CPU time a request.  QEMU's includes the emulation."""


def spread(results, keys):
    """How far apart the runs of one row and column are, at most."""
    apart = [0]
    for key in keys:
        for runs in results.runs.get(key, {}).values():
            apart.append((max(runs) - min(runs)) / statistics.median(runs))
    return max(apart)


def notes(results):
    return NOTES.format(counts=spread(results, client.KINDS),
                        times=spread(results, ("rate", "boot_ms",
                                               *(k + "_s" for k in client.TLS))),
                        rounds=ROUNDS, count_rounds=COUNT_ROUNDS, busy=BUSY)


def mark(results, key, body):
    """Whether the server was not what limited a rate."""
    busy = key.endswith("_s") and results.median(key[:-2] + "_busy", body)
    return "+" if busy and busy < BUSY else ""


def table(results, bodies):
    names = [b.name for b in bodies]
    title_width = max(len(title) for title, _, _ in ROWS.values())
    widths = [max(len(n), 11) for n in names]
    lines = [" " * title_width + "".join(
        "  " + n.rjust(w) for n, w in zip(names, widths))]
    for key, (title, _, write) in ROWS.items():
        cells = []
        for body in bodies:
            value = results.median(key, body)
            lost = (key, body.name) in results.missing
            cells.append(mark(results, key, body) + write(value)
                         if value is not None else "failed" if lost else "-")
        if any(c != "-" for c in cells):
            lines.append(title.ljust(title_width) + "".join(
                "  " + c.rjust(w) for c, w in zip(cells, widths)))
    return "\n".join(lines + ["", notes(results)])


def as_json(results, bodies):
    columns = {}
    for body in bodies:
        columns[body.name] = {
            key: {"median": results.median(key, body),
                  "unit": unit,
                  "runs": results.runs[key][body.name]}
            for key, (_, unit, _) in ROWS.items()
            if body.name in results.runs.get(key, {})}
    with open(rig.BUILD + "/image.sha256", encoding="ascii") as f:
        image = f.read().strip()
    return {
        "image_sha256": image,
        "host": platform.platform(),
        "cpus": os.cpu_count(),
        "columns": columns,
        "missing": [{"row": row, "column": column, "reason": reason}
                    for (row, column), reason in results.missing.items()],
    }


def save(name, text):
    with open(f"{rig.BUILD}/{name}", "w", encoding="utf-8") as f:
        f.write(text + "\n")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__)
    parser.add_argument("--linux", action="store_true",
                        help="compare with Linux and nginx")
    parser.add_argument("--nginx", metavar="PROGRAM",
                        help="compare with nginx on this machine")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rig.widen_ports()

    bodies = [rig.Vm("q35"), rig.Vm("microvm"), rig.Process()]
    if arguments.nginx:
        bodies.append(rig.NativeNginx(arguments.nginx))
    if arguments.linux:
        bodies.append(rig.LinuxGuest())
    bench = Bench(bodies)
    bench.sizes()
    bench.counts()
    bench.counts_tls()
    bench.times()
    bench.times_tls()
    bench.least_memory(bodies[0], 2, bodies[0].mem, 1)
    if arguments.linux:
        bench.least_memory(bodies[-1], 64, 112, 4)

    text = table(bench.results, bodies)
    save("table.txt", text)
    save("results.json", json.dumps(as_json(bench.results, bodies), indent=2))
    print(text)
    for (row, column), reason in bench.results.missing.items():
        title = ROWS[row][0].strip()
        print(f"bench: not measured: {column}: {title}: {reason}",
              file=sys.stderr)
    return 1 if bench.results.missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
