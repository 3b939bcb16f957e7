//! Whether a caller may use a key: its key policy, then its grants. Nothing else in the crate decides this.
//!
//! ```text
//! key policy   explicit deny                     no, whatever else there is
//!              allows the caller                 yes; of another account: if that account allows it too
//!              allows the caller's account       yes, if the account allows it
//! grant        to the caller                     yes
//!              to the caller's account           yes, if the account allows it
//! ```
//!
//! What an account allows its principals is [`account_allows`]: identity policies, once there are any.
//!
//! Source: KMS Developer Guide, "Determining access to AWS KMS keys"; IAM User Guide, "Policy evaluation logic".

use std::borrow::Cow;
use std::sync::Arc;

use policy::{Caller, Context, Decision, Document, RequestContext, Value, Verdict, evaluate};
use seal::EncryptionContext;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Keys;
use crate::access::{Action, Via};
use crate::error::Error;
use crate::grant::{Demand, Grant, GrantOperation, Pairs, Party, Terms, Token};
use crate::identifier::{AliasName, KeyId};
use crate::principal::{Principal, Region};
use crate::record::Owner;
use crate::vault::Key;
use crate::wire::Timestamp;

/// A condition key of a request, in lower case, and its value.
pub(crate) type Fact<'a> = (&'static str, Value<'a>);

/// What somebody wants to do with a key, as far as policies and grants may ask.
#[derive(Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) action: Action,
    /// `GrantTokens`
    tokens: &'a [String],
    encryption_context: Option<&'a EncryptionContext>,
    facts: &'a [Fact<'a>],
    new_grant: Option<&'a Terms>,
}

impl From<Action> for Use<'_> {
    fn from(action: Action) -> Self {
        Self { action, tokens: &[], encryption_context: None, facts: &[], new_grant: None }
    }
}

impl<'a> Use<'a> {
    pub(crate) fn of(action: Action) -> Self {
        action.into()
    }

    /// With the request's grant tokens.
    pub(crate) fn tokens(self, tokens: Option<&'a Vec<String>>) -> Self {
        Self { tokens: tokens.map_or(&[], Vec::as_slice), ..self }
    }

    /// With the request's encryption context.
    pub(crate) fn context(self, context: &'a EncryptionContext) -> Self {
        Self { encryption_context: Some(context), ..self }
    }

    /// With condition keys that this operation alone has.
    pub(crate) fn facts(self, facts: &'a [Fact<'a>]) -> Self {
        Self { facts, ..self }
    }

    /// With the grant that CreateGrant shall make.
    pub(crate) fn new_grant(self, terms: &'a Terms) -> Self {
        Self { new_grant: Some(terms), ..self }
    }
}

/// A decision that is asked for: who wants what of which key, and how they came.
struct Question<'a> {
    principal: &'a Principal,
    key: &'a Key,
    region: &'a Region,
    now: Timestamp,
    via: Via,
    /// The alias that the request named the key by.
    alias: Option<&'a AliasName>,
    wish: &'a Use<'a>,
}

/// Whether the caller's own account lets it do this with a key that the key's owner lets the account use. The accounts' principals
/// have no policies of their own yet: each may do what its account may.
fn account_allows(_principal: &Principal, _action: Action, _key: &Key) -> bool {
    true
}

impl Keys {
    /// Whether a caller may use a key; `granted` is what [`Keys::granted_by_tokens`] says of the wish.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if not, a failing store.
    pub(crate) async fn decide(
        &self,
        principal: &Principal,
        key: &Key,
        via: Via,
        alias: Option<&AliasName>,
        wish: &Use<'_>,
        granted: &[(KeyId, Grant)],
    ) -> Result<(), Error> {
        let own = key.record.owner.account() == Some(principal.account);
        if wish.action == Action::ListAliases {
            // "Required permissions: kms:ListAliases (IAM policy)": it is about the account's aliases, not about a key.
            return match own && account_allows(principal, wish.action, key) {
                true => Ok(()),
                false => Err(denied(principal, wish.action, &key.arn)),
            };
        }
        // The policy that nearly every key has, for nearly every caller.
        if own && key.policy.is_none() && matches!(key.record.owner, Owner::Customer(_)) {
            return match account_allows(principal, wish.action, key) {
                true => Ok(()),
                false => Err(denied(principal, wish.action, &key.arn)),
            };
        }
        if !own && !wish.action.crosses_accounts() {
            return Err(denied(principal, wish.action, &key.arn));
        }
        let question = Question { principal, key, region: &self.region, now: self.now(), via, alias, wish };
        let by_account = account_allows(principal, wish.action, key);
        match question.policy_verdict(own) {
            Verdict::ExplicitDeny => Err(explicitly_denied(principal, wish.action, &key.arn)),
            // An account's own policies have to allow it too, bar a direct allow within the account.
            Verdict::Allow(reach) if by_account || (own && reach == policy::Reach::Direct) => Ok(()),
            _ if self.granted(&question, granted, by_account).await? => Ok(()),
            _ => Err(denied(principal, wish.action, &key.arn)),
        }
    }

