//! Every limit that the service model does not set, with its reason.

use std::time::Duration;

/// Longest plaintext of Encrypt, bytes (KMS API reference, Encrypt).
pub const MAX_PLAINTEXT: usize = 4_096;
/// Longest alias name with its `alias/`, characters (service model, `AliasNameType`).
pub const MAX_ALIAS: usize = 256;
/// Most tags of a key (KMS developer guide, quotas).
pub const MAX_TAGS: usize = 50;
/// Most aliases of a key (KMS developer guide, quotas).
pub const MAX_ALIASES_PER_KEY: usize = 50;
/// Most customer keys of an account (KMS developer guide, quotas).
pub const MAX_KEYS_PER_ACCOUNT: u64 = 100_000;
/// Most on-demand rotations of a key in its life (KMS API reference, RotateKeyOnDemand).
pub const MAX_ON_DEMAND_ROTATIONS: usize = 25;
/// Days between automatic rotations when EnableKeyRotation names none (KMS API reference).
pub const DEFAULT_ROTATION_DAYS: u32 = 365;
/// How long before an automatic rotation RotateKeyOnDemand is refused (KMS API reference, ConflictException).
pub const ROTATION_MARGIN: Duration = Duration::from_secs(20 * 60);
/// How long an import token and its wrapping key are valid (KMS API reference, GetParametersForImport).
pub const IMPORT_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How far off the expiry of imported material may be (KMS API reference, ImportKeyMaterial).
pub const MAX_IMPORT_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// Shortest and longest waiting period of ScheduleKeyDeletion, days.
pub const DELETION_WINDOW_DAYS: std::ops::RangeInclusive<i64> = 7..=30;
/// The waiting period when none is named, days.
pub const DEFAULT_DELETION_WINDOW_DAYS: i64 = 30;
/// Entries of a page of ListKeys and ListKeyRotations when no limit is named (KMS API reference).
pub const DEFAULT_PAGE: usize = 100;
/// Entries of a page of ListAliases and ListResourceTags when no limit is named (KMS API reference).
pub const DEFAULT_SMALL_PAGE: usize = 50;

/// Most custom key stores of an account in a Region (KMS developer guide, quotas).
pub const MAX_CUSTOM_KEY_STORES: usize = 10;

/// Age at which an AWS managed key gets new material. "KMS always rotates the key material of AWS managed keys every year."
pub const MANAGED_KEY_PERIOD: Duration = Duration::from_secs(365 * 24 * 3600);
/// Age at which the service key gets new material. Nothing outside sees it, so it follows prudence alone: a stolen material
/// opens a quarter of objects at most, for the price of one row a quarter.
pub const SERVICE_KEY_PERIOD: Duration = Duration::from_secs(90 * 24 * 3600);
/// Age at which a new domain key takes over. Every use derives a key under a 128-bit nonce, so use does not wear it out; a year
/// bounds what one stolen domain key opens, and the ring stays small enough to be held whole.
pub const DOMAIN_KEY_PERIOD: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long a new domain key only opens before it seals: every gateway over the store has run `tick` and knows it by then.
pub const DOMAIN_KEY_SETTLING: Duration = Duration::from_secs(3600);

/// Materials that are re-wrapped in one transaction: some 100 µs of the committer, so that nobody waits for it.
pub const REWRAP_BATCH: usize = 64;

/// Last uses of keys that are written in one transaction: some 300 µs of the committer, so that nobody waits for it.
pub const LAST_USE_BATCH: usize = 64;

/// Most key records, and most unwrapped materials, and most aliases, that a process keeps at hand. A record with its tags takes
/// a few KiB at most, a material 200 B: about 10 MiB when all are full of ordinary keys.
pub const MAX_CACHED: usize = 4_096;
/// How long a cached row is believed. This process's own changes drop it at once; a change made through another gateway over the
/// same store is seen after this. AWS itself promises no sooner ("eventual consistency", usually seconds).
pub const CACHE_LIFETIME: Duration = Duration::from_secs(5);
/// How often a change is tried anew when another one of the same key got there first. Within one process changes of a key wait
/// for each other, so only other gateways can use these up.
pub const MAX_ATTEMPTS: usize = 16;

/// A day, as AWS counts rotation periods.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// Longest key policy, bytes (KMS developer guide, quotas).
pub const MAX_POLICY: usize = policy::limits::KEY_BYTES;
/// Most grants of a key (KMS developer guide, quotas).
pub const MAX_GRANTS_PER_KEY: u64 = 50_000;
/// Entries of a page of ListGrants and ListRetirableGrants: when no limit is named, and at most (KMS API reference).
pub const GRANTS_PAGE: (usize, i64) = (50, 100);
/// Most pairs of each encryption context of a grant's constraints, and characters of its value (KMS API reference, CreateGrant).
pub const MAX_CONSTRAINT_PAIRS: usize = 8;
/// See [`MAX_CONSTRAINT_PAIRS`].
pub const MAX_CONSTRAINT_CHARACTERS: usize = 384;
/// Most grants of a key to one principal that memory keeps together: some 500 B each. More are read from the store at each use.
pub const MAX_CACHED_GRANTS: usize = 16;
/// Rows that are read at once where there may be many.
pub const SCAN_BATCH: usize = 256;
