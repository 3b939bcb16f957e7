//! Grants: who may use a key for what, besides its policy.
//!
//! Source: KMS Developer Guide, "Grants in AWS KMS"; the service model's CreateGrant and GrantConstraints.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use material::KeyUsage;
use policy::{PrincipalKind, Reach};

use crate::codec::{Decoder, Encoder};
use crate::identifier::KeyId;
use crate::principal::{AccountId, Principal};
use crate::record::KeyRecord;
use crate::wire::Timestamp;

/// A grant's id: 32 random bytes, 64 hexadecimal digits in the API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct GrantId([u8; GrantId::LEN]);

impl GrantId {
    /// Bytes of a grant id.
    pub(crate) const LEN: usize = 32;

    pub(crate) fn generate() -> Self {
        Self(seal::random_bytes())
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Parses the form that [`std::fmt::Display`] gives and no other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for GrantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Bytes of a [`PartyHash`].
pub(crate) const PARTY_HASH: usize = 32;

/// SHA-256 (FIPS 180-4) of a principal's name: row keys have one length, and do not spell it.
pub(crate) type PartyHash = [u8; PARTY_HASH];

/// Whom a grant is to, or who may retire it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Party {
    /// As a request names it: an ARN, of an account its root ARN. As a grant remembers it: its lasting name
    /// ([`crate::principals`]). Earlier grants remember users and roles by their ARNs.
    Principal(String),
    /// A service principal. No service of AWS calls this server, so nobody is one.
    Service(String),
}

impl Party {
    /// A principal's ARN, or an account's id or root ARN. `None`: neither.
    pub(crate) fn principal(text: &str) -> Option<Self> {
        match policy::NamedPrincipal::aws(text)? {
            policy::NamedPrincipal::Account(account) => {
                let root = root_arn(&account);
                // In other partitions there are no accounts.
                (text == account || text == root).then_some(Self::Principal(root))
            }
            policy::NamedPrincipal::Arn { arn, .. } => Some(Self::Principal(arn)),
            _ => None,
        }
    }

    /// All that a caller may be named by: unique id and ARN of the user or of the role behind a session, the session's ARN, and the root
    /// ARN of its account.
    pub(crate) fn names_of(principal: &Principal) -> Vec<Self> {
        let Principal { arn, user_id, .. } = principal;
        let root = root_arn(principal.account.as_str());
        let mut names: Vec<&str> = match &principal.kind {
            PrincipalKind::Service(_) | PrincipalKind::Anonymous | PrincipalKind::WebIdentity { .. } => return vec![],
            PrincipalKind::Root => vec![],
            PrincipalKind::User { .. } => vec![user_id, arn],
            PrincipalKind::AssumedRole { role_arn, role_id, .. } => vec![role_id, role_arn, arn],
            // A root user's federated session came from the account.
            PrincipalKind::FederatedUser { user_arn, .. } if *user_arn == root => vec![arn],
            PrincipalKind::FederatedUser { user_arn, user_id, .. } => vec![user_id, user_arn, arn],
        };
        names.push(&root);
        names.into_iter().map(|name| Self::Principal(name.to_owned())).collect()
    }

    /// How what is given to one of a caller's names reaches the caller.
    pub(crate) fn reach(&self, principal: &Principal) -> Reach {
        match self {
            Self::Principal(name) if *name == principal.arn || *name == principal.user_id => Reach::Direct,
            Self::Principal(name) if *name == root_arn(principal.account.as_str()) => Reach::Account,
            _ => Reach::Entity,
        }
    }

    /// The account in a principal's ARN. A unique id tells none.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Principal(arn) => arn.split(':').nth(4),
            Self::Service(_) => None,
        }
    }

    pub(crate) fn hash(&self) -> PartyHash {
        let (Self::Principal(name) | Self::Service(name)) = self;
        sha256(name.as_bytes())
    }

    fn encode(&self, out: &mut Encoder) {
        let (kind, name) = match self {
            Self::Principal(name) => (1, name),
            Self::Service(name) => (2, name),
        };
        out.byte(kind);
        out.text(name);
    }

    fn decode(fields: &mut Decoder<'_>) -> Option<Self> {
        match fields.byte()? {
            1 => fields.text().map(Self::Principal),
            2 => fields.text().map(Self::Service),
            _ => None,
        }
    }
}

