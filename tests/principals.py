"""A server with several principals: users of its account, another account with its root and a user."""

import secrets
from pathlib import Path

from strongroom import ACCOUNT, Server

OTHER_ACCOUNT = "999988887777"

# What the users' own policies allow: everything, so that what a resource's policy says decides.
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

# Name of a client, account, user (none: the account's root).
PRINCIPALS = (
    ("alice", ACCOUNT, "alice"),
    ("bob", ACCOUNT, "bob"),
    ("other", OTHER_ACCOUNT, None),
    ("carol", OTHER_ACCOUNT, "carol"),
)


def arn(name: str) -> str:
    """The ARN of one of the principals; of `root`, the account's own."""
    if name == "root":
        return f"arn:aws:iam::{ACCOUNT}:root"
    account, user = next((account, user) for known, account, user in PRINCIPALS if known == name)
    return f"arn:aws:iam::{account}:user/{user}" if user else f"arn:aws:iam::{account}:root"


class Principals:
    """Clients of each principal."""

    def __init__(self, folder: Path):
        keys = {name: ("SRUSER" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30)) for name, _, _ in PRINCIPALS}
        entries = []
        for name, account, user in PRINCIPALS:
            entries.append(f'[[account]]\nid = "{account}"\n[[account.key]]\naccess_key_id = "{keys[name][0]}"')
            entries.append(f'secret_access_key = "{keys[name][1]}"' + (f'\nuser = "{user}"\npolicies = ["{ADMINISTRATOR}"]' if user else ""))
        file = folder / "accounts.toml"
        file.touch(mode=0o600)
        file.write_text("\n".join(entries))
        self.server = Server(folder, "--accounts", str(file)).start()
        self.keys = keys

    def client(self, name: str, service: str = "kms"):
        return self.server.client(service, secure=True, credentials=self.keys.get(name))
