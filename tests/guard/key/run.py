#!/usr/bin/python3
"""Looks for private keys in everything that the server can read, from outside.

The machine serves with keys that this program knows.  Again and again it is stopped in
the middle of its work, and the host writes down the guest's memory (QEMU's pmemsave)
and where its page tables are.  Those are walked here, independently of the kernel
that built them: what ring 3 can read, is searched for each number that is secret in
each key, in every form that a program could keep it in; 16 bytes of it in a row are
found.  The same search has to find them in ring 0's memory, and the certificates in
ring 3's, or it would be worth nothing.  Neither is a key in the image.

timeout: 300
"""
import base64
import functools
import os
import re
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../system"))

import certs        # noqa: E402  (their folder had to be named first)
import sites        # noqa: E402
import vm           # noqa: E402
from certs import Leaf  # noqa: E402

MEM_MIB = 64
LOOKS = 8
PIECE = 16              # bytes in a row that count as found
LEAVES = (Leaf("p256", ("p256.test",)), Leaf("p384", ("p384.test",)),
          Leaf("rsa2048", ("rsa2048.test",)), Leaf("rsa4096", ("rsa4096.test",)))
SECRET_FIELDS = {"privateExponent": "d", "prime1": "p", "prime2": "q",
                 "exponent1": "dp", "exponent2": "dq", "coefficient": "iq",
                 "priv": "x"}
# Page table entries: SDM vol. 3, section 4.5.
PRESENT, USER, LARGE = 1 << 0, 1 << 2, 1 << 7
ADDRESS = 0x000ffffffffff000
PAGE = 4096


# ---- What is secret, and what it may look like -------------------------------------

def secret_numbers(path):
    """Yield (name, bytes, big-endian) for each secret number of a key."""
    text = certs.openssl("pkey", "-in", path, "-noout", "-text")
    for name, digits in re.findall(r"^(\w+):\n((?:    [0-9a-f:]+\n?)+)", text, re.M):
        if name in SECRET_FIELDS:
            raw = bytes.fromhex(re.sub(r"[\s:]", "", digits))
            yield SECRET_FIELDS[name], raw.lstrip(b"\0")


def words(number, bits, size):
    """So many bits in each word of so many bytes, as big-integer code keeps them."""
    out = []
    while number:
        out.append((number & (1 << bits) - 1).to_bytes(size, "little"))
        number >>= bits
    return out


def forms(raw):
    """Yield (name, bytes): all of a number's forms."""
    number = int.from_bytes(raw, "big")
    yield "big-endian", raw
    yield "little-endian", raw[::-1]
    for bits, size in ((32, 4), (64, 8)):
        yield f"{bits}-bit words, highest first", b"".join(reversed(
            words(number, bits, size)))
    # BearSSL's i15, i31, i32, i62; P-256 in 9 words of 30 and 20 of 13 bits.
    for bits, size in ((15, 2), (31, 4), (62, 8), (30, 4), (13, 4)):
        yield f"{bits}-bit words", b"".join(words(number, bits, size))
    yield "hexadecimal", raw.hex().encode()
    yield "hexadecimal, capital", raw.hex().upper().encode()
    yield "base64", base64.b64encode(raw)


def pieces_of(data):
    """Disjoint pieces; whatever holds 31 bytes of the data in a row holds one."""
    for at in range(0, len(data) - PIECE + 1, PIECE):
        piece = data[at:at + PIECE]
        if len(set(piece)) > 5:     # not zeros, nor what is in any memory
            yield piece


@functools.lru_cache(maxsize=None)
def needles():
    """{piece: (key, number, form)}"""
    found = {}
    for leaf in LEAVES:
        path = certs.key_of(leaf.kind)
        for number, raw in secret_numbers(path):
            for form, data in forms(raw):
                for piece in pieces_of(data):
                    found[piece] = leaf.kind, number, form
        # In DER the numbers are big-endian; in PEM they are part of longer base64.
        with open(path, "rb") as f:
            for line in f.read().splitlines()[2:-2]:
                for piece in pieces_of(line):
                    found[piece] = leaf.kind, "file", "PEM"
    return found


def search(memory):
    """{(key, number, form)} of everything of which a piece is there."""
    known = needles()
    return {known[memory[at:at + PIECE]] for at in range(len(memory) - PIECE + 1)
            if memory[at:at + PIECE] in known}


# ---- The machine's memory ----------------------------------------------------------

