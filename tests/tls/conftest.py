"""Fixtures: an authority, a server's certificate, and a desk to run mkinstance at."""
import pytest
from certmaker import Pki
from desk import Desk, pair


@pytest.fixture(scope="session", name="pki")
def _pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session", name="root")
def _root(pki):
    return pki.authority("root", subject="/O=Test/CN=Test Root")


@pytest.fixture(scope="session", name="middle")
def _middle(pki, root):
    return pki.authority("middle", root, subject="/O=Test/CN=Middle 1")


@pytest.fixture(scope="session", name="server")
def _server(pki, middle):
    return pki.cert(pki.key("p256"), "DNS:example.org,DNS:*.example.org", middle)


@pytest.fixture(name="desk")
def _desk(tmp_path, root):
    return Desk(tmp_path, root.path)


@pytest.fixture(name="good")
def _good(desk, server, middle):
    """The words for a pair that is fine."""
    return pair(desk.chain(server, middle), server.key)