/// `arn:aws:iam::ACCOUNT:root`.
pub(crate) fn root_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

macro_rules! operations {
    ($($name:ident = $code:literal $context:ident),+ $(,)?) => {
        /// `GrantOperation` of the service model. The number is what records hold.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum GrantOperation { $($name = $code),+ }

        impl GrantOperation {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in the service model.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// Whether the operation has an encryption context, with symmetric encryption keys.
            fn has_context(self) -> bool {
                match self { $(Self::$name => operations!(@ $context)),+ }
            }
        }
    };
    (@ context) => { true };
    (@ bare) => { false };
}

operations! {
    Decrypt = 1 context,
    Encrypt = 2 context,
    GenerateDataKey = 3 context,
    GenerateDataKeyWithoutPlaintext = 4 context,
    ReEncryptFrom = 5 context,
    ReEncryptTo = 6 context,
    Sign = 7 bare,
    Verify = 8 bare,
    GetPublicKey = 9 bare,
    CreateGrant = 10 bare,
    RetireGrant = 11 bare,
    DescribeKey = 12 bare,
    GenerateDataKeyPair = 13 context,
    GenerateDataKeyPairWithoutPlaintext = 14 context,
    GenerateMac = 15 bare,
    VerifyMac = 16 bare,
    DeriveSharedSecret = 17 bare,
    Encapsulate = 18 bare,
    Decapsulate = 19 bare,
}

impl GrantOperation {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| *operation as u8 == code)
    }

    /// Whether keys of this kind have the operation (KMS Developer Guide, "Grant operations").
    pub(crate) fn suits(self, key: &KeyRecord) -> bool {
        let symmetric = key.spec == material::KeySpec::SymmetricDefault;
        let hmac = key.usage == KeyUsage::GenerateVerifyMac;
        match self {
            Self::CreateGrant | Self::RetireGrant | Self::DescribeKey => true,
            Self::Decrypt | Self::Encrypt | Self::ReEncryptFrom | Self::ReEncryptTo => {
                key.usage == KeyUsage::EncryptDecrypt
            }
            Self::GenerateDataKey
            | Self::GenerateDataKeyWithoutPlaintext
            | Self::GenerateDataKeyPair
            | Self::GenerateDataKeyPairWithoutPlaintext => symmetric,
            Self::Sign | Self::Verify => key.usage == KeyUsage::SignVerify,
            Self::GetPublicKey => !symmetric && !hmac,
            Self::GenerateMac | Self::VerifyMac => hmac,
            Self::DeriveSharedSecret => key.usage == KeyUsage::KeyAgreement,
            Self::Encapsulate | Self::Decapsulate => key.usage == KeyUsage::EncapsulateDecapsulate,
        }
    }
}

/// Pairs of an encryption context.
pub(crate) type Pairs = BTreeMap<String, String>;

/// `GrantConstraints`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Constraints {
    /// `EncryptionContextEquals`
    pub(crate) equals: Option<Pairs>,
    /// `EncryptionContextSubset`
    pub(crate) subset: Option<Pairs>,
    /// `SourceArn`
    pub(crate) source_arn: Option<String>,
}

impl Constraints {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn of_context(&self) -> bool {
        self.equals.is_some() || self.subset.is_some()
    }

    /// Whether an operation with this encryption context keeps them. Names match in either case, values as they are.
    fn allow_context(&self, context: &Pairs) -> bool {
        self.equals.as_ref().is_none_or(|wanted| same(context, wanted))
            && self.subset.as_ref().is_none_or(|wanted| includes(context, wanted))
    }

    /// Whether whatever a grant with these constraints allows, a grant with `wider` ones would too.
    fn at_least_as_strict(&self, wider: &Self) -> bool {
        // Every context that these let pass has these pairs, and no others where they are `equals`.
        let sure = |wanted: &Pairs| [&self.equals, &self.subset].into_iter().flatten().any(|own| includes(own, wanted));
        let equals =
            wider.equals.as_ref().is_none_or(|wanted| self.equals.as_ref().is_some_and(|own| same(own, wanted)));
        let source = wider.source_arn.is_none() || wider.source_arn == self.source_arn;
        equals && wider.subset.as_ref().is_none_or(sure) && source
    }
}

