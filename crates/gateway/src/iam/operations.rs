//! The operations of IAM that this server has, by their requests.

use identity::oidc;
use identity::operation::{
    access_key, account, attach, boundary, context_keys, details, group, inline, managed_policy, membership, mfa,
    mfa_list, policy_entities, policy_tag, policy_version, role, role_tag, simulate, tag, user,
};

use crate::query_protocol::{Built, built};

/// Sorted by name.
pub(super) const BUILT: &[Built] = built![
    oidc::AddClientIDToOpenIDConnectProviderRequest,
    membership::AddUserToGroupRequest,
    attach::AttachGroupPolicyRequest,
    attach::AttachRolePolicyRequest,
    attach::AttachUserPolicyRequest,
    access_key::CreateAccessKeyRequest,
    account::CreateAccountAliasRequest,
    group::CreateGroupRequest,
    oidc::CreateOpenIDConnectProviderRequest,
    managed_policy::CreatePolicyRequest,
    policy_version::CreatePolicyVersionRequest,
    role::CreateRoleRequest,
    user::CreateUserRequest,
    mfa::CreateVirtualMFADeviceRequest,
    mfa::DeactivateMFADeviceRequest,
    access_key::DeleteAccessKeyRequest,
    account::DeleteAccountAliasRequest,
    group::DeleteGroupRequest,
    inline::DeleteGroupPolicyRequest,
    oidc::DeleteOpenIDConnectProviderRequest,
    managed_policy::DeletePolicyRequest,
    policy_version::DeletePolicyVersionRequest,
    role::DeleteRoleRequest,
    boundary::DeleteRolePermissionsBoundaryRequest,
    inline::DeleteRolePolicyRequest,
    user::DeleteUserRequest,
    boundary::DeleteUserPermissionsBoundaryRequest,
    inline::DeleteUserPolicyRequest,
    mfa::DeleteVirtualMFADeviceRequest,
    attach::DetachGroupPolicyRequest,
    attach::DetachRolePolicyRequest,
    attach::DetachUserPolicyRequest,
    mfa::EnableMFADeviceRequest,
    access_key::GetAccessKeyLastUsedRequest,
    details::GetAccountAuthorizationDetailsRequest,
    account::GetAccountSummaryRequest,
    context_keys::GetContextKeysForCustomPolicyRequest,
    context_keys::GetContextKeysForPrincipalPolicyRequest,
    group::GetGroupRequest,
    inline::GetGroupPolicyRequest,
    mfa_list::GetMFADeviceRequest,
    oidc::GetOpenIDConnectProviderRequest,
    managed_policy::GetPolicyRequest,
    policy_version::GetPolicyVersionRequest,
    role::GetRoleRequest,
    inline::GetRolePolicyRequest,
    user::GetUserRequest,
    inline::GetUserPolicyRequest,
    access_key::ListAccessKeysRequest,
    account::ListAccountAliasesRequest,
    attach::ListAttachedGroupPoliciesRequest,
    attach::ListAttachedRolePoliciesRequest,
    attach::ListAttachedUserPoliciesRequest,
    policy_entities::ListEntitiesForPolicyRequest,
    inline::ListGroupPoliciesRequest,
    group::ListGroupsRequest,
    membership::ListGroupsForUserRequest,
    mfa_list::ListMFADeviceTagsRequest,
    mfa_list::ListMFADevicesRequest,
    oidc::ListOpenIDConnectProviderTagsRequest,
    oidc::ListOpenIDConnectProvidersRequest,
    managed_policy::ListPoliciesRequest,
    policy_tag::ListPolicyTagsRequest,
    policy_version::ListPolicyVersionsRequest,
    inline::ListRolePoliciesRequest,
    role_tag::ListRoleTagsRequest,
    role::ListRolesRequest,
    inline::ListUserPoliciesRequest,
    tag::ListUserTagsRequest,
    user::ListUsersRequest,
    mfa_list::ListVirtualMFADevicesRequest,
    inline::PutGroupPolicyRequest,
    boundary::PutRolePermissionsBoundaryRequest,
    inline::PutRolePolicyRequest,
    boundary::PutUserPermissionsBoundaryRequest,
    inline::PutUserPolicyRequest,
    oidc::RemoveClientIDFromOpenIDConnectProviderRequest,
    membership::RemoveUserFromGroupRequest,
    mfa::ResyncMFADeviceRequest,
    policy_version::SetDefaultPolicyVersionRequest,
    simulate::SimulateCustomPolicyRequest,
    simulate::SimulatePrincipalPolicyRequest,
    mfa_list::TagMFADeviceRequest,
    oidc::TagOpenIDConnectProviderRequest,
    policy_tag::TagPolicyRequest,
    role_tag::TagRoleRequest,
    tag::TagUserRequest,
    mfa_list::UntagMFADeviceRequest,
    oidc::UntagOpenIDConnectProviderRequest,
    policy_tag::UntagPolicyRequest,
    role_tag::UntagRoleRequest,
    tag::UntagUserRequest,
    access_key::UpdateAccessKeyRequest,
    role::UpdateAssumeRolePolicyRequest,
    group::UpdateGroupRequest,
    oidc::UpdateOpenIDConnectProviderThumbprintRequest,
    role::UpdateRoleRequest,
    role::UpdateRoleDescriptionRequest,
    user::UpdateUserRequest,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::IAM;

    #[test]
    fn the_table_is_sorted_and_of_the_model() {
        assert!(BUILT.is_sorted_by(|a, b| a.name < b.name));
        for built in BUILT {
            assert!(IAM.operations.iter().any(|operation| operation.name == built.name), "{}", built.name);
        }
    }
}
