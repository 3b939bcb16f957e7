"""MFA devices and OpenID Connect providers, by real clients."""

import base64
import hashlib
import hmac
import secrets
import struct
import time

import botocore.exceptions
import pytest

from strongroom import ACCOUNT


def code(seed: bytes, step: int) -> str:
    """RFC 6238: six digits, SHA-1, 30 seconds."""
    digest = hmac.digest(seed, struct.pack(">Q", step), hashlib.sha1)
    return f"{struct.unpack_from('>I', digest, digest[-1] & 15)[0] % 2**31 % 10**6:06}"


@pytest.fixture
def name():
    return "name-" + secrets.token_hex(6)


def test_a_virtual_device_from_its_making_to_its_end(iam, name):
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Tags=[{"Key": "a", "Value": "b"}])["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], base64.b32decode(device["Base32StringSeed"])
    assert serial == f"arn:aws:iam::{ACCOUNT}:mfa/{name}" and device["QRCodePNG"].startswith(b"\x89PNG")
    assert serial in [found["SerialNumber"] for found in iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]]
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.create_user(UserName=name)
    step = int(time.time()) // 30
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidAuthenticationCode"):
        iam.enable_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1="000000", AuthenticationCode2="000000")
    iam.enable_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1=code(seed, step - 1), AuthenticationCode2=code(seed, step))
    assert [found["SerialNumber"] for found in iam.list_mfa_devices(UserName=name)["MFADevices"]] == [serial]
    assert iam.get_mfa_device(SerialNumber=serial)["UserName"] == name
    iam.resync_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1=code(seed, step + 1), AuthenticationCode2=code(seed, step + 2))
    with pytest.raises(botocore.exceptions.ClientError, match="DeleteConflict"):
        iam.delete_user(UserName=name)
    iam.deactivate_mfa_device(UserName=name, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.delete_user(UserName=name)


def test_an_openid_connect_provider(iam, name):
    thumbprint = "a" * 40
    arn = iam.create_open_id_connect_provider(Url=f"https://{name}.example.com/tenant", ClientIDList=["one"], ThumbprintList=[thumbprint])["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}.example.com/tenant"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (shown["ClientIDList"], shown["ThumbprintList"]) == (["two"], ["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["a"])
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    assert arn in [found["Arn"] for found in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
