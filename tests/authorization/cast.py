"""Who asks: every kind of principal that AWS knows, with the same policies in a few shapes.

`ALL` allows everything; `READ` is the narrow policy of boundaries and session policies.
"""

import base64
import hashlib
import hmac
import secrets
import struct
import time
from pathlib import Path

import boto3
import botocore.config
from botocore import UNSIGNED

from people import OTHER_ACCOUNT, allow, deny, document
from strongroom import ACCOUNT, REGION, Server

# Name, account, what it is. The columns of the tables, in this order.
COLUMNS = {
    "root": "the root user of the account that owns everything",
    "bare": "a user without any policy",
    "allow": "a user whose policy is ALL; tagged team=red",
    "deny": "a user with ALL and a Deny of everything",
    "member": "a user without a policy in a group that has ALL",
    "bound": "a user with ALL and the boundary READ; tagged team=red",
    "edge": "a user without a policy and with the boundary ALL: a boundary gives nothing",
    "role": "a session of a role with ALL; the role is tagged team=red",
    "idle": "a session of a role without a policy",
    "scoped": "a session of a role with ALL, made with the session policy READ",
    "fenced": "a session of a role with ALL and the boundary READ",
    "fed": "a federated user's session, made by `allow` without a session policy",
    "fedread": "a federated user's session, made by `allow` with the session policy READ",
    "token": "`allow` by GetSessionToken, without MFA",
    "mfa": "a user that may do everything if MFA is present, by GetSessionToken with MFA",
    "nomfa": "the same user by its access key",
    "guest": "a session of a role with ALL, assumed by xallow from the other account",
    "xroot": "the root user of another account",
    "xallow": "a user of another account with ALL; tagged team=red",
    "xbare": "a user of another account without a policy",
    "xdeny": "a user of another account with ALL and a Deny of everything",
    "xbound": "a user of another account with ALL and the boundary READ",
    "xrole": "a session of another account's role with ALL; the role is tagged team=red",
    "anon": "somebody who does not sign",
}