fn same(pairs: &Pairs, wanted: &Pairs) -> bool {
    pairs.len() == wanted.len() && includes(pairs, wanted) && includes(wanted, pairs)
}

/// Whether each wanted pair is there.
fn includes(pairs: &Pairs, wanted: &Pairs) -> bool {
    let there = |name: &str, value: &str| pairs.iter().any(|(n, v)| n.to_lowercase() == name && v == value);
    wanted.iter().all(|(name, value)| there(&name.to_lowercase(), value))
}

/// What CreateGrant says of a grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    pub(crate) name: Option<String>,
    pub(crate) grantee: Party,
    pub(crate) retiring: Option<Party>,
    /// In the order of the request, each once.
    pub(crate) operations: Vec<GrantOperation>,
    pub(crate) constraints: Constraints,
    /// The account that asked for it.
    pub(crate) issuing_account: AccountId,
}

/// A grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) created: Timestamp,
    pub(crate) terms: Terms,
}

/// What a grant is asked to allow.
#[derive(Clone, Copy)]
pub(crate) enum Demand<'a> {
    /// An operation, with its encryption context.
    Operation(GrantOperation, &'a Pairs),
    /// CreateGrant, with the terms of the new grant.
    CreateGrant(&'a Terms),
}

impl Grant {
    /// Whether the grant allows this to its grantee. No request is made on behalf of a resource of AWS here, so a grant with a
    /// `SourceArn` allows only what that constraint is not applied to.
    pub(crate) fn allows(&self, demand: Demand<'_>) -> bool {
        let Terms { operations, constraints, .. } = &self.terms;
        match demand {
            Demand::Operation(operation, context) => {
                let source = constraints.source_arn.is_none() || operation == GrantOperation::RetireGrant;
                let context = !operation.has_context() || constraints.allow_context(context);
                operations.contains(&operation) && source && context
            }
            Demand::CreateGrant(new) => {
                operations.contains(&GrantOperation::CreateGrant)
                    && constraints.source_arn.is_none()
                    && new.operations.iter().all(|operation| operations.contains(operation))
                    && new.constraints.at_least_as_strict(constraints)
            }
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.array(self.id.as_bytes());
        out.time(self.created);
        self.terms.encode(&mut out);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let id = GrantId::from_bytes(fields.array()?);
        let created = fields.time()?;
        let terms = Terms::decode(&mut fields)?;
        fields.finish()?;
        Some(Self { id, created, terms })
    }
}

impl Terms {
    /// What two requests with identical parameters of one account share.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut out = Encoder::new(VERSION);
        self.encode(&mut out);
        sha256(&out.finish())
    }

    fn encode(&self, out: &mut Encoder) {
        out.option(self.name.as_ref(), |out, name| out.text(name));
        self.grantee.encode(out);
        out.option(self.retiring.as_ref(), |out, party| party.encode(out));
        out.count(self.operations.len());
        self.operations.iter().for_each(|operation| out.byte(*operation as u8));
        let Constraints { equals, subset, source_arn } = &self.constraints;
        for pairs in [equals, subset] {
            out.option(pairs.as_ref(), |out, pairs| {
                out.count(pairs.len());
                for (name, value) in pairs {
                    out.text(name);
                    out.text(value);
                }
            });
        }
        out.option(source_arn.as_ref(), |out, arn| out.text(arn));
        out.array(self.issuing_account.as_bytes());
    }

    fn decode(fields: &mut Decoder<'_>) -> Option<Self> {
        let pairs = |fields: &mut Decoder<'_>| -> Option<Pairs> {
            let list = fields.list(|fields| Some((fields.text()?, fields.text()?)))?;
            Some(list.into_iter().collect())
        };
        Some(Self {
            name: fields.option(Decoder::text)?,
            grantee: Party::decode(fields)?,
            retiring: fields.option(Party::decode)?,
            operations: fields.list(|fields| GrantOperation::from_code(fields.byte()?))?,
            constraints: Constraints {
                equals: fields.option(pairs)?,
                subset: fields.option(pairs)?,
                source_arn: fields.option(Decoder::text)?,
            },
            issuing_account: AccountId::from_bytes(fields.array()?)?,
        })
    }
}

