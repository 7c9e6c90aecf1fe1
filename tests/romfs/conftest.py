"""What tests here share: baked.py, and a site to write files into."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from baked import Site  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    return Site(tmp_path)
