"""Which function, line and instruction an address belongs to.

The parts of our image are boot.elf at a fixed address, and kernel.elf and server.elf
at bases that are random at each boot.  The bases need no help from the guest: the
first block that runs in either half of the address space is that image's entry
point, for boot and kernel jump there.
"""
import bisect
import collections
import re
import subprocess

from rig import Unmeasured, elf_entry

LOW_END = 1 << 32
UPPER_START = 1 << 63
PAGE = 4096

Instruction = collections.namedtuple("Instruction", "address text")


class Part:
    """One ELF file, and what ran in it."""

    def __init__(self, name, first, last, random_base):
        self.name = name
        self.path = f"build/{name}.elf"
        self.range = range(first, last)
        self.base = None if random_base else 0
        self.entry = elf_entry(self.path)
        self.instructions = []       # sorted by address in the file
        self.addresses = []
        self._read_instructions()
        self.symbols = self._read_symbols()
        self.symbol_addresses = [address for address, _ in self.symbols]
        self.counts = [0] * len(self.instructions)
        self.calls = collections.Counter()

    def _read_instructions(self):
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", self.path],
            check=True, capture_output=True, text=True).stdout
        for found in re.finditer(r"^ *([0-9a-f]+):\t(.*)$", listing, re.M):
            self.instructions.append(
                Instruction(int(found[1], 16), found[2].strip()))
        self.addresses = [i.address for i in self.instructions]

    def _read_symbols(self):
        listing = subprocess.run(["nm", "-n", self.path], check=True,
                                 capture_output=True, text=True).stdout
        found = re.findall(r"^([0-9a-f]+) [tTwW] (\S+)$", listing, re.M)
        return [(int(address, 16), name) for address, name in found]

    def find_base(self, blocks):
        """Take the base from the first block that ran in this part's range."""
        if self.base is not None:
            return
        first = next((b[0] for b in blocks if b[0] in self.range), None)
        if first is None:
            raise Unmeasured(f"{self.path} never ran")
        self.base = first - self.entry
        if self.base % PAGE:
            raise Unmeasured(f"the first address of {self.name}, {first:#x}, "
                             f"is not the entry point of {self.path}")

    def add(self, address, insns, count):
        """A block ran so often; False if it is not of this part."""
        at = address - self.base
        index = bisect.bisect_left(self.addresses, at)
        if index == len(self.addresses) or self.addresses[index] != at:
            return False
        for i in range(index, min(index + insns, len(self.counts))):
            self.counts[i] += count
        if self.function_start(at) == at:
            self.calls[self.function(at)] += count
        return True

    def function_start(self, at):
        index = bisect.bisect_right(self.symbol_addresses, at) - 1
        return self.symbol_addresses[index] if index >= 0 else None

    def function(self, at):
        index = bisect.bisect_right(self.symbol_addresses, at) - 1
        return self.symbols[index][1] if index >= 0 else "?"

    def by_function(self):
        """{function: instructions executed}"""
        out = collections.Counter()
        for instruction, count in zip(self.instructions, self.counts):
            if count:
                out[self.function(instruction.address)] += count
        return out

    def source_lines(self, addresses):
        """[(innermost function, inlined or not; file:line)] of each address."""
        asked = "".join(f"{a:#x}\n" for a in addresses)
        answer = subprocess.run(
            ["addr2line", "-f", "-s", "-e", self.path], input=asked,
            check=True, capture_output=True, text=True).stdout.splitlines()
        return [(name, line.split(" ")[0])
                for name, line in zip(answer[::2], answer[1::2])]

    def by_source(self, key):
        """Executed instructions by inlined function (key 0) or line (key 1)."""
        ran = [(i.address, n) for i, n in zip(self.instructions, self.counts) if n]
        out = collections.Counter()
        for (_, count), where in zip(ran, self.source_lines([a for a, _ in ran])):
            out[where[key]] += count
        return out

    def annotated(self, function):
        """[(instruction, count, file:line)] of a function."""
        rows = [(i, n) for i, n in zip(self.instructions, self.counts)
                if self.function(i.address) == function]
        lines = self.source_lines([i.address for i, _ in rows])
        return [(i, n, where[1]) for (i, n), where in zip(rows, lines)]


def our_parts():
    return [Part("boot", 1 << 20, LOW_END, False),
            Part("server", LOW_END, UPPER_START, True),
            Part("kernel", UPPER_START, 1 << 64, True)]


def attribute(parts, all_blocks, spent):
    """Share out what was executed; returns instructions that belong nowhere.

    all_blocks  as Counters.blocks() gives them, since power-on: for the bases
    spent       {(address, insns): times} of what is to be attributed
    """
    lost = 0
    for part in parts:
        part.find_base(all_blocks)
    for (address, insns), count in spent.items():
        part = next((p for p in parts if address in p.range), None)
        if part is None or not part.add(address, insns, count):
            lost += insns * count
    return lost
