"""Where the instructions of a request go.

Prints the functions that execute most, a request, in the VM under QEMU's TCG; the
same figures go to build/bench/profile-KIND.json, for --against of a later run.
"""
import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time

import client
import images
import rig

BOOT_LIMIT_S = 60
IDLE_SECONDS = 5
LOAD_SECONDS = 2


def snapshot(server):
    """({(address, insns): times}, frames in and out) so far"""
    return ({(address, insns): count
             for address, insns, count in server.counters.blocks()},
            server.tap.frames())


def perform(server, name):
    """Do what is to be profiled: (how often, snapshot before, and after)."""
    if name in client.KINDS:
        kind = client.KINDS[name]
        return kind.times, *client.perform(server, kind,
                                           lambda: snapshot(server))
    times = IDLE_SECONDS
    if name == "c64":
        client.load(server, "/1k.bin", 64, LOAD_SECONDS)
    before = snapshot(server)
    if name == "c64":
        times = client.load(server, "/1k.bin", 64, LOAD_SECONDS).requests
    else:
        time.sleep(IDLE_SECONDS)
    time.sleep(0.05)
    return times, before, snapshot(server)


def profile(server, name):
    """({(address, insns): times}, how often it was done, frames in and out)"""
    if name == "boot":
        # From the answered SYN on: what ran since power-on, less the firmware.
        return snapshot(server)[0], 1, (0, 0)
    times, (before, frames_before), (after, frames_after) = perform(server, name)
    spent = {key: count - before.get(key, 0) for key, count in after.items()
             if count != before.get(key, 0)}
    frames = [(b - a) / times for a, b in zip(frames_before, frames_after)]
    return spent, times, frames


# ---- Printing ------------------------------------------------------------------

def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def print_top(rows, calls, total, top, before):
    """rows: {(part, name): instructions}, calls and before likewise."""
    print(f"{'instructions':>13} {'share':>6} {'so far':>6} {'calls':>9}"
          f" {'each':>8}{'   before' if before else ''}  function")
    so_far = 0
    ranked = sorted(rows.items(), key=lambda row: -row[1])
    for (part, name), spent in ranked[:top]:
        so_far += spent
        count = calls.get((part, name), 0)
        print(f"{number(spent):>13} {spent / total:6.1%} {so_far / total:6.1%}"
              f" {number(count) if count else '':>9}"
              f" {number(spent / count) if count else '':>8}", end="")
        if before:
            print(f" {number(before.get(f'{part}: {name}', 0)):>8}", end="")
        print(f"  {part}: {name}")
    rest = ranked[top:]
    if rest:
        print(f"{number(sum(n for _, n in rest)):>13} "
              f"{sum(n for _, n in rest) / total:6.1%}"
              f"   in {len(rest)} others")


def print_annotated(parts, function, times):
    found = False
    for part in parts:
        last = None
        for instruction, count, line in part.annotated(function):
            found = True
            if line != last:
                print(f"{'':12}; {part.name}: {line}")
                last = line
            count = count / times
            print(f"{number(count) if count else '.':>10}  "
                  f"{instruction.address:6x}  {instruction.text}")
    if not found:
        print(f"no function is called {function}", file=sys.stderr)


def report(arguments, parts, times, lost, frames):
    rows, calls = {}, {}
    for part in parts:
        if arguments.by == "function":
            spent = part.by_function()
        else:
            spent = part.by_source(0 if arguments.by == "inlined" else 1)
        rows.update({(part.name, n): c / times for n, c in spent.items()})
        if arguments.by == "function":
            calls.update({(part.name, n): c / times
                          for n, c in part.calls.items()})
    total = sum(rows.values())
    shares = ", ".join(f"{p.name} {number(sum(p.counts) / times)}" for p in parts)
    print(f"{arguments.kind}: {number(total)} instructions ({shares});"
          f" frames in {frames[0]:.2f}, out {frames[1]:.2f}; mean of {times}")
    if lost / times > total / 1000:
        print(f"{number(lost / times)} more in no function we know")
    before = {}
    if arguments.against:
        with open(arguments.against, encoding="utf-8") as f:
            before = json.load(f)
    print_top(rows, calls, total, arguments.top, before)
    with open(f"{rig.BUILD}/profile-{arguments.kind}.json", "w",
              encoding="utf-8") as f:
        json.dump({f"{part}: {name}": n for (part, name), n in rows.items()}, f)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run.sh profile", description=__doc__)
    parser.add_argument("kind", choices=[*client.KINDS, "c64", "idle", "boot"])
    parser.add_argument("--top", type=int, default=40, help="lines to print (40)")
    parser.add_argument("--by", choices=["function", "inlined", "line"],
                        default="function",
                        help="symbols, source functions even where they were"
                             " inlined, or source lines")
    parser.add_argument("--annotate", metavar="FUNCTION",
                        help="also how often each instruction of it runs")
    parser.add_argument("--against", metavar="FILE",
                        help="a saved profile, to show beside this one")
    parser.add_argument("--machine", choices=["q35", "microvm"], default="q35")
    parser.add_argument("--log", action="store_true", help="write the access log")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parts = images.our_parts()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(rig.Server(
            rig.Vm(arguments.machine), counted="blocks", log=arguments.log,
            tls=arguments.kind in client.TLS))
        client.wait_first_answer(server, BOOT_LIMIT_S)
        spent, times, frames = profile(server, arguments.kind)
        all_blocks = server.counters.blocks()
    lost = images.attribute(parts, all_blocks, spent)
    if arguments.kind == "boot":
        lost = 0        # the firmware
    report(arguments, parts, times, lost, frames)
    if arguments.annotate:
        print_annotated(parts, arguments.annotate, times)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (rig.Unmeasured, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