class Look:
    """The memory of a machine that stands still, and what ring 3 can read of it."""

    def __init__(self, server):
        path = os.path.join(server.folder.name, "memory")
        server.qmp("stop")
        try:
            registers = server.qmp("human-monitor-command", **{
                "command-line": "info registers"})
            server.qmp("pmemsave", val=0, size=MEM_MIB << 20, filename=path)
        finally:
            server.qmp("cont")
        with open(path, "rb") as f:
            self.memory = f.read()
        value = {name: int(digits, 16) for name, digits
                 in re.findall(r"(CR[34]|RIP)=([0-9a-f]+)", registers)}
        assert not value["CR4"] >> 12 & 1, "five levels of tables: not known here"
        self.ring = int(re.search(r"CPL=(\d)", registers).group(1))
        self.user, self.kernel = set(), set()
        self._walk(value["CR3"] & ADDRESS, 4, True)

    def _walk(self, table, level, user):
        """Note each page that is present, by its number."""
        entries = struct.unpack_from("<512Q", self.memory, table)
        for entry in entries:
            if not entry & PRESENT:
                continue
            may = user and bool(entry & USER)
            if level > 1 and not entry & LARGE:
                self._walk(entry & ADDRESS, level - 1, may)
                continue
            count = 512 ** (level - 1)
            first = (entry & ADDRESS) // PAGE // count * count
            (self.user if may else self.kernel).update(range(first, first + count))

    def bytes_of(self, pages):
        """Their contents, neighbours side by side; empty pages and devices left out."""
        zero, parts, last = bytes(PAGE), [], None
        for page in sorted(pages):
            data = self.memory[page * PAGE:page * PAGE + PAGE]
            if len(data) < PAGE or data == zero:
                continue
            if last != page - 1:
                parts.append(b"\xa5" * 8)
            parts.append(data)
            last = page
        return b"".join(parts)


# ---- Cases -------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def built():
    authority = certs.Authority("key")
    rom = vm.make_rom(sites.small_site(1024), "key")
    return authority, vm.make_image(rom, "key"), authority.bundle("key", LEAVES)


def keep_busy(server, stopped, served):
    """Full handshakes, one after the other, with each key in turn."""
    authority = built()[0]
    while not stopped.is_set():
        for leaf in LEAVES:
            try:
                assert vm.fetch(server.ipv4, "/", tls=authority.trusting(),
                                name=leaf.names[0])[0] == 200
                served.append(leaf.kind)
            except OSError:
                if not stopped.is_set():
                    raise


def search_knows_what_it_looks_for():
    """Every number of every key, in every form, is found if it is there."""
    assert {number for _, number, _ in needles().values()} == \
        {*SECRET_FIELDS.values(), "file"}
    memory, wanted = [os.urandom(1001)], set()
    for leaf in LEAVES:
        for number, raw in secret_numbers(certs.key_of(leaf.kind)):
            for form, data in forms(raw):
                memory += [data, os.urandom(1001)]
                wanted.add((leaf.kind, number, form))
        with open(certs.key_of(leaf.kind), "rb") as f:
            memory.append(f.read())
            wanted.add((leaf.kind, "file", "PEM"))
    assert search(b"".join(memory)) == wanted
    assert not search(os.urandom(1 << 20))


def no_key_in_what_the_server_can_read(machine):
    authority, image, bundle = built()
    with vm.Machine(machine, image, MEM_MIB, "log=off", instance=bundle) as server:
        server.wait_ready()
        stopped, served = threading.Event(), []
        client = threading.Thread(target=keep_busy, args=(server, stopped, served))
        client.start()
        rings = []
        try:
            while len(set(served)) < len(LEAVES):
                assert client.is_alive(), "the server does not serve"
                stopped.wait(0.1)
            for number in range(LOOKS):
                stopped.wait(0.11 + 0.03 * number)
                look = Look(server)
                rings.append(look.ring)
                readable = look.bytes_of(look.user)
                found = search(readable)
                assert not found, f"ring 3 can read {found}"
        finally:
            stopped.set()
            client.join()
        print(f"# {len(served)} handshakes; ring 3 reads {len(look.user)} pages,"
              f" {len(readable) >> 10} KiB of them not empty; stopped in rings {rings}")
        what_is_searched_holds_what_it_must(look, readable, authority)


def what_is_searched_holds_what_it_must(look, readable, authority):
    """The certificates and the site are in ring 3's memory, the keys in ring 0's."""
    assert b"x" * 1024 in readable, "the site is not there"
    for leaf in LEAVES:
        with open(authority.chain_path(leaf), encoding="ascii") as f:
            pem = f.read().split("-----")[2]
        assert base64.b64decode(pem) in readable, f"no certificate of {leaf.kind}"
    found = search(look.bytes_of(look.kernel))
    wanted = {one for one in needles().values()
              if one[2] == "big-endian" and one[1] != "d"}
    assert wanted <= found, f"ring 0's memory lacks {wanted - found}"


def no_key_in_the_image():
    for path in built()[1], os.path.join(vm.BUILD, "stele.elf"):
        if os.path.exists(path):
            with open(path, "rb") as f:
                assert not search(f.read()), path


def bundle_is_for_its_owner_only():
    """The keys lie in it in the clear: nobody else on the host may read it."""
    assert os.stat(built()[2]).st_mode & 0o077 == 0


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    suite.add(search_knows_what_it_looks_for)
    for machine in "q35", "microvm":
        suite.add(no_key_in_what_the_server_can_read, machine)
    suite.add(no_key_in_the_image)
    suite.add(bundle_is_for_its_owner_only)
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
