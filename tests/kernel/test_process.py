"""The Linux process takes the instance bundle that the VM takes, and refuses the same."""
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../guard"))
import bundle  # noqa: E402

BUILD = os.path.join(HERE, "../../build")
NO_LINK = "no-such-socket"


def process(tmp_path, content, *options):
    """Start it with this bundle and without a network: what it says before it ends."""
    path = tmp_path / "instance.bin"
    if content is not None:
        path.write_bytes(content)
    done = subprocess.run(
        [os.path.join(BUILD, "stele-process"), "--rom", os.path.join(BUILD, "site.rom"),
         "--passt", NO_LINK, "--instance", path, *options],
        capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("name", ["keys", "poweroff", "huge"])
def test_a_sound_bundle_is_taken(tmp_path, name):
    assert NO_LINK in process(tmp_path, bundle.BUNDLES[name]())


@pytest.mark.parametrize("make, reason", [
    (lambda: None, "No such file"),
    (lambda: b"", "1 to 1048576 bytes"),
    (lambda: bytes((1 << 20) + 1), "1 to 1048576 bytes"),
    (lambda: b"S", "cut off"),
    (lambda: bytes(8192), "is not an instance bundle"),
    (bundle.damaged, "its digest is another"),
])
def test_another_is_refused(tmp_path, make, reason):
    text = process(tmp_path, make())
    assert "instance.bin: " in text and reason in text


def test_settings_and_command_line_fit_together(tmp_path):
    content = bundle.make([], b"x" * 1000)
    assert NO_LINK in process(tmp_path, content, "--append", "a" * 1046)
    assert "together are too long" in process(tmp_path, content, "--append", "a" * 1047)
