"""A request costs the same, however many files there are: counted in instructions, which
repeat exactly.
"""
import re
import subprocess

import pytest

PROGRAM = "build/unit/http/test_cost/program"
REQUESTS = 500      # as in test_cost.c
FEW, MANY = 10, 100_000


def instructions(paths, kind):
    """Of the requests alone: building the image and opening it do not count."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--toggle-collect=answer_all", PROGRAM, str(paths), kind],
        capture_output=True, text=True, check=True, timeout=280)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


@pytest.mark.parametrize("kind", ["hit", "miss"])
def test_many_files_cost_no_more_than_few(kind):
    few, many = (instructions(paths, kind) for paths in (FEW, MANY))
    print(f"{kind}: {few / REQUESTS:.1f} instructions a request of {FEW} files, "
          f"{many / REQUESTS:.1f} of {MANY}")
    assert few > 100 * REQUESTS
    assert abs(many - few) <= few / 10


def test_the_count_repeats_exactly():
    assert instructions(FEW, "hit") == instructions(FEW, "hit")
