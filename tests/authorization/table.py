"""Tables that people read: who may do what, and by which rule.

    mark  means                                                                             rule (IAM User Guide, unless said otherwise)
    O     allowed: the root user of the account                                             "AWS account root user"
    I     allowed by identity policies, within boundary and session policy                  "Policy evaluation for requests within a single account"
    R     allowed by a resource's policy that names the caller itself, or everyone          same, "resource-based policies that grant to a user or session are
                                                                                            not limited by an implicit deny" elsewhere
    E     allowed by one that names the role or user behind a session, within limits        "Session policies", "Permissions boundaries": such a grant is limited by both
    B     allowed by both accounts                                                          "Cross-account policy evaluation logic"
    Y     allowed: it needs no permission                                                   API reference of the operation
    .     no identity policy allows it                                                      default deny
    d     an identity policy denies it                                                      "an explicit deny in any policy overrides any allow"
    x     a resource's policy denies it                                                     same
    b     the permissions boundary does not allow it                                        "Permissions boundaries for IAM entities"
    s     the session policy does not allow it                                              "Session policies"; without one a federated user has nothing of its own
    k     the resource's policy does not allow it, and has to                               KMS Developer Guide, "Key policies"; "Roles: trust policies"
    c     the resource is another account's, whose policy does not allow it                 "Cross-account policy evaluation logic"
    m     MethodNotAllowed: the bucket's policy is its owner's alone                        S3 API reference, Get/Put/DeleteBucketPolicy
    z     a root user assumes no role                                                       STS API reference, AssumeRole
    f     sessions of GetFederationToken and, without MFA, of GetSessionToken may not        IAM User Guide, "Compare AWS STS credentials"
    v     what SSE-KMS encrypts is for signed requests alone                                S3 User Guide, "Using server-side encryption with AWS KMS keys"

Capitals are allowed. The marks of refusals are held against the reason that the message gives, where there is one.
"""

from dataclasses import dataclass

# What the message of a refusal has of these words ("Troubleshoot access denied error messages").
REASONS = {
    ".": ("because no identity-based policy allows",),
    "d": ("with an explicit deny in an identity-based policy",),
    # Where a policy of the caller denies too, either is told.
    "x": ("with an explicit deny in",),
    "b": ("because no permissions boundary allows",),
    "s": ("because no session policy allows",),
    "k": ("because no resource-based policy allows", "because no role trust policy allows"),
    "c": ("",),
    "m": ("",),
    "z": ("Roles may not be assumed by root accounts",),
    "f": ("",),
    "v": ("",),
}
ALLOWED = "OIREBY"
CODES = {"m": {"MethodNotAllowed", "405"}, "v": {"InvalidArgument"}, "f": {"AccessDenied", "InvalidClientTokenId"}}
DENIED = {"AccessDenied", "AccessDeniedException", "403"}


@dataclass(frozen=True)
class Cell:
    table: str
    row: str
    column: str
    mark: str

    @property
    def allowed(self) -> bool:
        return self.mark in ALLOWED


def read(name: str, text: str, meaning: dict[str, str] | None = None) -> list[Cell]:
    """The cells of a table: a line of columns, then rows `name | marks`. `meaning` has the marks for a table's own signs."""
    head, *rows = [line for line in text.strip().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    columns = head.split("|")[1].split()
    cells = []
    for line in rows:
        row, _, marks = line.partition("|")
        marks = [meaning[mark] if meaning else mark for mark in marks.split()]
        assert len(marks) == len(columns), (name, row, len(marks), len(columns))
        assert all(mark in REASONS or mark in ALLOWED for mark in marks), (name, row)
        cells += [Cell(name, row.strip(), column, mark) for column, mark in zip(columns, marks)]
    return cells
