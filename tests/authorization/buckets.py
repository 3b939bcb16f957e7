"""Bucket policies against every principal. Each policy speaks of every action on the bucket and its objects.

Rules beyond those of `table`: S3 User Guide, "Bucket policies for Amazon S3"; IAM User Guide, "Principal", "NotPrincipal", "Global condition
context keys".
"""

from authorization.cast import OTHER_ROOT, ROLES, ROOT, SESSIONS, USERS, user
from people import OTHER_ACCOUNT
from strongroom import ACCOUNT

EVERYONE = {"Effect": "Allow", "Principal": "*"}


def allow(principals):
    return {"Effect": "Allow", "Principal": {"AWS": principals}}


def deny(principals):
    return {"Effect": "Deny", "Principal": {"AWS": principals}}


def deny_if(operator, key, value):
    return {"Effect": "Deny", "Principal": "*", "Condition": {operator: {key: value}}}


# The rows: what the policy's statements say, without Action and Resource. Where something is denied, everyone is allowed besides, so
# that the statement that denies is what decides.
POLICIES = {
    "none": [],
    "users": [allow(USERS)],
    "roles": [allow(ROLES)],
    "sessions": [allow(SESSIONS)],
    "account": [allow(ROOT)],
    "account by its id": [allow(ACCOUNT)],
    "other account": [allow(OTHER_ROOT)],
    "everyone": [EVERYONE],
    "everyone as AWS": [allow("*")],
    "deny users": [EVERYONE, deny(USERS)],
    "deny roles": [EVERYONE, deny(ROLES)],
    "deny sessions": [EVERYONE, deny(SESSIONS)],
    "deny account": [EVERYONE, deny(ROOT)],
    "deny other account": [EVERYONE, deny(OTHER_ACCOUNT)],
    "deny everyone": [EVERYONE, deny("*")],
    # aws:SecureTransport
    "https, asked by https": [EVERYONE, deny_if("Bool", "aws:SecureTransport", "false")],
    "https, asked by http": [EVERYONE, deny_if("Bool", "aws:SecureTransport", "false")],
    # aws:SourceIp
    "from here": [EVERYONE, deny_if("NotIpAddress", "aws:SourceIp", ["127.0.0.0/8", "::1/128"])],
    "from elsewhere": [EVERYONE, deny_if("IpAddress", "aws:SourceIp", ["127.0.0.0/8", "::1/128"])],
    # aws:PrincipalArn is the role's ARN in its sessions. It is absent from what nobody signed, and a negated operator holds then.
    "roles alone": [EVERYONE, deny_if("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")],
    # aws:PrincipalTag: a federated user's session has the tags of its user ("the session tag passed in the request takes precedence
    # over the user tag", GetFederationToken), as GetSessionToken's is the user.
    "red alone": [EVERYONE, deny_if("StringNotEquals", "aws:PrincipalTag/team", "red")],
    # NotPrincipal spares whom it names with the account; a boundary does not let itself be spared.
    "all but allow": [EVERYONE, {"Effect": "Deny", "NotPrincipal": {"AWS": [user("allow"), ROOT]}}],
}

# Actions that READ has.
READ = """
                      | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole anon
none                  | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c     c
users                 | O    R    R     d    R      R     R    I    .    I      I      s   E       R     R   R     I     c     B      .     d     B      c     c
roles                 | O    .    I     d    I      I     .    E    E    E      E      s   I       I     I   .     E     c     c      c     c     c      B     c
sessions              | O    .    I     d    I      I     .    R    R    R      R      R   R       I     I   .     R     c     c      c     c     c      B     c
account               | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c     c
account by its id     | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c     c
other account         | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     B     B      .     d     B      B     c
everyone              | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B     R
everyone as AWS       | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B     R
deny users            | O    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     B     x      x     x     x      B     R
deny roles            | O    R    R     d    R      R     R    x    x    x      x      R   R       R     R   R     x     B     B      .     d     B      x     R
deny sessions         | O    R    R     d    R      R     R    x    x    x      x      x   x       R     R   R     x     B     B      .     d     B      x     R
deny account          | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     B     B      .     d     B      B     R
deny other account    | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     x     x      x     x     x      x     R
deny everyone         | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
https, asked by https | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B     R
https, asked by http  | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
from here             | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     B      B     R
from elsewhere        | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
roles alone           | x    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     x     x      x     x     x      B     x
red alone             | x    x    R     x    x      R     x    R    x    x      x      R   R       R     x   x     x     x     B      x     x     x      B     x
all but allow         | O    x    R     x    x      x     x    x    x    x      x      x   x       R     x   x     x     x     x      x     x     x      x     x
"""

