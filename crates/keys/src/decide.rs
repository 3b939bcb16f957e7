//! Whether a caller may use a key: its key policy, the caller's own policies, then the key's grants. Nothing else in the crate decides
//! this.
//!
//! ```text
//! any policy   explicit deny                     no, whatever else there is
//! key policy   allows the caller                 yes; of another account: if its own policies allow it too
//!              allows the caller's account       yes, if its own policies allow it
//! grant        to the caller                     yes
//!              to the caller's account           yes, if its own policies allow it
//! ```
//!
//! What a policy says, and what a permissions boundary or a session policy takes away, is decided in crate `policy`; here stands what a
//! key has besides. What is about no key in particular (CreateKey, ListKeys) needs the caller's own policies alone:
//! [`Keys::allow_account_wide`].
//!
//! Source: KMS Developer Guide, "Determining access to AWS KMS keys"; IAM User Guide, "Policy evaluation logic".

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{
    By, Document, GlobalContext, Question, Refused, Rule, Value, Verdict, decide, identity_side, own_limits,
    resource_verdict,
};
use seal::EncryptionContext;

use crate::Keys;
use crate::access::{ALL, Action, Via};
use crate::circumstances::{Circumstances, Plain};
use crate::error::Error;
use crate::grant::{Demand, Grant, GrantOperation, Pairs, Party, Terms, Token};
use crate::identifier::{AliasName, KeyId};
use crate::labels::Labels;
use crate::principal::Principal;
use crate::record::Owner;
use crate::request;
use crate::vault::Key;

/// A condition key of a request, in lower case, and its value.
pub(crate) type Fact<'a> = (&'static str, Value<'a>);

/// What somebody wants to do with a key, as far as policies and grants may ask.
#[derive(Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) action: Action,
    /// `GrantTokens`
    tokens: &'a [String],
    pub(crate) encryption_context: Option<&'a EncryptionContext>,
    pub(crate) facts: &'a [Fact<'a>],
    new_grant: Option<&'a Terms>,
    /// The tags that the request gives, and the keys of those that it takes away.
    pub(crate) tags: Option<&'a BTreeMap<String, String>>,
    pub(crate) tag_keys: &'a [String],
    /// The other key of a ReEncrypt.
    pub(crate) other: Option<KeyId>,
}

impl From<Action> for Use<'_> {
    fn from(action: Action) -> Self {
        Self {
            action,
            tokens: &[],
            encryption_context: None,
            facts: &[],
            new_grant: None,
            tags: None,
            tag_keys: &[],
            other: None,
        }
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

    /// With the tags that the request gives.
    pub(crate) fn tags(self, tags: &'a BTreeMap<String, String>) -> Self {
        Self { tags: Some(tags), ..self }
    }

    /// With the keys of the tags that the request takes away.
    pub(crate) fn tag_keys(self, tag_keys: &'a [String]) -> Self {
        Self { tag_keys, ..self }
    }

    /// With the other key of a ReEncrypt.
    pub(crate) fn other(self, other: Option<KeyId>) -> Self {
        Self { other, ..self }
    }

    /// With the grant that CreateGrant shall make.
    pub(crate) fn new_grant(self, terms: &'a Terms) -> Self {
        Self { new_grant: Some(terms), ..self }
    }
}

/// A decision that is asked for: who wants what of which key, and how they came.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) key: &'a Key,
    pub(crate) via: Via,
    /// The alias that the request named the key by.
    pub(crate) alias: Option<&'a AliasName>,
    pub(crate) wish: &'a Use<'a>,
}

