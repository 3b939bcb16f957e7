"""Key policies against every principal. Each policy speaks of every action of KMS.

Rules beyond those of `table`: KMS Developer Guide, "Key policies" ("no KMS principal has any permissions to a KMS key, unless explicitly allowed",
the root user too; "Allows access to the AWS account and enables IAM policies"), "Allowing users in other accounts to use a KMS key"
(the operations that work across accounts), "AWS KMS condition keys".
"""

from authorization.buckets import allow, deny
from authorization.cast import OTHER_ROOT, ROLES, ROOT, SESSIONS, USERS, role
from people import OTHER_ACCOUNT
from strongroom import ACCOUNT, REGION


def everyone_if(operator, key, value):
    return {"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": {operator: {key: value}}}


EVERYONE = allow("*")
POLICIES = {
    "nobody": [allow(role("nobody"))],
    "users": [allow(USERS)],
    "roles": [allow(ROLES)],
    "sessions": [allow(SESSIONS)],
    "account": [allow(ROOT)],
    "account by its id": [allow(ACCOUNT)],
    "both accounts": [allow([ROOT, OTHER_ROOT])],
    "everyone": [EVERYONE],
    "deny users": [EVERYONE, deny(USERS)],
    "deny roles": [EVERYONE, deny(ROLES)],
    "deny sessions": [EVERYONE, deny(SESSIONS)],
    "deny account": [EVERYONE, deny(ROOT)],
    "deny other account": [EVERYONE, deny(OTHER_ACCOUNT)],
    "deny everyone": [EVERYONE, deny("*")],
    "caller account": [everyone_if("StringEquals", "kms:CallerAccount", ACCOUNT)],
    "via S3": [everyone_if("StringEquals", "kms:ViaService", f"s3.{REGION}.amazonaws.com")],
    "roles alone": [everyone_if("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")],
    "red alone": [everyone_if("StringEquals", "aws:PrincipalTag/team", "red")],
    "from here": [everyone_if("IpAddress", "aws:SourceIp", ["127.0.0.0/8", "::1/128"])],
    "from elsewhere": [everyone_if("IpAddress", "aws:SourceIp", "192.0.2.0/24")],
}

# DescribeKey and Decrypt, which READ has, and which other accounts may be allowed.
READ = """
                   | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole
nobody             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
users              | k    R    R     d    R      R     R    k    k    k      k      s   E       R     R   R     k     c     B      .     d     B      c
roles              | k    k    k     d    k      k     k    E    E    E      E      k   k       k     k   k     E     c     c      c     c     c      B
sessions           | k    k    k     d    k      k     k    R    R    R      R      R   R       k     k   k     R     c     c      c     c     c      B
account            | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c
account by its id  | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c
both accounts      | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     B     B      .     d     B      B
everyone           | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B
deny users         | R    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     B     x      x     x     x      B
deny roles         | R    R    R     d    R      R     R    x    x    x      x      R   R       R     R   R     x     B     B      .     d     B      x
deny sessions      | R    R    R     d    R      R     R    x    x    x      x      x   x       R     R   R     x     B     B      .     d     B      x
deny account       | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     B     B      .     d     B      B
deny other account | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     x     x      x     x     x      x
deny everyone      | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x
caller account     | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     c     c      c     c     c      c
via S3             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
roles alone        | k    k    k     d    k      k     k    R    R    R      R      k   k       k     k   k     R     c     c      c     c     c      B
red alone          | k    k    R     d    k      R     k    R    k    k      k      R   R       R     k   k     k     c     B      c     c     c      B
from here          | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B
from elsewhere     | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
"""

# Encrypt, GenerateDataKey and CreateGrant, which READ has not.
USE = """
                   | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole
nobody             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
users              | k    R    R     d    R      R     R    k    k    k      k      s   s       R     R   R     k     c     B      .     d     b      c
roles              | k    k    k     d    k      k     k    E    E    s      b      k   k       k     k   k     E     c     c      c     c     c      B
sessions           | k    k    k     d    k      k     k    R    R    R      R      R   R       k     k   k     R     c     c      c     c     c      B
account            | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c
account by its id  | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c
both accounts      | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     B     B      .     d     b      B
everyone           | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B
deny users         | R    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     B     x      x     x     x      B
deny roles         | R    R    R     d    R      R     R    x    x    x      x      R   R       R     R   R     x     B     B      .     d     b      x
deny sessions      | R    R    R     d    R      R     R    x    x    x      x      x   x       R     R   R     x     B     B      .     d     b      x
deny account       | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     B     B      .     d     b      B
deny other account | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     x     x      x     x     x      x
deny everyone      | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x
caller account     | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     c     c      c     c     c      c
via S3             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
roles alone        | k    k    k     d    k      k     k    R    R    R      R      k   k       k     k   k     R     c     c      c     c     c      B
red alone          | k    k    R     d    k      R     k    R    k    k      k      R   R       R     k   k     k     c     B      c     c     c      B
from here          | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B
from elsewhere     | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
"""

# PutKeyPolicy, ScheduleKeyDeletion and UpdateKeyDescription: "Cross-account use: No" for each of them, whatever policies say.
MANAGE = """
                   | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole
nobody             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
users              | k    R    R     d    R      R     R    k    k    k      k      s   s       R     R   R     k     c     c      c     c     c      c
roles              | k    k    k     d    k      k     k    E    E    s      b      k   k       k     k   k     E     c     c      c     c     c      c
sessions           | k    k    k     d    k      k     k    R    R    R      R      R   R       k     k   k     R     c     c      c     c     c      c
account            | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c
both accounts      | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c
everyone           | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     c     c      c     c     c      c
deny users         | R    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     c     c      c     c     c      c
deny everyone      | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     c     c      c     c     c      c
caller account     | R    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     c     c      c     c     c      c
via S3             | k    k    k     d    k      k     k    k    k    k      k      k   k       k     k   k     k     c     c      c     c     c      c
red alone          | k    k    R     d    k      R     k    R    k    k      k      R   R       R     k   k     k     c     c      c     c     c      c
"""
