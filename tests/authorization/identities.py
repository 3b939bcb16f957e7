"""Operations of IAM on resources with paths and tags, against identity policies that ask for them.

Rules: Service Authorization Reference, "Actions, resources, and condition keys for IAM"; IAM API reference (UpdateUser: "the requester must have permissions on
both the source object and the target object"; CreateUser with tags needs iam:TagUser too); IAM User Guide, "iam:PolicyARN", "iam:PermissionsBoundary",
"Controlling access to AWS resources using tags".
"""

from strongroom import ACCOUNT

USER = f"arn:aws:iam::{ACCOUNT}:user"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/READ"

# The columns: action, resource, condition; "!" denies, "~" is NotAction.
POLICIES = {
    "self": [("iam:*", USER + "/${aws:username}")],
    "dev": [("iam:*", USER + "/dev/*")],
    "reader": [(["iam:Get*", "iam:List*"], "*")],
    "roles": [("iam:*", f"arn:aws:iam::{ACCOUNT}:role/*")],
    "pols": [("iam:*", f"arn:aws:iam::{ACCOUNT}:policy/*")],
    "attach": [("iam:AttachUserPolicy", "*", {"ArnEquals": {"iam:PolicyARN": READ_ONLY}})],
    "maker": [("iam:CreateUser", "*", {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}})],
    "tagged": [("iam:*", "*", {"StringEquals": {"aws:ResourceTag/team": "red"}})],
    "tagger": [(["iam:TagUser", "iam:CreateUser"], "*", {"StringEquals": {"aws:RequestTag/team": "red"}})],
    "tagkeys": [("iam:TagUser", "*", {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}})],
    "nodev": [("iam:*", "*"), ("!iam:*", USER + "/dev/*")],
    "notiam": [("~iam:*", "*")],
}

# dev, ops and paint (one for each column) are users below /dev/ and /ops/; red is a user with the tag team=red.
OPERATIONS = """
                                | self dev reader roles pols attach maker tagged tagger tagkeys nodev notiam
GetUser self                    | I    .   I      .     .    .      .     .      .      .       I     .
GetUser dev                     | .    I   I      .     .    .      .     .      .      .       d     .
GetUser ops                     | .    .   I      .     .    .      .     .      .      .       I     .
GetUser red                     | .    .   I      .     .    .      .     I      .      .       I     .
GetUser, unnamed: self          | I    .   I      .     .    .      .     .      .      .       I     .
ListUsers                       | .    .   I      .     .    .      .     .      .      .       I     .
CreateUser in /dev/             | .    I   .      .     .    .      .     .      .      .       d     .
CreateUser in /ops/             | .    .   .      .     .    .      .     .      .      .       I     .
CreateUser with boundary READ   | .    .   .      .     .    .      I     .      .      .       I     .
CreateUser with boundary ALL    | .    .   .      .     .    .      .     .      .      .       I     .
CreateUser team=red             | .    .   .      .     .    .      .     .      I      .       I     .
CreateUser team=blue            | .    .   .      .     .    .      .     .      .      .       I     .
UpdateUser dev within /dev/     | .    I   .      .     .    .      .     .      .      .       d     .
UpdateUser dev to /ops/         | .    .   .      .     .    .      .     .      .      .       d     .
UpdateUser ops to /dev/         | .    .   .      .     .    .      .     .      .      .       d     .
PutUserPolicy dev               | .    I   .      .     .    .      .     .      .      .       d     .
PutUserPolicy red               | .    .   .      .     .    .      .     I      .      .       I     .
AttachUserPolicy read to dev    | .    I   .      .     .    I      .     .      .      .       d     .
AttachUserPolicy admin to dev   | .    I   .      .     .    .      .     .      .      .       d     .
AttachUserPolicy read to ops    | .    .   .      .     .    I      .     .      .      .       I     .
AttachUserPolicy admin to ops   | .    .   .      .     .    .      .     .      .      .       I     .
PutUserPermissionsBoundary dev  | .    I   .      .     .    .      .     .      .      .       d     .
TagUser paint team=red          | .    .   .      .     .    .      .     .      I      I       I     .
TagUser paint team=blue         | .    .   .      .     .    .      .     .      .      I       I     .
TagUser paint team=red and more | .    .   .      .     .    .      .     .      I      .       I     .
CreateAccessKey self            | I    .   .      .     .    .      .     .      .      .       I     .
ListAccessKeys self             | I    .   I      .     .    .      .     .      .      .       I     .
ListAccessKeys, unnamed: self   | I    .   I      .     .    .      .     .      .      .       I     .
GetRole                         | .    .   I      I     .    .      .     .      .      .       I     .
CreateRole                      | .    .   .      I     .    .      .     .      .      .       I     .
UpdateAssumeRolePolicy          | .    .   .      I     .    .      .     .      .      .       I     .
PutRolePolicy                   | .    .   .      I     .    .      .     .      .      .       I     .
GetPolicy                       | .    .   I      .     I    .      .     .      .      .       I     .
CreatePolicyVersion             | .    .   .      .     I    .      .     .      .      .       I     .
ListEntitiesForPolicy           | .    .   I      .     I    .      .     .      .      .       I     .
GetGroup                        | .    .   I      .     .    .      .     .      .      .       I     .
AddUserToGroup dev              | .    .   .      .     .    .      .     .      .      .       I     .
GetAccountSummary               | .    .   I      .     .    .      .     .      .      .       I     .
SimulateCustomPolicy            | .    .   .      .     .    .      .     .      .      .       I     .
"""