/// Why a caller may not use a key.
pub(crate) enum No {
    /// Policies and grants do not let it.
    Refused {
        refused: Refused,
        /// Whether the caller may know why: the key is its account's own, or the key's policy lets it in, and it lacks what its own
        /// account has to give.
        known: bool,
    },
    /// It could not be decided.
    Failed(Error),
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl No {
    /// The answer. Another account's key is named as the caller named it, and is refused as one is that does not exist.
    pub(crate) fn told(self, principal: &Principal, key: &Key, action: Action, named: &str) -> Error {
        match self {
            Self::Refused { refused, known: true } => denied_by(principal, action, &key.arn, &refused),
            Self::Refused { known: false, .. } => denied(principal, action, named),
            Self::Failed(error) => error,
        }
    }
}

/// What a caller's own policies say.
#[derive(Clone, Copy)]
pub(crate) struct OwnPolicies {
    /// A statement denies it.
    pub(crate) denied: bool,
    /// They allow it.
    pub(crate) allowed: bool,
    /// Boundary and session policies do not leave it out.
    pub(crate) within_limits: bool,
}

impl Keys {
    /// Whether a caller may use a key; `granted` is what [`Keys::granted_by_tokens`] says of the wish.
    ///
    /// # Errors
    /// [`No`].
    pub(crate) async fn decide(
        &self,
        principal: &Principal,
        key: &Key,
        via: Via,
        alias: Option<&AliasName>,
        wish: &Use<'_>,
        granted: &[(KeyId, Grant)],
    ) -> Result<(), No> {
        let case = Case { principal, key, via, alias, wish };
        let labels = self.labels_if_asked_for(&case).await?;
        let own = key.record.owner.account() == Some(principal.account);
        let refused = match self.judge(&case, &labels, own) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        let grantable =
            !refused.explicit() && wish.action != Action::ListAliases && (own || wish.action.crosses_accounts());
        if grantable && self.granted(&case, &labels, granted).await? {
            return Ok(());
        }
        let known = own || self.is_let_in(&case, &labels) && !matches!(refused.by, By::Resource | By::Trust);
        Err(No::Refused { refused, known })
    }

    /// Whether the key's policy allows the caller or its account.
    fn is_let_in(&self, case: &Case<'_>, labels: &Labels) -> bool {
        let allows = |document: &Document| {
            self.ask(case, labels, |question| matches!(resource_verdict(document, question), Verdict::Allow(_)))
        };
        case.key.policy.as_deref().is_some_and(allows)
    }

    /// What policies say.
    pub(crate) fn judge(&self, case: &Case<'_>, labels: &Labels, own: bool) -> Result<(), Refused> {
        let action = case.wish.action;
        self.ask(case, labels, |question| {
            if action == Action::ListAliases {
                // "Required permissions: kms:ListAliases (IAM policy)": it is about the account's aliases, not about a key.
                return if own { identity_side(question).map(|_| ()) } else { Err(Refused::implicit(By::Resource)) };
            }
            if !own && !action.crosses_accounts() {
                return Err(Refused::implicit(By::Resource));
            }
            let allowed = match (case.key.record.owner, &case.key.policy) {
                (Owner::Customer(_), Some(document)) => decide(question, Some(document), Rule::ResourceMustAllow),
                // The default policy allows the account, which lets its principals in by their own policies.
                (Owner::Customer(_), None) if own => identity_side(question),
                (Owner::AwsManaged(_), Some(document)) if own => {
                    decide(question, Some(document), Rule::ResourceMustAllow)
                }
                // Nothing of the key's lets in, and a grant may only where the caller's own policies do not deny.
                _ => {
                    let denied = identity_side(question).err().filter(Refused::explicit);
                    Err(denied.unwrap_or_else(|| Refused::implicit(By::Resource)))
                }
            };
            allowed.map(|_| ())
        })
    }

    /// Puts the question of a case, with all its circumstances.
    pub(crate) fn ask<T>(&self, case: &Case<'_>, labels: &Labels, answer: impl FnOnce(&Question<'_>) -> T) -> T {
        let Case { principal, key, via, alias, wish } = *case;
        let circumstances = Circumstances { principal, key, region: &self.region, via, alias, wish, labels };
        let facts = request::facts();
        let service = via.service(&self.region);
        let context = GlobalContext {
            principal,
            facts: facts.as_deref(),
            region: self.region.as_str(),
            resource_account: key.record.owner.account(),
            via_service: service.as_deref(),
            service: &circumstances,
        };
        answer(&Question {
            principal,
            action: wish.action.name(),
            resource: &key.arn,
            owner: key.record.owner.account(),
            context: &context,
        })
    }

    /// Whether the caller's own policies let it do what is about no key that exists: of an alias, of a new key, of all keys.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub(crate) fn allow_account_wide(
        &self,
        principal: &Principal,
        action: Action,
        resource: &str,
        facts: &[Fact<'_>],
    ) -> Result<(), Error> {
        self.ask_plain(resource, action, Plain { principal, facts, tags: &BTreeMap::new() })
    }

    /// The same for a key that is about to be made, with these tags.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub(crate) fn allow_tagged(
        &self,
        principal: &Principal,
        action: Action,
        facts: &[Fact<'_>],
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        self.ask_plain(ALL, action, Plain { principal, facts, tags })
    }

