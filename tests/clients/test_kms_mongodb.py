"""MongoDB's client-side field-level encryption: libmongocrypt signs and parses the KMS requests, we carry them over TLS.

No MongoDB server is needed: the key vault is a list here.
"""

import socket
import ssl

import bson
import pytest
from bson.binary import Binary
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.state_machine import MongoCryptCallback

DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
RANDOM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"


class Driver(MongoCryptCallback):
    """What a MongoDB driver does for libmongocrypt."""

    def __init__(self, ca_bundle: str):
        self.tls = ssl.create_default_context(cafile=ca_bundle)
        self.vault: list[bytes] = []
        self.requests = 0

    def kms_request(self, kms_context):
        self.requests += 1
        host, port = kms_context.endpoint.split(":")
        plain = socket.create_connection((host, int(port)), timeout=30)
        with self.tls.wrap_socket(plain, server_hostname=host) as connection:
            connection.sendall(kms_context.message)
            while kms_context.bytes_needed > 0:
                received = connection.recv(kms_context.bytes_needed)
                assert received, "the server hung up in the middle of an answer"
                kms_context.feed(received)

    def fetch_keys(self, filter):
        return list(self.vault)

    def insert_data_key(self, data_key):
        self.vault.append(bytes(data_key))
        return bson.decode(data_key)["_id"]

    def bson_encode(self, doc):
        return bson.encode(doc)

    def collection_info(self, database, filter):
        raise AssertionError("explicit encryption knows no collection")

    def mark_command(self, database, cmd):
        raise AssertionError("explicit encryption marks no command")

    def close(self):
        pass


@pytest.fixture
def connect(server):
    """A new client on a vault: nothing but the vault is remembered."""

    def connect(vault: list[bytes]) -> tuple[Driver, ExplicitEncrypter]:
        driver = Driver(server.ca_bundle())
        driver.vault = vault
        credentials = {"accessKeyId": server.access_key_id, "secretAccessKey": server.secret_access_key}
        return driver, ExplicitEncrypter(driver, MongoCryptOptions({"aws": credentials}))

    return connect


def test_fields_of_a_document(connect, server, kms, own_key):
    vault: list[bytes] = []
    driver, client = connect(vault)
    master = {"region": "us-east-1", "key": own_key, "endpoint": server.https.removeprefix("https://")}
    key = client.create_data_key("aws", master_key=master, key_alt_names=["people"])
    assert isinstance(key, Binary) and driver.requests == 1

    def sealed(value, algorithm):
        return bson.decode(client.encrypt(bson.encode({"v": value}), algorithm, key_alt_name="people"))["v"]

    person = {"name": "Ada", "number": 123456789, "diagnoses": ["a", "b"]}
    stored = {
        "name": sealed(person["name"], DETERMINISTIC),
        "number": sealed(person["number"], DETERMINISTIC),
        "diagnoses": sealed(person["diagnoses"], RANDOM),
    }
    assert all(isinstance(value, Binary) and value.subtype == 6 for value in stored.values())
    assert sealed("Ada", DETERMINISTIC) == stored["name"], "equal values stay comparable"

    driver, client = connect(vault)
    opened = {name: bson.decode(client.decrypt(bson.encode({"v": value})))["v"] for name, value in stored.items()}
    assert opened == person and driver.requests == 1

    kms.disable_key(KeyId=own_key)
    with pytest.raises(MongoCryptError, match="DisabledException|disabled"):
        connect(vault)[1].decrypt(bson.encode({"v": stored["name"]}))


def test_a_vault_moves_to_another_key(connect, server, kms, own_key):
    vault: list[bytes] = []
    endpoint = server.https.removeprefix("https://")
    client = connect(vault)[1]
    key = client.create_data_key("aws", master_key={"region": "us-east-1", "key": own_key, "endpoint": endpoint})
    sealed = client.encrypt(bson.encode({"v": "hello"}), RANDOM, key_id=bytes(key))

    other = kms.create_key()["KeyMetadata"]["Arn"]
    target = {"region": "us-east-1", "key": other, "endpoint": endpoint}
    moved = bson.decode(connect(vault)[1].rewrap_many_data_key({}, "aws", target))["v"]
    assert [document["masterKey"]["key"] for document in moved] == [other]
    kms.disable_key(KeyId=own_key)
    vault = [bson.encode(bson.decode(vault[0]) | moved[0])]
    assert bson.decode(connect(vault)[1].decrypt(sealed)) == {"v": "hello"}
