"""A server whose external key stores are behind the proxy of these tests."""

import secrets
import time

import pytest
from botocore.exceptions import ClientError

from strongroom import Server
from xks_proxy import XksProxy

PATH, OTHER_PATH = "/tenant-1/kms/xks/v1", "/kms/xks/v1"
TIMED_OUT = "did not respond in time"
#: Of a request to a proxy that is well.
ATTEMPTS = 4
# A proxy has 250 ms. What a busy machine adds, and the store's own part, are in the rest.
BOUND_SECONDS = 2


class Setting:
    """A server and its proxy."""

    def __init__(self, folder):
        self.proxy = XksProxy(folder, hosts=("xks.test", "second.test"), paths=(PATH, OTHER_PATH)).start()
        self.server = Server(
            folder / "server",
            environment={
                "STRONGROOM_XKS_CA_CERTIFICATES": str(self.proxy.authority.pem),
                "STRONGROOM_XKS_ROUTES": ",".join(
                    f"{host}={self.proxy.route}" for host in [*self.proxy.hosts, "stranger.test"]
                ),
            },
        )
        self.server.folder.mkdir()
        self.server.start()
        self.kms = self.server.client("kms", secure=True)
        self.kms.meta.events.register("needs-retry.kms", self.again)
        self.s3 = self.server.client("s3", secure=True)

    def again(self, response, attempts, **_):
        """On a busy machine a proxy in Python may need more than its 250 ms: one that is well is asked again, as the message says."""
        error = response[1].get("Error", {}) if response else {}
        is_well = self.proxy.server is not None and not self.proxy.faults
        return 0.1 if TIMED_OUT in error.get("Message", "") and is_well and attempts < ATTEMPTS else None

    def members(self, **changes) -> dict:
        """The request of CreateCustomKeyStore."""
        members = {
            "CustomKeyStoreName": "store " + secrets.token_hex(4),
            "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyUriEndpoint": self.proxy.endpoint,
            "XksProxyUriPath": PATH,
            "XksProxyAuthenticationCredential": self.proxy.credential,
            "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        }
        return {name: value for name, value in {**members, **changes}.items() if value is not None}

    def describe(self, store: str) -> dict:
        return self.kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]

    def connect(self, store: str) -> dict:
        self.kms.connect_custom_key_store(CustomKeyStoreId=store)
        return self.describe(store)

    def create_key(self, store: str, external: str, **options) -> str:
        members = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": external, **options}
        return self.kms.create_key(**members)["KeyMetadata"]["Arn"]

    def stop(self):
        self.proxy.stop()
        self.server.stop()


def refused(call, *arguments, **members) -> tuple[str, str]:
    """The code and message of an error, which came in time."""
    begun = time.monotonic()
    with pytest.raises(ClientError) as caught:
        call(*arguments, **members)
    assert time.monotonic() - begun < BOUND_SECONDS
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