    /// Whether a new key policy would let the caller change it again.
    pub(crate) fn may_put_policy_again(&self, principal: &Principal, key: &Key, document: &Document) -> bool {
        let facts = [("kms:policyname", Value::from("default"))];
        let wish = Use::of(Action::PutKeyPolicy).facts(&facts);
        let question =
            Question { principal, key, region: &self.region, now: self.now(), via: Via::Kms, alias: None, wish: &wish };
        question.evaluate(document).allows() && account_allows(principal, wish.action, key)
    }

    /// The grants that the request's tokens name, of whichever keys. To be asked before anybody looks for the key: an answer about
    /// tokens must not tell whether the key exists.
    ///
    /// # Errors
    /// [`Error::InvalidGrantToken`] for a token that is no grant's, a failing store.
    pub(crate) async fn granted_by_tokens(&self, wish: &Use<'_>) -> Result<Vec<(KeyId, Grant)>, Error> {
        let mut grants = Vec::with_capacity(wish.tokens.len());
        for token in wish.tokens {
            let Token { key, grant, .. } = self.open_grant_token(token)?;
            // The store is asked, not memory: a token is there to be honoured at once.
            let found = self.vault.grant(key, grant).await?.ok_or_else(invalid_grant_token)?;
            grants.push((key, found.value));
        }
        Ok(grants)
    }

    /// Whether a grant allows it.
    async fn granted(
        &self,
        question: &Question<'_>,
        at_hand: &[(KeyId, Grant)],
        by_account: bool,
    ) -> Result<bool, Error> {
        let Question { principal, key, wish, .. } = question;
        let none = Pairs::new();
        let context = wish.encryption_context.map_or(&none, EncryptionContext::pairs);
        let demand = match (wish.new_grant, GrantOperation::named(wish.action.short_name())) {
            (_, None) => return Ok(false),
            (Some(terms), _) => Demand::CreateGrant(terms),
            (None, Some(operation)) => Demand::Operation(operation, context),
        };
        for (index, name) in Party::names_of(principal).iter().enumerate() {
            // The second name is the account's.
            if index > 0 && !by_account {
                continue;
            }
            let named = at_hand.iter().filter(|(of, grant)| *of == key.id && grant.terms.grantee == *name);
            if named.into_iter().any(|(_, grant)| grant.allows(demand))
                || self.vault.granted(key.id, name, demand).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a grant token says, once it is known that this server made it.
    ///
    /// # Errors
    /// [`Error::InvalidGrantToken`].
    pub(crate) fn open_grant_token(&self, token: &str) -> Result<Token, Error> {
        let opened = data_encoding::BASE64
            .decode(token.as_bytes())
            .ok()
            .and_then(|sealed| self.records().open(TOKEN, TOKEN, &sealed).ok())
            .and_then(|bytes| Token::decode(&bytes));
        opened.filter(|token| token.region == self.region.as_str()).ok_or_else(invalid_grant_token)
    }

    /// A token of a grant, another one each time.
    pub(crate) fn grant_token(&self, key: &Key, grant: &Grant) -> String {
        let token = Token { region: self.region.to_string(), key: key.id, grant: grant.id };
        data_encoding::BASE64.encode(&self.records().seal(TOKEN, TOKEN, &token.encode()))
    }
}

/// The kind that grant tokens are sealed as.
const TOKEN: &[u8] = b"grant token";

impl Question<'_> {
    fn policy_verdict(&self, own: bool) -> Verdict {
        match (self.key.record.owner, &self.key.policy) {
            (Owner::Customer(_), Some(document)) => self.evaluate(document).verdict,
            // The default policy allows the account.
            (Owner::Customer(_), None) if own => Verdict::Allow(policy::Reach::Account),
            // An AWS managed key's policy is AWS's own, and cannot be changed.
            (Owner::AwsManaged(_), _) if own && self.via == Via::S3 => Verdict::Allow(policy::Reach::Direct),
            (Owner::AwsManaged(_), _) if own && self.wish.action.reads_metadata() => {
                Verdict::Allow(policy::Reach::Account)
            }
            _ => Verdict::ImplicitDeny,
        }
    }

    fn evaluate<'d>(&self, document: &'d Document) -> Decision<'d> {
        let names = [self.principal.arn.as_str(), self.principal.user_id.as_str()];
        // A root user has no name but its account's.
        let names = if self.user_name().is_some() || !self.principal.arn.ends_with(":root") { &names[..] } else { &[] };
        let caller = Caller::Aws { account: self.principal.account.as_str(), names, canonical_user: None };
        let (action, resource) = (self.wish.action.name(), self.key.arn.as_str());
        evaluate(std::slice::from_ref(document), &RequestContext { caller, action, resource, context: self })
    }

    fn user_name(&self) -> Option<&str> {
        let (_, name) = self.principal.arn.split_once(":user/")?;
        name.rsplit('/').next()
    }

    /// The pairs of the encryption context under a name in lower case. Names that differ by case are one condition key.
    fn encryption_context(&self, name: &str) -> Option<Value<'_>> {
        let pairs = self.wish.encryption_context?.pairs();
        let named = pairs.iter().filter(|(key, _)| key.to_lowercase() == name || key.eq_ignore_ascii_case(name));
        let mut values: Vec<Cow<'_, str>> = named.map(|(_, value)| Cow::Borrowed(value.as_str())).collect();
        match values.len() {
            0 => None,
            1 => values.pop().map(Value::One),
            _ => Some(Value::Many(values)),
        }
    }
}

