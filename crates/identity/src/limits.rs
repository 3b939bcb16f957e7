//! Quotas and bounds. AWS's are those of the IAM User Guide, "IAM and AWS STS quotas".

use std::time::Duration;

/// Users of an account.
pub const USERS: usize = 5_000;
/// Groups of an account.
pub const GROUPS: usize = 300;
/// Roles of an account.
pub const ROLES: usize = 1_000;
/// Customer managed policies of an account.
pub const POLICIES: usize = 1_500;
/// OpenID Connect providers of an account.
pub const OIDC_PROVIDERS: usize = 100;
/// Virtual MFA devices of an account, assigned or not: as many as there may be users, the root user and one to spare for each.
pub const VIRTUAL_MFA_DEVICES: usize = 10_000;
/// Groups that a user may be in.
pub const GROUPS_PER_USER: usize = 10;
/// Access keys of a user, and of a root user.
pub const ACCESS_KEYS_PER_USER: usize = 2;
/// MFA devices of a user, and of a root user.
pub const MFA_DEVICES_PER_USER: usize = 8;
/// Managed policies attached to a user, group or role.
pub const ATTACHED_POLICIES: usize = 10;
/// Versions of a managed policy.
pub const VERSIONS_PER_POLICY: usize = 5;
/// Tags of an entity.
pub const TAGS: usize = 50;
/// Aliases of an account.
pub const ACCOUNT_ALIASES: usize = 1;
/// All inline policies of a user together, in characters without white space.
pub const USER_POLICY_SIZE: usize = policy::limits::USER_INLINE_CHARACTERS;
/// All inline policies of a group together, likewise.
pub const GROUP_POLICY_SIZE: usize = policy::limits::GROUP_INLINE_CHARACTERS;
/// All inline policies of a role together, likewise.
pub const ROLE_POLICY_SIZE: usize = policy::limits::ROLE_INLINE_CHARACTERS;
/// A version of a managed policy, likewise.
pub const MANAGED_POLICY_SIZE: usize = policy::limits::MANAGED_CHARACTERS;
/// A role's trust policy, likewise.
pub const TRUST_POLICY_SIZE: usize = policy::limits::TRUST_CHARACTERS;
/// Entries of a page, unless `MaxItems` says otherwise.
pub const DEFAULT_PAGE: usize = 100;

/// How long a resolved credential is believed without looking at the store again. Changes made by this process count at once; those
/// of another process over the same database after this time.
pub const CACHE_LIFETIME: Duration = Duration::from_secs(3);
/// Credentials in memory: a few KiB each.
pub const MAX_CACHED: usize = 16_384;
/// How often a change is tried anew if others over the same database are faster.
pub const MAX_ATTEMPTS: usize = 16;
/// Last uses of access keys written in one commit.
pub const LAST_USE_BATCH: usize = 512;
/// Rows that one step of a scan reads.
pub const SCAN: usize = 512;

/// Pairs of an action and a resource in one simulation: ten full pages. AWS names no number; without one, a request of 200 KB would ask
/// for millions.
pub const MAX_SIMULATIONS: usize = 10_000;