# Actions that READ has not.
WRITE = """
                      | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole anon
none                  | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c     c
users                 | O    R    R     d    R      R     R    I    .    s      b      s   s       R     R   R     I     c     B      .     d     b      c     c
roles                 | O    .    I     d    I      b     .    E    E    s      b      s   s       I     I   .     E     c     c      c     c     c      B     c
sessions              | O    .    I     d    I      b     .    R    R    R      R      R   R       I     I   .     R     c     c      c     c     c      B     c
account               | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c     c
account by its id     | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     c     c      c     c     c      c     c
other account         | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     B     B      .     d     b      B     c
everyone              | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B     R
everyone as AWS       | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B     R
deny users            | O    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     B     x      x     x     x      B     R
deny roles            | O    R    R     d    R      R     R    x    x    x      x      R   R       R     R   R     x     B     B      .     d     b      x     R
deny sessions         | O    R    R     d    R      R     R    x    x    x      x      x   x       R     R   R     x     B     B      .     d     b      x     R
deny account          | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     B     B      .     d     b      B     R
deny other account    | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     x     x      x     x     x      x     R
deny everyone         | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
https, asked by https | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B     R
https, asked by http  | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
from here             | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     B     B      .     d     b      B     R
from elsewhere        | x    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
roles alone           | x    x    x     x    x      x     x    R    R    R      R      x   x       x     x   x     R     x     x      x     x     x      B     x
red alone             | x    x    R     x    x      R     x    R    x    x      x      R   R       R     x   x     x     x     B      x     x     x      B     x
all but allow         | O    x    R     x    x      x     x    x    x    x      x      x   x       R     x   x     x     x     x      x     x     x      x     x
"""

# The bucket's own policy: its account's, and never lost to the root user ("The root principal in a bucket owner's AWS account can perform
# the GetBucketPolicy, PutBucketPolicy, and DeleteBucketPolicy API actions, even if their bucket policy explicitly denies").
# "If you are using an identity other than the root user of the AWS account that owns the bucket, [...] 405 Method Not Allowed". S3 takes a
# stranger for AccessDenied first, if he has not the permission.
POLICY = """
                      | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole anon
none                  | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     c     c      c     c     c      c     c
users                 | O    R    R     d    R      R     R    I    .    I      I      s   E       R     R   R     I     c     m      .     d     m      c     c
roles                 | O    .    I     d    I      I     .    E    E    E      E      s   I       I     I   .     E     c     c      c     c     c      m     c
sessions              | O    .    I     d    I      I     .    R    R    R      R      R   R       I     I   .     R     c     c      c     c     c      m     c
other account         | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     m     m      .     d     m      m     c
everyone              | O    R    R     d    R      R     R    R    R    R      R      R   R       R     R   R     R     m     m      .     d     m      m     m
deny account          | O    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     m     m      .     d     m      m     m
deny everyone         | O    x    x     x    x      x     x    x    x    x      x      x   x       x     x   x     x     x     x      x     x     x      x     x
"""

# The operations of each table, as boto3 names them. `KEY` is an object that exists.
OPERATIONS = {
    "READ": ["get_object", "head_object", "list_objects_v2", "get_object_tagging", "get_bucket_encryption"],
    "WRITE": ["put_object", "delete_object", "put_object_tagging", "create_multipart_upload"],
    "POLICY": ["get_bucket_policy"],
}
