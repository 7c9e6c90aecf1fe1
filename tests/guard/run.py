#!/usr/bin/env python3
"""Boots every guard program, case by case, and reads what the console shows.

    tests/guard/run.py [NAME...]

Every tests/guard/NAME.c has its image build/guard/NAME.elf.  A case
passes if the console matches its regular expression, shows no FAILURE, and the
machine has ended by itself.  With instance=WORD the machine gets the instance
bundle of that name: one of bundle.py, or the file build/WORD.  Prints TAP.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

import bundle

HERE = os.path.dirname(os.path.abspath(__file__))
CASE = re.compile(r"^ \* case (\w+)((?: [\w-]+=\S+)*): (.+)$", re.M)
SECONDS = 60


def cases(names):
    """Yield (program, case, options, regex) for every case line."""
    sources = []
    for folder, prefix in ((HERE, ""), (os.path.join(HERE, "kernel"), "kernel-")):
        for entry in sorted(os.listdir(folder)):
            if entry.endswith(".c"):
                sources.append((prefix + entry[:-2], os.path.join(folder, entry)))
    for program, path in sources:
        if names and program not in names:
            continue
        with open(path, encoding="utf-8") as source:
            found = CASE.findall(source.read())
        for case, options, regex in found:
            pairs = dict(word.split("=", 1) for word in options.split())
            yield program, case, pairs, regex


def wait_for(command, button):
    """Run QEMU, pressing the power button all the time if asked to; why it failed."""
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=errors, text=True) as run:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                if button:
                    run.stdin.write("system_powerdown\n")
                    run.stdin.flush()
                run.wait(0.5)
                break
            except (subprocess.TimeoutExpired, BrokenPipeError):
                pass
        else:
            run.kill()
            return f"still running after {SECONDS} s"
        errors.seek(0)
        return f"QEMU: {errors.read().strip()}" if run.returncode else None


def put_instance(build, word, to):
    """Write the instance bundle of this name to an open file."""
    if word in bundle.BUNDLES:
        to.write(bundle.BUNDLES[word]())
    else:
        with open(os.path.join(os.path.dirname(build), word), "rb") as file:
            to.write(file.read())
    to.flush()


def boot(build, program, case, options):
    """Run one case; returns (console text, why it did not end by itself or None)."""
    image = os.path.join(build, program + ".elf")
    words = [f"case={case}", f"on-crash={options.get('on-crash', 'poweroff')}",
             "ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:off"]
    if options.get("on-crash") == "none":
        del words[1]
    with (tempfile.NamedTemporaryFile(prefix="guard-") as console,
          tempfile.NamedTemporaryFile(prefix="guard-") as instance):
        command = [
            "qemu-system-x86_64", "-M", "microvm", "-accel", "tcg",
            "-cpu", options.get("cpu", "max"), "-smp", "1,maxcpus=2",
            "-m", "24", "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", f"file:{console.name}", "-kernel", image,
            "-append", " ".join(words),
            "-netdev", "user,id=n0,restrict=on",
            "-device", "virtio-net-device,netdev=n0",
            "-global", "virtio-mmio.force-legacy=false",
        ]
        if "instance" in options:
            put_instance(build, options["instance"], instance)
            command += ["-initrd", instance.name]
        if "button" in options:
            command += ["-monitor", "stdio"]
        why = wait_for(command, "button" in options)
        text = console.read().decode("utf-8", "replace").replace("\r", "")
    return text, why


def judge(build, program, case, options, regex):
    text, why = boot(build, program, case, options)
    if "FAILURE" in text:
        return next(line for line in text.splitlines() if "FAILURE" in line), text
    if re.search(regex, text) is None:
        return f"console does not show /{regex}/" + (f"; {why}" if why else ""), text
    return why, text


def bases(build):
    """Two boots of the same image: the addresses in the crash reports differ."""
    reports = []
    for _ in range(2):
        text, _ = boot(build, "privileged", "cli", {})
        found = re.findall(r"\b(rip|rsp|rdi) +([0-9a-f]{16})", text)
        reports.append(dict(found))
    first, second = reports
    missing = {"rip", "rsp", "rdi"} - first.keys() & second.keys()
    if missing:
        return f"no {missing} in a crash report"
    # Code, stack and information page: all three regions have moved.
    same = [name for name in ("rip", "rsp", "rdi")
            if int(first[name], 16) >> 12 == int(second[name], 16) >> 12]
    return f"{same} the same in two boots" if same else None


def main():
    build, names = "build/guard", sys.argv[1:]
    todo = list(cases(names))
    failed = 0
    print("TAP version 13")
    print(f"1..{len(todo) + (0 if names else 1)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = pool.map(lambda one: judge(build, *one), todo)
        number = 0
        for number, (one, (why, text)) in enumerate(zip(todo, results), 1):
            name = f"{one[0]}: {one[1]}"
            print(f"ok {number} - {name}" if why is None
                  else f"not ok {number} - {name}: {why}", flush=True)
            if why is not None:
                failed += 1
                print("".join(f"# {line}\n" for line in text.splitlines()[-25:]),
                      end="")
    if not names:
        why = bases(build)
        failed += why is not None
        print(f"ok {number + 1} - two boots give different bases" if why is None
              else f"not ok {number + 1} - two boots give different bases: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
