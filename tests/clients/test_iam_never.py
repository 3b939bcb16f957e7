"""What the server never has: asked for by those who clean up behind users and roles."""

import json
import secrets

import pytest
from botocore.exceptions import ClientError

from people import People, allow
from strongroom import ACCOUNT

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]})


def refused(call, **arguments) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


@pytest.fixture
def name():
    return "Name-" + secrets.token_hex(6)


def test_lists_are_empty(iam, name):
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    for call, member, arguments in (
        (iam.list_instance_profiles, "InstanceProfiles", {"PathPrefix": "/a/", "MaxItems": 1}),
        (iam.list_instance_profiles_for_role, "InstanceProfiles", {"RoleName": name}),
        (iam.list_server_certificates, "ServerCertificateMetadataList", {}),
        (iam.list_ssh_public_keys, "SSHPublicKeys", {"UserName": name}),
        (iam.list_signing_certificates, "Certificates", {"UserName": name}),
        (iam.list_service_specific_credentials, "ServiceSpecificCredentials", {"UserName": name}),
        (iam.list_service_specific_credentials, "ServiceSpecificCredentials", {"AllUsers": True}),
    ):
        answer = call(**arguments)
        assert (answer[member], answer["IsTruncated"], answer.get("Marker")) == ([], False, None)
        assert refused(call, **arguments, Marker="%%%") == ("ValidationError", "Invalid Marker.")
    answer = iam.list_saml_providers()
    assert answer["SAMLProviderList"] == [] and "IsTruncated" not in answer
    assert [page["InstanceProfiles"] for page in iam.get_paginator("list_instance_profiles").paginate()] == [[]]
    iam.delete_user(UserName=name)
    iam.delete_role(RoleName=name)


def test_whoever_is_not_there_has_no_list(iam, name):
    for call in (iam.list_ssh_public_keys, iam.list_signing_certificates, iam.list_service_specific_credentials, iam.get_login_profile):
        assert refused(call, UserName=name) == ("NoSuchEntity", f"The user with name {name} cannot be found.")
    found = refused(iam.list_instance_profiles_for_role, RoleName=name)
    assert found == ("NoSuchEntity", f"The role with name {name} cannot be found.")


def test_what_is_named_does_not_exist(iam, name):
    iam.create_user(UserName=name)
    saml = f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}"
    user, key = {"UserName": name}, "A" * 20
    profile, certificate = {"InstanceProfileName": name}, {"ServerCertificateName": name}
    tags, keys = {"Tags": [{"Key": "a", "Value": "b"}]}, {"TagKeys": ["a"]}
    table = {
        f"Login Profile for User {name} cannot be found.": (
            (iam.get_login_profile, user),
            (iam.delete_login_profile, user),
            (iam.update_login_profile, user | {"Password": "correct horse"}),
        ),
        f"Instance Profile {name} cannot be found.": (
            (iam.get_instance_profile, profile),
            (iam.delete_instance_profile, profile),
            (iam.list_instance_profile_tags, profile),
            (iam.tag_instance_profile, profile | tags),
            (iam.untag_instance_profile, profile | keys),
            (iam.add_role_to_instance_profile, profile | {"RoleName": name}),
            (iam.remove_role_from_instance_profile, profile | {"RoleName": name}),
        ),
        f"The Server Certificate with name {name} cannot be found.": (
            (iam.get_server_certificate, certificate),
            (iam.delete_server_certificate, certificate),
            (iam.update_server_certificate, certificate | {"NewPath": "/a/"}),
            (iam.list_server_certificate_tags, certificate),
            (iam.tag_server_certificate, certificate | tags),
            (iam.untag_server_certificate, certificate | keys),
        ),
        f"Manifest not found for arn {saml}": (
            (iam.get_saml_provider, {"SAMLProviderArn": saml}),
            (iam.delete_saml_provider, {"SAMLProviderArn": saml}),
            (iam.list_saml_provider_tags, {"SAMLProviderArn": saml}),
            (iam.tag_saml_provider, {"SAMLProviderArn": saml} | tags),
            (iam.untag_saml_provider, {"SAMLProviderArn": saml} | keys),
        ),
        f"The Public Key with id {key} cannot be found.": (
            (iam.get_ssh_public_key, user | {"SSHPublicKeyId": key, "Encoding": "SSH"}),
            (iam.update_ssh_public_key, user | {"SSHPublicKeyId": key, "Status": "Active"}),
            (iam.delete_ssh_public_key, user | {"SSHPublicKeyId": key}),
        ),
        f"The Certificate with id {'A' * 24} cannot be found.": (
            (iam.update_signing_certificate, user | {"CertificateId": "A" * 24, "Status": "Active"}),
            (iam.delete_signing_certificate, user | {"CertificateId": "A" * 24}),
        ),
        f"No such credential {key} exists": (
            (iam.update_service_specific_credential, user | {"ServiceSpecificCredentialId": key, "Status": "Active"}),
            (iam.reset_service_specific_credential, user | {"ServiceSpecificCredentialId": key}),
            (iam.delete_service_specific_credential, user | {"ServiceSpecificCredentialId": key}),
        ),
        f"The Password Policy with domain name {ACCOUNT} cannot be found.": ((iam.get_account_password_policy, {}),),
        "The account policy with name PasswordPolicy cannot be found.": ((iam.delete_account_password_policy, {}),),
    }
    for words, calls in table.items():
        for call, arguments in calls:
            assert refused(call, **arguments) == ("NoSuchEntity", words), call
    assert refused(iam.get_saml_provider, SAMLProviderArn="a" * 20) == ("InvalidInput", "Invalid ARN: " + "a" * 20)
    iam.delete_user(UserName=name)