/// What a grant token holds, sealed: the grant that it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    /// The Region of the key, as text.
    pub(crate) region: String,
    pub(crate) key: KeyId,
    pub(crate) grant: GrantId,
}

impl Token {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.text(&self.region);
        out.array(self.key.as_bytes());
        out.array(self.grant.as_bytes());
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let token = Self {
            region: fields.text()?,
            key: KeyId::from_bytes(fields.array()?),
            grant: GrantId::from_bytes(fields.array()?),
        };
        fields.finish()?;
        Some(token)
    }
}

/// Version of the records and tokens here.
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn grant(operations: &[GrantOperation], constraints: Constraints) -> Grant {
        let terms = Terms {
            name: Some("n".to_owned()),
            grantee: Party::principal("444455556666").unwrap(),
            retiring: Some(Party::Service("s3.amazonaws.com".to_owned())),
            operations: operations.to_vec(),
            constraints,
            issuing_account: AccountId::parse("111122223333").unwrap(),
        };
        Grant { id: GrantId::from_bytes([7; 32]), created: Timestamp::from_millis(5), terms }
    }

    fn equals(list: &[(&str, &str)]) -> Constraints {
        Constraints { equals: Some(pairs(list)), ..Constraints::default() }
    }

    fn subset(list: &[(&str, &str)]) -> Constraints {
        Constraints { subset: Some(pairs(list)), ..Constraints::default() }
    }

    #[test]
    fn records_and_tokens_come_back_as_they_were() {
        let whole = Constraints { source_arn: Some("arn:aws:s3:::b".to_owned()), ..equals(&[("a", "b"), ("c", "")]) };
        for constraints in [whole, subset(&[]), Constraints::default()] {
            let grant = grant(GrantOperation::ALL, constraints);
            assert_eq!(Grant::decode(&grant.encode()).unwrap(), grant);
            let bytes = grant.encode();
            assert!((0..bytes.len()).all(|len| Grant::decode(&bytes[..len]).is_none()));
            assert!(Grant::decode(&[&bytes[..], &[0]].concat()).is_none());
        }
        let token = Token { region: "eu-west-1".to_owned(), key: KeyId::generate(), grant: GrantId::generate() };
        assert_eq!(Token::decode(&token.encode()).unwrap(), token);
        assert_eq!(GrantId::parse(&token.grant.to_string()), Some(token.grant));
        assert!(["", "ab", &"AB".repeat(32), &"zz".repeat(32)].iter().all(|bad| GrantId::parse(bad).is_none()));
    }

    #[test]
    fn constraints_hold_for_operations_that_have_a_context() {
        use GrantOperation::{Decrypt, DescribeKey, RetireGrant, Sign};
        let all = [Decrypt, DescribeKey, RetireGrant];
        for (constraints, context, allowed) in [
            (Constraints::default(), &[][..], true),
            (equals(&[("App", "x")]), &[("App", "x")][..], true),
            (equals(&[("App", "x")]), &[("app", "x")], true),
            (equals(&[("App", "x")]), &[("App", "X")], false),
            (equals(&[("App", "x")]), &[("App", "x"), ("b", "")], false),
            (equals(&[("App", "x")]), &[], false),
            (subset(&[("App", "x")]), &[("APP", "x"), ("b", "")], true),
            (subset(&[("App", "x")]), &[("b", "")], false),
        ] {
            let (grant, context) = (grant(&all, constraints), pairs(context));
            assert_eq!(grant.allows(Demand::Operation(Decrypt, &context)), allowed, "{grant:?} {context:?}");
            assert!(grant.allows(Demand::Operation(DescribeKey, &context)));
            assert!(!grant.allows(Demand::Operation(Sign, &context)));
        }
        let on_behalf = Constraints { source_arn: Some("arn:aws:s3:::b".to_owned()), ..Constraints::default() };
        let grant = grant(&all, on_behalf);
        assert!(!grant.allows(Demand::Operation(Decrypt, &Pairs::new())));
        assert!(!grant.allows(Demand::Operation(DescribeKey, &Pairs::new())));
        assert!(grant.allows(Demand::Operation(RetireGrant, &Pairs::new())));
    }

    #[test]
    fn a_grant_made_through_a_grant_is_no_wider() {
        use GrantOperation::{CreateGrant, Decrypt, Encrypt};
        let none = Constraints::default;
        let two = || equals(&[("a", "1"), ("b", "2")]);
        for (parent, child, operations, allowed) in [
            (none(), none(), &[Decrypt][..], true),
            (none(), none(), &[Decrypt, CreateGrant], true),
            (none(), none(), &[Encrypt], false),
            (none(), two(), &[Decrypt], true),
            (two(), none(), &[Decrypt], false),
            (two(), two(), &[Decrypt], true),
            (two(), equals(&[("a", "1")]), &[Decrypt], false),
            (two(), subset(&[("a", "1"), ("b", "2")]), &[Decrypt], false),
            (subset(&[("a", "1")]), two(), &[Decrypt], true),
            (subset(&[("a", "1")]), subset(&[("A", "1"), ("c", "3")]), &[Decrypt], true),
            (subset(&[("a", "1")]), subset(&[("c", "3")]), &[Decrypt], false),
            (subset(&[("a", "1")]), none(), &[Decrypt], false),
        ] {
            let parent = grant(&[Decrypt, CreateGrant], parent);
            let child = grant(operations, child);
            assert_eq!(parent.allows(Demand::CreateGrant(&child.terms)), allowed, "{parent:?} {child:?}");
        }
        let parent = grant(&[Decrypt], none());
        assert!(!parent.allows(Demand::CreateGrant(&grant(&[Decrypt], none()).terms)));
    }

    #[test]
    fn a_caller_is_who_its_ids_and_arns_say() {
        let account = AccountId::parse("444455556666").unwrap();
        let names = |principal: &Principal| -> Vec<String> {
            let name = |party| match party {
                Party::Principal(name) | Party::Service(name) => name,
            };
            Party::names_of(principal).into_iter().map(name).collect()
        };
        let (arn, root) = ("arn:aws:iam::444455556666:user/bob", "arn:aws:iam::444455556666:root");
        let bob = Principal::user(account, arn, "bob", "AIDABOBBOBBOBBOBBOBB1");
        // Grants of earlier releases remember the ARN.
        assert_eq!(names(&bob), ["AIDABOBBOBBOBBOBBOBB1", arn, root]);
        let reach = |name: &str| Party::Principal(name.to_owned()).reach(&bob);
        assert_eq!([reach(&bob.user_id), reach(arn), reach(root)], [Reach::Direct, Reach::Direct, Reach::Account]);
        assert_eq!(names(&Principal::root(account, "")), [root]);
        let federated = |user_arn: &str, user_id: &str| {
            let (user_arn, user_id, name) = (user_arn.to_owned(), user_id.to_owned(), "f".to_owned());
            let kind = PrincipalKind::FederatedUser { user_arn, user_id, name };
            let (arn, user_id) = ("arn:aws:sts::444455556666:federated-user/f".to_owned(), "444455556666:f".to_owned());
            Principal { kind, arn, user_id, ..bob.clone() }
        };
        let session = "arn:aws:sts::444455556666:federated-user/f";
        assert_eq!(names(&federated(root, "444455556666")), [session, root]);
        let of_bob = federated(arn, "AIDABOBBOBBOBBOBBOBB1");
        assert_eq!(names(&of_bob), ["AIDABOBBOBBOBBOBBOBB1", arn, session, root]);
        assert_eq!(Party::Principal("AIDABOBBOBBOBBOBBOBB1".to_owned()).reach(&of_bob), Reach::Entity);
        assert!(names(&Principal::anonymous()).is_empty());
    }

    #[test]
    fn an_account_has_one_name() {
        let root = Party::Principal("arn:aws:iam::444455556666:root".to_owned());
        assert_eq!(Party::principal("444455556666"), Some(root.clone()));
        assert_eq!(Party::principal("arn:aws:iam::444455556666:root"), Some(root));
        for bad in [
            "arn:aws-cn:iam::444455556666:root",
            "*",
            "",
            "alice",
            "arn:aws:iam::444455556666:group/g",
            "arn:aws:s3:::b",
            "AIDAALICEALICEALICE1",
        ] {
            assert_eq!(Party::principal(bad), None, "{bad}");
        }
    }
}