ALL = document(allow("*", "*"))
EVERYTHING_DENIED = document(allow("*", "*"), deny("*", "*"))
WITH_MFA = document(allow("*", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
READ_ACTIONS = [
    *("s3:Get*", "s3:List*", "kms:DescribeKey", "kms:Decrypt", "kms:List*", "kms:Get*", "iam:Get*", "iam:List*"),
    *("cloudtrail:LookupEvents", "cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*"),
]
READ = document(allow(READ_ACTIONS, "*"))
RED = [{"Key": "team", "Value": "red"}]


def user(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def session(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{name}/session"


# The names that resource policies use.
ROOT, OTHER_ROOT = f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER_ACCOUNT}:root"
USERS = [user(name) for name in ("bare", "allow", "deny", "member", "bound", "edge", "mfa")]
USERS += [user(name, OTHER_ACCOUNT) for name in ("xallow", "xbare", "xdeny", "xbound")]
ROLES = [role(name) for name in ("role", "idle", "scoped", "fenced", "guest")] + [role("xrole", OTHER_ACCOUNT)]
SESSIONS = [session(name) for name in ("role", "idle", "scoped", "fenced", "guest")] + [session("xrole", OTHER_ACCOUNT)]
SESSIONS += [f"arn:aws:sts::{ACCOUNT}:federated-user/{name}" for name in ("fed", "fedread")]


def code(seed: bytes, step: int) -> str:
    """RFC 6238: six digits, SHA-1, 30 seconds."""
    digest = hmac.digest(seed, struct.pack(">Q", step), hashlib.sha1)
    return f"{struct.unpack_from('>I', digest, digest[-1] & 15)[0] % 2**31 % 10**6:06}"


class Cast:
    """A server and a client of each service for each principal."""

    def __init__(self, folder: Path):
        self.other_keys = ("SROTHER" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30))
        accounts = folder / "accounts.toml"
        accounts.touch(mode=0o600)
        accounts.write_text(
            f'[[account]]\nid = "{OTHER_ACCOUNT}"\n[[account.key]]\naccess_key_id = "{self.other_keys[0]}"\n'
            f'secret_access_key = "{self.other_keys[1]}"\n'
        )
        self.server = Server(folder, "--accounts", str(accounts), "--block-public-access", "off").start()
        # Asked of the binary once, not for each client.
        bundle = self.server.ca_bundle()
        self.server.ca_bundle = lambda: bundle
        self.credentials: dict[str, tuple[str, str] | tuple[str, str, str] | None] = {
            "root": (self.server.access_key_id, self.server.secret_access_key),
            "xroot": self.other_keys,
            "anon": None,
        }
        self.clients = {}
        self.make_users()
        self.make_sessions()

    def client(self, who: str, service: str, secure: bool = True):
        """A client of this principal."""
        key = who, service, secure
        if key not in self.clients:
            self.clients[key] = self.new_client(who, service, secure)
        return self.clients[key]

    def new_client(self, who: str, service: str, secure: bool):
        pool = botocore.config.Config(max_pool_connections=16, parameter_validation=False)
        held = self.credentials[who]
        if held is None:
            config = pool.merge(botocore.config.Config(signature_version=UNSIGNED, retries={"max_attempts": 1}))
            endpoint = self.server.https if secure else self.server.http
            verify = self.server.ca_bundle() if secure else None
            return boto3.client(service, region_name=REGION, endpoint_url=endpoint, verify=verify, config=config)
        token = {"aws_session_token": held[2]} if len(held) == 3 else {}
        return self.server.client(service, secure, credentials=held[:2], config=pool, **token)

    def make_users(self) -> None:
        iam, foreign = self.client("root", "iam"), self.client("xroot", "iam")
        boundary = {}
        for owner, account in ((iam, ACCOUNT), (foreign, OTHER_ACCOUNT)):
            for name, text in (("READ", READ), ("ALL", ALL)):
                boundary[account, name] = owner.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        for name, policy, limit, tags in (
            ("bare", None, None, []),
            ("allow", ALL, None, RED),
            ("deny", EVERYTHING_DENIED, None, []),
            ("member", None, None, []),
            ("bound", ALL, "READ", RED),
            ("edge", None, "ALL", []),
            ("mfa", WITH_MFA, None, []),
            ("xallow", ALL, None, RED),
            ("xbare", None, None, []),
            ("xdeny", EVERYTHING_DENIED, None, []),
            ("xbound", ALL, "READ", []),
        ):
            owner, account = (foreign, OTHER_ACCOUNT) if name[0] == "x" else (iam, ACCOUNT)
            more = {"PermissionsBoundary": boundary[account, limit]} if limit else {}
            owner.create_user(UserName=name, Tags=tags, **more)
            if policy:
                owner.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
            key = owner.create_access_key(UserName=name)["AccessKey"]
            self.credentials[name] = key["AccessKeyId"], key["SecretAccessKey"]
        self.credentials["nomfa"] = self.credentials.pop("mfa")
        iam.create_group(GroupName="group")
        iam.put_group_policy(GroupName="group", PolicyName="own", PolicyDocument=ALL)
        iam.add_user_to_group(GroupName="group", UserName="member")
        for name, policy, limit, tags, by in (
            ("role", ALL, None, RED, ROOT),
            ("idle", None, None, [], ROOT),
            ("scoped", ALL, None, [], ROOT),
            ("fenced", ALL, "READ", [], ROOT),
            ("guest", ALL, None, [], OTHER_ROOT),
            ("xrole", ALL, None, RED, OTHER_ROOT),
            # Nobody is in their sessions: whom policies name who let nobody else in.
            ("nobody", None, None, [], ROOT),
            ("nobody-else", None, None, [], ROOT),
        ):
            owner, account = (foreign, OTHER_ACCOUNT) if name[0] == "x" else (iam, ACCOUNT)
            more = {"PermissionsBoundary": boundary[account, limit]} if limit else {}
            trust = document({"Effect": "Allow", "Principal": {"AWS": by}, "Action": "sts:AssumeRole"})
            owner.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags, **more)
            if policy:
                owner.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)

    def make_sessions(self) -> None:
        def keep(name: str, answer) -> None:
            held = answer["Credentials"]
            self.credentials[name] = held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]

        own, foreign = self.client("allow", "sts"), self.client("xallow", "sts")
        for name in ("role", "idle", "fenced"):
            keep(name, own.assume_role(RoleArn=role(name), RoleSessionName="session"))
        keep("scoped", own.assume_role(RoleArn=role("scoped"), RoleSessionName="session", Policy=READ))
        keep("guest", foreign.assume_role(RoleArn=role("guest"), RoleSessionName="session"))
        keep("xrole", foreign.assume_role(RoleArn=role("xrole", OTHER_ACCOUNT), RoleSessionName="session"))
        keep("fed", own.get_federation_token(Name="fed"))
        keep("fedread", own.get_federation_token(Name="fedread", Policy=READ))
        keep("token", own.get_session_token())
        iam = self.client("root", "iam")
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName="mfa")["VirtualMFADevice"]
        serial, seed = device["SerialNumber"], base64.b32decode(device["Base32StringSeed"])
        step = int(time.time()) // 30
        first, second = code(seed, step - 1), code(seed, step)
        iam.enable_mfa_device(UserName="mfa", SerialNumber=serial, AuthenticationCode1=first, AuthenticationCode2=second)
        third = code(seed, step + 1)
        keep("mfa", self.client("nomfa", "sts").get_session_token(SerialNumber=serial, TokenCode=third))