/// Condition keys: those of KMS ("Condition keys for AWS KMS" of its Developer Guide), and the global ones that are known here.
impl Context for Question<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        let record = &self.key.record;
        let flag = |value: bool| Some(Value::from(if value { "true" } else { "false" }));
        match key {
            "kms:calleraccount" | "aws:principalaccount" => Some(self.principal.account.as_str().into()),
            "kms:viaservice" => (self.via == Via::S3).then(|| format!("s3.{}.amazonaws.com", self.region).into()),
            "kms:keyspec" | "kms:customermasterkeyspec" => Some(record.spec.name().into()),
            "kms:keyusage" | "kms:customermasterkeyusage" => Some(record.usage.name().into()),
            "kms:keyorigin" => Some(record.origin.name().into()),
            "kms:multiregion" => flag(record.multi_region.is_some()),
            "kms:multiregionkeytype" => {
                let primary = record.multi_region.as_ref()?.primary == *self.region;
                Some(Value::from(if primary { "PRIMARY" } else { "REPLICA" }))
            }
            "kms:requestalias" => Some(self.alias?.as_str().into()),
            "kms:encryptioncontextkeys" => {
                let names = self.wish.encryption_context?.pairs().keys();
                Some(Value::Many(names.map(|name| Cow::Borrowed(name.as_str())).collect()))
            }
            "aws:principalarn" => Some(self.principal.arn.as_str().into()),
            "aws:principaltype" => Some(Value::from(if self.user_name().is_some() { "User" } else { "Account" })),
            "aws:userid" => Some(self.principal.user_id.as_str().into()),
            "aws:username" => self.user_name().map(Value::from),
            "aws:principalisawsservice" => flag(false),
            "aws:securetransport" => flag(crate::request::incoming()?.secure),
            // What S3 asks comes from S3, as on AWS: policies that admit addresses keep it out.
            "aws:sourceip" if self.via == Via::Kms => Some(crate::request::incoming()?.address.to_string().into()),
            "aws:viaawsservice" => flag(self.via != Via::Kms),
            "aws:requestedregion" => Some(self.region.as_str().into()),
            "aws:resourceaccount" => Some(Value::from(record.owner.account()?.to_string())),
            "aws:currenttime" => {
                let seconds = i64::try_from(self.now.as_millis() / 1000).ok()?;
                let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
                time.format(&Rfc3339).ok().map(Value::from)
            }
            "aws:epochtime" => Some((self.now.as_millis() / 1000).to_string().into()),
            _ => match key.strip_prefix("kms:encryptioncontext:") {
                Some(name) => self.encryption_context(name),
                None => self.wish.facts.iter().find(|(fact, _)| *fact == key).map(|(_, value)| value.clone()),
            },
        }
    }
}

/// A document out of the store, which was checked before it got there.
pub(crate) fn stored_policy(text: &[u8]) -> Option<Arc<Document>> {
    Document::parse(std::str::from_utf8(text).ok()?, policy::Kind::Key).ok().map(Arc::new)
}

pub(crate) fn invalid_grant_token() -> Error {
    Error::InvalidGrantToken("No grant has this token.".to_owned())
}

/// AWS's words for a caller whom no policy allows this.
pub(crate) fn denied(principal: &Principal, action: Action, resource: &str) -> Error {
    let (arn, action) = (&principal.arn, action.name());
    Error::AccessDenied(format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} \
         because no resource-based policy allows the {action} action"
    ))
}

/// AWS's words for a caller whom the key policy denies this.
fn explicitly_denied(principal: &Principal, action: Action, resource: &str) -> Error {
    let (arn, action) = (&principal.arn, action.name());
    Error::AccessDenied(format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} \
         with an explicit deny in a resource-based policy"
    ))
}
