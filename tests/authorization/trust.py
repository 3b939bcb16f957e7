"""Trust policies against every principal that calls AssumeRole.

Rules beyond those of `table`: STS API reference, AssumeRole ("You cannot call AssumeRole by using AWS account root user credentials"; of a user of the same
account that the trust policy names, "you do not need to attach a policy to the user"), IAM User Guide, "How to use an external ID", "Compare AWS STS
credentials" (GetFederationToken: "Cannot call any AWS STS API operations except GetCallerIdentity"; GetSessionToken: AssumeRole may be called).
"""

from authorization.buckets import allow, deny
from authorization.cast import OTHER_ROOT, ROLES, ROOT, SESSIONS, USERS, role
from strongroom import ACCOUNT


def account_if(operator, key, value):
    return allow(ROOT) | {"Condition": {operator: {key: value}}}


# AWS refuses `"Principal": "*"` here.
EVERYONE = allow("*")
POLICIES = {
    "nobody": [allow(role("nobody"))],
    "users": [allow(USERS)],
    "roles": [allow(ROLES)],
    "sessions": [allow(SESSIONS)],
    "account": [allow(ROOT)],
    "account by its id": [allow(ACCOUNT)],
    "other account": [allow(OTHER_ROOT)],
    "everyone": [EVERYONE],
    "deny users": [EVERYONE, deny(USERS)],
    "deny roles": [EVERYONE, deny(ROLES)],
    "deny account": [EVERYONE, deny(ROOT)],
    "deny other account": [EVERYONE, deny(OTHER_ROOT)],
    "external id, given": [account_if("StringEquals", "sts:ExternalId", "secret")],
    "external id, lacking": [account_if("StringEquals", "sts:ExternalId", "secret")],
    "with MFA": [account_if("Bool", "aws:MultiFactorAuthPresent", "true")],
    "roles alone": [account_if("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")],
    "red alone": [account_if("StringEquals", "aws:PrincipalTag/team", "red")],
}

ASSUME_ROLE = """
                     | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole
nobody               | z    k    k     d    k      k     k    k    k    k      k      f   f       k     k   k     k     z     c      c     c     c      c
users                | z    R    R     d    R      R     R    k    k    k      k      f   f       R     R   R     k     z     B      .     d     b      c
roles                | z    k    k     d    k      k     k    E    E    s      b      f   f       k     k   k     E     z     c      c     c     c      B
sessions             | z    k    k     d    k      k     k    R    R    R      R      f   f       k     k   k     R     z     c      c     c     c      B
account              | z    .    I     d    I      b     .    I    .    s      b      f   f       I     I   .     I     z     c      c     c     c      c
account by its id    | z    .    I     d    I      b     .    I    .    s      b      f   f       I     I   .     I     z     c      c     c     c      c
other account        | z    k    k     d    k      k     k    k    k    k      k      f   f       k     k   k     k     z     B      .     d     b      B
everyone             | z    R    R     d    R      R     R    R    R    R      R      f   f       R     R   R     R     z     B      .     d     b      B
deny users           | z    x    x     x    x      x     x    R    R    R      R      f   f       x     x   x     R     z     x      x     x     x      B
deny roles           | z    R    R     d    R      R     R    x    x    x      x      f   f       R     R   R     x     z     B      .     d     b      x
deny account         | z    x    x     x    x      x     x    x    x    x      x      f   f       x     x   x     x     z     B      .     d     b      B
deny other account   | z    R    R     d    R      R     R    R    R    R      R      f   f       R     R   R     R     z     x      x     x     x      x
external id, given   | z    .    I     d    I      b     .    I    .    s      b      f   f       I     I   .     I     z     c      c     c     c      c
external id, lacking | z    k    k     d    k      k     k    k    k    k      k      f   f       k     k   k     k     z     c      c     c     c      c
with MFA             | z    k    k     d    k      k     k    k    k    k      k      f   f       k     I   k     k     z     c      c     c     c      c
roles alone          | z    k    k     d    k      k     k    I    .    s      b      f   f       k     k   k     I     z     c      c     c     c      c
red alone            | z    k    I     d    k      b     k    I    k    k      k      f   f       I     k   k     k     z     c      c     c     c      c
"""
