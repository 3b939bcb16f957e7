"""What is about no resource with a policy: identity policies alone decide, in the caller's own account.

Rules beyond those of `table`: Service Authorization Reference of each service; STS API reference, GetCallerIdentity ("No permissions are required to
perform this operation"), GetSessionToken ("No permissions are required for users"; not with temporary credentials); IAM User Guide, "Compare AWS STS
credentials" (GetFederationToken: no IAM, of STS GetCallerIdentity alone; GetSessionToken: IAM with MFA alone, of STS AssumeRole and GetCallerIdentity alone;
AssumeRole: no GetFederationToken, no GetSessionToken).
"""

# Operation, as boto3 has it, and the service.
OWN = """
                                       | root bare allow deny member bound edge role idle scoped fenced fed fedread token mfa nomfa guest xroot xallow xbare xdeny xbound xrole
s3 list_buckets                        | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
s3 create_bucket                       | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
kms list_keys                          | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
kms list_aliases                       | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
kms create_key                         | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
kms generate_random                    | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
kms describe_custom_key_stores         | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
cloudtrail lookup_events               | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
cloudtrail describe_trails             | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
cloudtrail list_trails                 | O    .    I     d    I      I     .    I    .    I      I      s   I       I     I   .     I     O     I      .     d     I      I
cloudtrail create_trail                | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
cloudtrail stop_logging                | O    .    I     d    I      b     .    I    .    s      b      s   s       I     I   .     I     O     I      .     d     b      I
iam list_users                         | O    .    I     d    I      I     .    I    .    I      I      f   f       f     I   .     I     O     I      .     d     I      I
iam get_account_summary                | O    .    I     d    I      I     .    I    .    I      I      f   f       f     I   .     I     O     I      .     d     I      I
iam list_policies                      | O    .    I     d    I      I     .    I    .    I      I      f   f       f     I   .     I     O     I      .     d     I      I
iam get_account_authorization_details  | O    .    I     d    I      I     .    I    .    I      I      f   f       f     I   .     I     O     I      .     d     I      I
iam get_role                           | O    .    I     d    I      I     .    I    .    I      I      f   f       f     I   .     I     O     I      .     d     I      I
iam create_user                        | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
iam delete_user                        | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
iam put_user_policy                    | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
iam attach_role_policy                 | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
iam update_assume_role_policy          | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
iam simulate_principal_policy          | O    .    I     d    I      b     .    I    .    s      b      f   f       f     I   .     I     O     I      .     d     b      I
sts get_caller_identity                | Y    Y    Y     Y    Y      Y     Y    Y    Y    Y      Y      Y   Y       Y     Y   Y     Y     Y     Y      Y     Y     Y      Y
sts get_session_token                  | Y    Y    Y     Y    Y      Y     Y    f    f    f      f      f   f       f     f   Y     f     Y     Y      Y     Y     Y      f
sts get_federation_token               | O    .    I     d    I      b     .    f    f    f      f      f   f       f     f   .     f     O     I      .     d     b      f
sts get_access_key_info                | O    .    I     d    I      b     .    I    .    s      b      f   f       f     f   .     I     O     I      .     d     b      I
sts decode_authorization_message       | O    .    I     d    I      b     .    I    .    s      b      f   f       f     f   .     I     O     I      .     d     b      I
"""