    fn ask_plain(&self, resource: &str, action: Action, plain: Plain<'_>) -> Result<(), Error> {
        let (how, principal) = (request::facts(), plain.principal);
        let context = GlobalContext {
            principal,
            facts: how.as_deref(),
            region: self.region.as_str(),
            resource_account: Some(principal.account),
            via_service: None,
            service: &plain,
        };
        let question = Question { principal, action: action.name(), resource, owner: None, context: &context };
        let allowed = identity_side(&question).map(|_| ());
        allowed.map_err(|refused| denied_by(principal, action, resource, &refused))
    }

    /// What the caller's own policies say of this with a key.
    pub(crate) async fn own_policies(
        &self,
        principal: &Principal,
        key: &Key,
        wish: &Use<'_>,
    ) -> Result<OwnPolicies, Error> {
        let case = Case { principal, key, via: Via::Kms, alias: None, wish };
        let labels = self.labels_if_asked_for(&case).await?;
        Ok(self.ask(&case, &labels, |question| {
            let (side, limits) = (identity_side(question), own_limits(question));
            let denied = side.as_ref().is_err_and(Refused::explicit);
            OwnPolicies { denied, allowed: side.is_ok(), within_limits: limits.is_ok() }
        }))
    }

    /// Whether a new key policy would let the caller change it again.
    pub(crate) fn may_put_policy_again(&self, principal: &Principal, key: &Key, document: &Document) -> bool {
        let facts = [("kms:policyname", Value::from("default"))];
        let wish = Use::of(Action::PutKeyPolicy).facts(&facts);
        let case = Case { principal, key, via: Via::Kms, alias: None, wish: &wish };
        self.ask(&case, &Labels::default(), |question| {
            decide(question, Some(document), Rule::ResourceMustAllow).is_ok()
        })
    }

    /// The tags and aliases of a key, if a policy that applies asks for any.
    pub(crate) async fn labels_if_asked_for(&self, case: &Case<'_>) -> Result<Arc<Labels>, Error> {
        let mentions =
            |document: &Document| document.mentions("aws:resourcetag/") || document.mentions("kms:resourcealiases");
        let permissions = &case.principal.permissions;
        let attached =
            permissions.identity.iter().chain(&permissions.boundary).chain(permissions.session.iter().flatten());
        let asked = case.key.policy.as_deref().is_some_and(mentions)
            || attached.into_iter().any(|attached| mentions(&attached.document));
        match asked {
            true => self.vault.labels(case.key.id).await,
            false => Ok(Arc::default()),
        }
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
    async fn granted(&self, case: &Case<'_>, labels: &Labels, at_hand: &[(KeyId, Grant)]) -> Result<bool, Error> {
        let Case { principal, key, wish, .. } = case;
        let none = Pairs::new();
        let context = wish.encryption_context.map_or(&none, EncryptionContext::pairs);
        let demand = match (wish.new_grant, GrantOperation::named(wish.action.short_name())) {
            (_, None) => return Ok(false),
            (Some(terms), _) => Demand::CreateGrant(terms),
            (None, Some(operation)) => Demand::Operation(operation, context),
        };
        for name in &Party::names_of(principal) {
            // What is given to a caller's account, its own policies have to allow too; what to its role, within its limits.
            let reaches = self.ask(case, labels, |question| match name.reach(principal) {
                policy::Reach::Direct => true,
                policy::Reach::Entity => own_limits(question).is_ok(),
                policy::Reach::Account => identity_side(question).is_ok(),
            });
            if !reaches {
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

/// A document out of the store, which was checked before it got there.
pub(crate) fn stored_policy(text: &[u8]) -> Option<Arc<Document>> {
    Document::parse(std::str::from_utf8(text).ok()?, policy::Kind::Key).ok().map(Arc::new)
}

pub(crate) fn invalid_grant_token() -> Error {
    Error::InvalidGrantToken("No grant has this token.".to_owned())
}

/// AWS's words for a caller who may not do this.
pub(crate) fn denied_by(principal: &Principal, action: Action, resource: &str, refused: &Refused) -> Error {
    let (arn, action) = (&principal.arn, action.name());
    Error::AccessDenied(format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} {}",
        refused.reason(action)
    ))
}

/// The same for a caller of another account, who learns no more.
pub(crate) fn denied(principal: &Principal, action: Action, resource: &str) -> Error {
    denied_by(principal, action, resource, &Refused::implicit(By::Resource))
}