def test_what_would_make_one_is_not_there(iam, name):
    for call, arguments in (
        (iam.create_instance_profile, {"InstanceProfileName": name}),
        (iam.create_login_profile, {"UserName": name, "Password": "correct horse"}),
        (iam.update_account_password_policy, {"MinimumPasswordLength": 8}),
        (iam.create_saml_provider, {"Name": name, "SAMLMetadataDocument": "a" * 1000}),
        (iam.upload_ssh_public_key, {"UserName": name, "SSHPublicKeyBody": "ssh-rsa AAAA"}),
        (iam.create_service_specific_credential, {"UserName": name, "ServiceName": "cassandra.amazonaws.com"}),
    ):
        assert refused(call, **arguments)[0] == "NotImplemented"


def test_decisions_are_about_the_user_the_role_or_the_thing(tmp_path):
    people = People(tmp_path)
    try:
        resources = [
            ("ListSSHPublicKeys", {"UserName": "target"}, "user/target"),
            ("GetLoginProfile", {"UserName": "target"}, "user/target"),
            ("ListInstanceProfilesForRole", {"RoleName": "target"}, "role/path/target"),
            ("ListInstanceProfiles", {"PathPrefix": "/a/"}, "instance-profile/a/"),
            ("GetInstanceProfile", {"InstanceProfileName": "target"}, "instance-profile/target"),
            ("GetServerCertificate", {"ServerCertificateName": "target"}, "server-certificate/target"),
            ("GetSAMLProvider", {"SAMLProviderArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/target"}, "saml-provider/target"),
        ]
        people.iam.create_user(UserName="target")
        people.iam.create_role(RoleName="target", Path="/path/", AssumeRolePolicyDocument=TRUST)
        arn = f"arn:aws:iam::{ACCOUNT}:"
        right = people.user(*(allow("iam:" + operation, arn + resource) for operation, _, resource in resources)).client("iam")
        wrong = people.user(*(allow("iam:" + operation, arn + resource + "x") for operation, _, resource in resources)).client("iam")
        for operation, arguments, resource in resources:
            method = right.meta.method_to_api_mapping
            called = next(name for name, api in method.items() if api == operation)
            code, words = refused(getattr(wrong, called), **arguments)
            assert code == "AccessDenied" and f"iam:{operation} on resource: {arn}{resource} because" in words
            if operation.startswith("List"):
                getattr(right, called)(**arguments)
            else:
                assert refused(getattr(right, called), **arguments)[0] == "NoSuchEntity"
    finally:
        people.server.stop()
