"""Servers, clients and buckets for the tests."""

import secrets
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from modes import Mode  # noqa: E402
from strongroom import Server  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "after_all_others: judges what the other tests did, so it runs last")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("after_all_others") is not None)


@pytest.fixture
def whole_run(request):
    """Skips a test that judges all others when some were not asked for."""
    here = Path(__file__).parent
    files = {item.path for item in request.session.items}
    chosen = any(request.config.getoption(name, None) for name in ("keyword", "markexpr", "deselect", "lf"))
    if chosen or not files >= set(here.rglob("test_*.py")):
        pytest.skip("only after all tests")


def pytest_sessionfinish():
    """A test that failed may have left its server behind."""
    for server in Server.started:
        if server.process and server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share. SSE-C is allowed on its new buckets."""
    server = Server(tmp_path_factory.mktemp("strongroom"), "--blocked-encryption-types", "NONE").start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may kill it, stop it and look into its folder."""
    server = Server(tmp_path, "--blocked-encryption-types", "NONE").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3(server):
    return server.client("s3", secure=True)


@pytest.fixture(scope="session")
def kms(server):
    return server.client("kms", secure=True)


@pytest.fixture(scope="session")
def iam(server):
    return server.client("iam", secure=True)


@pytest.fixture(scope="session")
def key_arn(kms):
    return kms.create_key(Description="for the tests")["KeyMetadata"]["Arn"]


@pytest.fixture
def own_key(kms):
    """A key that the test may disable."""
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def bucket(s3):
    name = "bucket-" + secrets.token_hex(8)
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def mode(request):
    """Every server-side encryption mode in turn."""
    return request.param
