"""The reference clients that are processes of their own: each starts once for all tests."""

import pytest

from peers import Java


@pytest.fixture(scope="session")
def java(server, tmp_path_factory):
    java = Java(server, tmp_path_factory.mktemp("java"))
    yield java
    java.stop()
