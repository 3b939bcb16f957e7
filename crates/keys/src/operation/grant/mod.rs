//! CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant.

mod shapes;

use std::borrow::Cow;

use meta::{Table, Transaction};
use policy::{NamedPrincipal, Reach, Value};
use seal::EncryptionContext;

use super::Done;
use super::page::{Page, list, list_all};
use super::refusals::stop_dry_run;
use crate::Keys;
use crate::access::{ALL, Action, note_grant};
use crate::codec::decode_empty;
use crate::decide::{Use, denied, invalid_grant_token};
use crate::error::Error;
use crate::grant::{Constraints, Demand, Grant, GrantId, GrantOperation, Pairs, Party, Terms, root_arn};
use crate::identifier::{KeyId, Reference};
use crate::limits::{
    GRANTS_PAGE, MAX_ATTEMPTS, MAX_CONSTRAINT_CHARACTERS, MAX_CONSTRAINT_PAIRS, MAX_GRANTS_PER_KEY, SCAN_BATCH,
};
use crate::principal::Principal;
use crate::rows::Rows;
use crate::vault::{Key, Opened, Vault, busy, gone};
use model::required;

pub use shapes::{
    CreateGrantRequest, CreateGrantResponse, GrantConstraints, GrantListEntry, ListGrantsRequest, ListGrantsResponse,
    ListRetirableGrantsRequest, RetireGrantRequest, RevokeGrantRequest,
};

impl Keys {
    /// CreateGrant. A request with a name and the parameters of a grant that exists gives that grant, and another token.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, CreateGrant.
    pub async fn create_grant(
        &self,
        principal: &Principal,
        request: CreateGrantRequest,
    ) -> Result<CreateGrantResponse, Error> {
        let (tokens, dry_run, key_id) = (request.grant_tokens.clone(), request.dry_run, request.key_id.clone());
        let asked = terms(principal, request)?;
        let context = asked.context()?;
        let facts = asked.facts();
        let wish = Use::of(Action::CreateGrant).tokens(tokens.as_ref()).context(&context);
        let key = self.find_by_id(principal, &key_id, wish.facts(&facts).new_grant(&asked)).await?;
        key.record.require_enabled(&key.arn)?;
        asked.require_suitable(&key)?;
        let terms = self.lasting(&asked).await?;
        stop_dry_run(dry_run)?;
        let grant = self.put_grant(&key, terms).await?;
        Ok(CreateGrantResponse { grant_token: self.grant_token(&key, &grant), grant_id: grant.id.to_string() })
    }

    /// Terms as a grant has them: whom they name by lasting names.
    ///
    /// # Errors
    /// [`Error::InvalidArn`] for a principal that does not exist.
    async fn lasting(&self, asked: &Terms) -> Result<Terms, Error> {
        let mut terms = asked.clone();
        for party in std::iter::once(&mut terms.grantee).chain(&mut terms.retiring) {
            if let Party::Principal(name) = party {
                *name = self.lasting_name(name).await?.ok_or_else(|| no_such_principal(name))?;
            }
        }
        Ok(terms)
    }

    /// All that grants may remember a principal by which a request names by an account's id, an ARN or a unique id.
    async fn names_sought(&self, text: &str) -> Result<Vec<Party>, Error> {
        let other = match NamedPrincipal::aws(text) {
            Some(NamedPrincipal::UniqueId(id)) => Some(self.shown_name(id).await?),
            Some(NamedPrincipal::Arn { arn, .. }) => self.lasting_name(&arn).await?,
            _ => return Ok(vec![party(text)?]),
        };
        let other = other.filter(|other| other != text).map(Party::Principal);
        Ok(std::iter::once(Party::Principal(text.to_owned())).chain(other).collect())
    }

    async fn put_grant(&self, key: &Key, terms: Terms) -> Result<Grant, Error> {
        let vault = &self.vault;
        let _alone = vault.lock(key.id).await;
        for _ in 0..MAX_ATTEMPTS {
            let found = vault.draft(key.id).await?;
            let Opened { row, value: draft } = found.ok_or_else(|| gone(key.id))?;
            draft.record.require_enabled(&draft.arn)?;
            if terms.name.is_some()
                && let Some(id) = vault.read(&vault.rows.grant_terms(key.id, &terms.hash()), decode_id).await?
                && let Some(existing) = vault.grant(key.id, id.value).await?
            {
                return Ok(existing.value);
            }
            let (transaction, count) = counted(vault, key.id).await?;
            if count >= MAX_GRANTS_PER_KEY {
                let text = format!("The key {} has {MAX_GRANTS_PER_KEY} grants, the most it may have.", key.arn);
                return Err(Error::LimitExceeded(text));
            }
            // The key is not written, only expected: it must not be destroyed, disabled or given another policy meanwhile.
            let place = vault.rows.key(key.id);
            let transaction = transaction.expect_equals(place.table, &place.key, row);
            let transaction = vault.put(transaction, &vault.rows.grant_count(key.id), &(count + 1).to_be_bytes());
            let grant = Grant { id: GrantId::generate(), created: self.now(), terms: terms.clone() };
            let committed = vault.commit(vault.put_grant(transaction, key.id, &grant)).await;
            vault.forget_grants(key.id, &grant.terms.grantee);
            if committed? {
                return Ok(grant);
            }
        }
        Err(busy())
    }

    /// ListGrants, in the order of grant ids.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListGrants.
    pub async fn list_grants(
        &self,
        principal: &Principal,
        request: ListGrantsRequest,
    ) -> Result<ListGrantsResponse, Error> {
        if request.grantee_principal.is_some() && request.grantee_service_principal.is_some() {
            return Err(either("GranteePrincipal", "GranteeServicePrincipal"));
        }
        let only = request.grant_id.as_deref().map(grant_id).transpose()?;
        let grantee = match &request.grantee_principal {
            Some(text) => Some(self.names_sought(text).await?),
            None => None,
        };
        let facts = [("kms:grantisforawsresource", "false".into())];
        let wish = Use::of(Action::ListGrants).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        if request.grantee_service_principal.is_some() {
            return Err(for_services("GranteeServicePrincipal"));
        }
        let page = page(request.limit, request.marker.as_deref())?;
        let vault = &self.vault;
        let (ids, next_marker) = match (&only, &grantee) {
            (Some(id), _) => (vec![*id], None),
            (None, None) => {
                let (rows, next) = list(vault, Table::Key, vault.rows.grants(key.id), page).await?;
                (rows.iter().filter_map(|row| Rows::last_grant(&row.key)).collect(), next)
            }
            (None, Some(names)) => {
                let hashes: Vec<_> = names.iter().map(Party::hash).collect();
                let ranges = hashes.iter().map(|hash| vault.rows.granted_to(key.id, hash)).collect();
                let (rows, next) = list_all(vault, Table::Key, ranges, page).await?;
                let mut ids = Vec::with_capacity(rows.len());
                for row in &rows {
                    let damaged = || Error::damaged("grantee", &row.key);
                    let id = Rows::last_grant(&row.key).ok_or_else(damaged)?;
                    let places = hashes.iter().map(|hash| vault.rows.grantee(key.id, hash, id));
                    let place = places.into_iter().find(|place| place.key == row.key).ok_or_else(damaged)?;
                    vault.decode(&place, &row.value, decode_empty)?;
                    ids.push(id);
                }
                (ids, next)
            }
        };
        let mut grants = Vec::with_capacity(ids.len());
        for id in ids {
            // Gone between the two reads: no grant any more.
            let found = vault.grant(key.id, id).await?.map(|found| found.value);
            let wanted = |grant: &Grant| grantee.as_ref().is_none_or(|names| names.contains(&grant.terms.grantee));
            if let Some(grant) = found.filter(wanted) {
                grants.push(self.entry(&key, grant).await?);
            }
        }
        Ok(ListGrantsResponse { grants, truncated: next_marker.is_some(), next_marker })
    }

    /// ListRetirableGrants: of every key of this Region, in whichever account. Whose a unique id was whose principal is gone, nobody knows:
    /// of its grants the caller sees those of its own account.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListRetirableGrants.
    pub async fn list_retirable_grants(
        &self,
        principal: &Principal,
        request: ListRetirableGrantsRequest,
    ) -> Result<ListGrantsResponse, Error> {
        let text = match (&request.retiring_principal, &request.retiring_service_principal) {
            (Some(text), None) => text,
            (None, Some(_)) => return Err(for_services("RetiringServicePrincipal")),
            _ => return Err(either("RetiringPrincipal", "RetiringServicePrincipal")),
        };
        let names = self.names_sought(text).await?;
        // Whose a principal was that is gone, nobody knows.
        let account = names.iter().find_map(Party::account).ok_or_else(|| no_such_principal(text))?;
        if account != principal.account.as_str() {
            return Err(denied(principal, Action::ListRetirableGrants, text));
        }
        self.allow_account_wide(principal, Action::ListRetirableGrants, ALL, &[])?;
        let page = page(request.limit, request.marker.as_deref())?;
        let vault = &self.vault;
        let hashes: Vec<_> = names.iter().map(Party::hash).collect();
        let ranges = hashes.iter().map(|hash| vault.rows.retirable_by(hash)).collect();
        let (rows, next_marker) = list_all(vault, Table::Key, ranges, page).await?;
        let mut grants = Vec::with_capacity(rows.len());
        for row in &rows {
            let damaged = || Error::damaged("retiring principal", &row.key);
            let (id, grant) = vault.rows.retirable(&row.key).ok_or_else(damaged)?;
            let places = hashes.iter().map(|hash| vault.rows.retiring(hash, id, grant));
            let place = places.into_iter().find(|place| place.key == row.key).ok_or_else(damaged)?;
            vault.decode(&place, &row.value, decode_empty)?;
            let (Some(grant), Some(key)) = (vault.grant(id, grant).await?, vault.key(id).await?) else { continue };
            if grant.value.terms.retiring.as_ref().is_some_and(|party| names.contains(party)) {
                grants.push(self.entry(&key, grant.value).await?);
            }
        }
        Ok(ListGrantsResponse { grants, truncated: next_marker.is_some(), next_marker })
    }

    /// RetireGrant, by a token, or by a key and a grant's id. Who may, the grant says: its retiring principal, its grantee if it has
    /// that operation, and the account that asked for it.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, RetireGrant.
    pub async fn retire_grant(&self, principal: &Principal, request: RetireGrantRequest) -> Result<Done, Error> {
        let RetireGrantRequest { grant_token, key_id, grant_id: id, dry_run } = request;
        let (key, grant, named, absent) = match (grant_token, key_id, id) {
            (Some(token), None, None) => {
                let token = self.open_grant_token(&token)?;
                (token.key, token.grant, None, invalid_grant_token())
            }
            (None, Some(key_id), Some(id)) => {
                let (account, key) = Reference::parse_key(&key_id, principal, &self.region)?;
                let grant = grant_id(&id)?;
                // Whether another account's key has such a grant is not for everybody to learn.
                let absent = match account == principal.account {
                    true if self.vault.key(key).await?.is_none() => self.no_such_key(account, key),
                    true => no_such_grant(&id),
                    false => denied(principal, Action::RetireGrant, &key_id),
                };
                (key, grant, Some((account, key_id)), absent)
            }
            _ => {
                let text = "Specify either a GrantToken, or a KeyId and a GrantId.";
                return Err(Error::Validation(text.to_owned()));
            }
        };
        let (Some(found), Some(key)) = (self.vault.grant(key, grant).await?, self.vault.key(key).await?) else {
            return Err(absent);
        };
        if named.as_ref().is_some_and(|(account, _)| key.record.owner.account() != Some(*account)) {
            return Err(absent);
        }
        note_grant(&key, Action::RetireGrant, grant);
        if !self.may_retire(principal, &key, &found.value).await? {
            let resource = named.map_or_else(|| key.arn.clone(), |(_, key_id)| key_id);
            return Err(denied(principal, Action::RetireGrant, &resource));
        }
        stop_dry_run(dry_run)?;
        self.delete_grant(&key, grant).await.map(|_| Done)
    }

    /// Whether a grant is one that a principal may retire. Key policies have no say in it (KMS Developer Guide, "Retiring and revoking
    /// grants"). What is given to an account, its principals have whom their own policies allow it.
    async fn may_retire(&self, principal: &Principal, key: &Key, grant: &Grant) -> Result<bool, Error> {
        let terms = &grant.terms;
        let own = self.own_policies(principal, key, &Action::RetireGrant.into()).await?;
        if own.denied {
            return Ok(false);
        }
        let names = Party::names_of(principal);
        let reaches = |party: &Party| {
            names.contains(party)
                && match party.reach(principal) {
                    Reach::Direct => true,
                    Reach::Entity => own.within_limits,
                    Reach::Account => own.allowed,
                }
        };
        let retires = grant.allows(Demand::Operation(GrantOperation::RetireGrant, &Pairs::new()));
        Ok((retires && reaches(&terms.grantee))
            || terms.retiring.as_ref().is_some_and(reaches)
            || (terms.issuing_account == principal.account && own.allowed))
    }

    /// RevokeGrant.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, RevokeGrant.
    pub async fn revoke_grant(&self, principal: &Principal, request: RevokeGrantRequest) -> Result<Done, Error> {
        let id = grant_id(&request.grant_id)?;
        let facts = [("kms:grantisforawsresource", "false".into())];
        let wish = Use::of(Action::RevokeGrant).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        if self.vault.grant(key.id, id).await?.is_none() {
            return Err(no_such_grant(&request.grant_id));
        }
        stop_dry_run(request.dry_run)?;
        match self.delete_grant(&key, id).await? {
            true => Ok(Done),
            false => Err(no_such_grant(&request.grant_id)),
        }
    }

    /// Deletes a grant. `false`: it was gone.
    async fn delete_grant(&self, key: &Key, id: GrantId) -> Result<bool, Error> {
        let vault = &self.vault;
        let _alone = vault.lock(key.id).await;
        for _ in 0..MAX_ATTEMPTS {
            let Some(Opened { row, value: grant }) = vault.grant(key.id, id).await? else { return Ok(false) };
            let (transaction, count) = counted(vault, key.id).await?;
            let place = vault.rows.grant(key.id, id);
            let transaction = transaction.expect_equals(place.table, &place.key, row);
            let left = count.saturating_sub(1).to_be_bytes();
            let transaction = vault.put(transaction, &vault.rows.grant_count(key.id), &left);
            let committed = vault.commit(vault.delete_grant(transaction, key.id, &grant)).await;
            vault.forget_grants(key.id, &grant.terms.grantee);
            if committed? {
                return Ok(true);
            }
        }
        Err(busy())
    }
}

impl Keys {
    /// Deletes all grants of a key that is about to be destroyed, which nobody can use any more. There may be too many for one
    /// transaction; what a crash leaves, the next attempt finds.
    pub(super) async fn delete_grants(&self, key: KeyId) -> Result<(), Error> {
        let vault = &self.vault;
        loop {
            let rows = vault.scan(Table::Key, &vault.rows.grants(key), SCAN_BATCH).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut transaction = Transaction::new();
            for row in &rows {
                let id = Rows::last_grant(&row.key).ok_or_else(|| Error::damaged("grant", &row.key))?;
                let grant = vault.decode(&vault.rows.grant(key, id), &row.value, Grant::decode)?;
                transaction = vault.delete_grant(transaction, key, &grant);
            }
            vault.commit(transaction).await?;
        }
    }
}

/// How many grants a key has, and a transaction that expects it to stay so.
async fn counted(vault: &Vault, key: KeyId) -> Result<(Transaction, u64), Error> {
    let place = vault.rows.grant_count(key);
    Ok(match vault.read(&place, decode_count).await? {
        Some(found) => (Transaction::new().expect_equals(place.table, &place.key, found.row), found.value),
        None => (Transaction::new().expect_absent(place.table, &place.key), 0),
    })
}

/// The value of a grant count row.
fn decode_count(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn decode_id(bytes: &[u8]) -> Option<GrantId> {
    bytes.try_into().ok().map(GrantId::from_bytes)
}

fn page(limit: Option<i64>, marker: Option<&str>) -> Result<Page, Error> {
    let (default, most) = GRANTS_PAGE;
    Page::new(limit.map(|limit| limit.min(most)), marker, default)
}

/// The terms that a request asks for.
fn terms(principal: &Principal, request: CreateGrantRequest) -> Result<Terms, Error> {
    let grantee = match (request.grantee_principal, request.grantee_service_principal) {
        (Some(text), None) => party(&text)?,
        (None, Some(name)) => Party::Service(name),
        (None, None) => return Err(required("granteePrincipal").into()),
        (Some(_), Some(_)) => return Err(either("GranteePrincipal", "GranteeServicePrincipal")),
    };
    let retiring = match (request.retiring_principal, request.retiring_service_principal) {
        (Some(text), None) => Some(party(&text)?),
        (None, Some(name)) => Some(Party::Service(name)),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(either("RetiringPrincipal", "RetiringServicePrincipal")),
    };
    let GrantConstraints { encryption_context_subset, encryption_context_equals, source_arn } =
        request.constraints.unwrap_or_default();
    let constraints = Constraints { equals: encryption_context_equals, subset: encryption_context_subset, source_arn };
    for pairs in [&constraints.equals, &constraints.subset].into_iter().flatten() {
        check_pairs(pairs)?;
    }
    if matches!(grantee, Party::Service(_)) && (constraints.source_arn.is_none() || retiring.is_none()) {
        let text =
            "GranteeServicePrincipal needs a SourceArn constraint, and RetiringPrincipal or RetiringServicePrincipal.";
        return Err(Error::Validation(text.to_owned()));
    }
    let mut operations = Vec::new();
    for name in &request.operations {
        // The service model has let known names through alone.
        operations.extend(GrantOperation::named(name).filter(|operation| !operations.contains(operation)));
    }
    match operations[..] {
        [] => return Err(Error::Validation("A grant has at least one operation.".to_owned())),
        [GrantOperation::CreateGrant] => {
            let text = "Grants must not contain only the CreateGrant operation.";
            return Err(Error::Validation(text.to_owned()));
        }
        _ => {}
    }
    Ok(Terms { name: request.name, grantee, retiring, operations, constraints, issuing_account: principal.account })
}

fn check_pairs(pairs: &Pairs) -> Result<(), Error> {
    let characters: usize = pairs.values().map(|value| value.chars().count()).max().unwrap_or_default();
    if pairs.len() > MAX_CONSTRAINT_PAIRS || characters > MAX_CONSTRAINT_CHARACTERS {
        let text = format!(
            "A grant constraint has at most {MAX_CONSTRAINT_PAIRS} encryption context pairs, \
             and values of at most {MAX_CONSTRAINT_CHARACTERS} characters."
        );
        return Err(Error::Validation(text));
    }
    Ok(())
}

impl Terms {
    /// The encryption context of the constraints, which key policies may ask about.
    fn context(&self) -> Result<EncryptionContext, Error> {
        let Constraints { equals, subset, .. } = &self.constraints;
        let pairs: Pairs =
            [subset, equals].into_iter().flatten().flatten().map(|(n, v)| (n.clone(), v.clone())).collect();
        EncryptionContext::try_from(pairs)
            .map_err(|too_large| Error::Validation(format!("EncryptionContext is not valid: {too_large}.")))
    }

    /// The other condition keys of CreateGrant.
    fn facts(&self) -> Vec<crate::decide::Fact<'_>> {
        let many = |names: Vec<&'static str>| Value::Many(names.into_iter().map(Cow::Borrowed).collect());
        let mut facts = vec![
            ("kms:grantisforawsresource", "false".into()),
            ("kms:grantoperations", many(self.operations.iter().map(|operation| operation.name()).collect())),
        ];
        let mut party = |principal, service, party: Option<&'_ Party>| match party {
            Some(Party::Principal(arn)) => facts.push((principal, arn.clone().into())),
            Some(Party::Service(name)) => facts.push((service, name.clone().into())),
            None => {}
        };
        party("kms:granteeprincipal", "kms:granteeserviceprincipal", Some(&self.grantee));
        party("kms:retiringprincipal", "kms:retiringserviceprincipal", self.retiring.as_ref());
        let Constraints { equals, subset, source_arn } = &self.constraints;
        let kinds = [
            equals.as_ref().map(|_| "EncryptionContextEquals"),
            subset.as_ref().map(|_| "EncryptionContextSubset"),
            source_arn.as_ref().map(|_| "SourceArn"),
        ];
        match kinds.into_iter().flatten().collect::<Vec<_>>()[..] {
            [] => {}
            [one] => facts.push(("kms:grantconstrainttype", one.into())),
            ref several => facts.push(("kms:grantconstrainttype", many(several.to_vec()))),
        }
        facts
    }

    /// That the key has the operations and can keep the constraints.
    fn require_suitable(&self, key: &Key) -> Result<(), Error> {
        let (spec, usage) = (key.record.spec, key.record.usage);
        if let Some(operation) = self.operations.iter().find(|operation| !operation.suits(&key.record)) {
            let name = operation.name();
            let text = format!("Operation {name} is not valid for a key of KeySpec {spec} and KeyUsage {usage}.");
            return Err(Error::Validation(text));
        }
        if self.constraints.of_context() && !key.is_symmetric() {
            let text = format!("Encryption context constraints are not valid for a key of KeySpec {spec}.");
            return Err(Error::Validation(text));
        }
        Ok(())
    }
}

impl Keys {
    /// A grant as lists have it: its principals by the ARNs that they have now, those that are gone by their unique ids.
    async fn entry(&self, key: &Key, grant: Grant) -> Result<GrantListEntry, Error> {
        let mut grant = grant;
        for party in std::iter::once(&mut grant.terms.grantee).chain(&mut grant.terms.retiring) {
            if let Party::Principal(name) = party {
                *name = self.shown_name(std::mem::take(name)).await?;
            }
        }
        Ok(entry(key, grant))
    }
}

fn entry(key: &Key, grant: Grant) -> GrantListEntry {
    let Grant { id, created, terms } = grant;
    let split = |party: Option<Party>| match party {
        Some(Party::Principal(arn)) => (Some(arn), None),
        Some(Party::Service(name)) => (None, Some(name)),
        None => (None, None),
    };
    let (grantee_principal, grantee_service_principal) = split(Some(terms.grantee));
    let (retiring_principal, retiring_service_principal) = split(terms.retiring);
    let constraints = (!terms.constraints.is_empty()).then_some(GrantConstraints {
        encryption_context_subset: terms.constraints.subset,
        encryption_context_equals: terms.constraints.equals,
        source_arn: terms.constraints.source_arn,
    });
    GrantListEntry {
        key_id: key.arn.clone(),
        grant_id: id.to_string(),
        name: terms.name,
        creation_date: created,
        grantee_principal,
        retiring_principal,
        issuing_account: root_arn(terms.issuing_account.as_str()),
        operations: terms.operations.into_iter().map(GrantOperation::name).collect(),
        constraints,
        grantee_service_principal,
        retiring_service_principal,
    }
}

fn party(text: &str) -> Result<Party, Error> {
    Party::principal(text).ok_or_else(|| no_such_principal(text))
}

fn no_such_principal(text: &str) -> Error {
    Error::InvalidArn(format!("ARN does not refer to a valid principal: {text}"))
}

fn grant_id(text: &str) -> Result<GrantId, Error> {
    GrantId::parse(text).ok_or_else(|| Error::InvalidGrantId(format!("Grant ID {text} is not valid.")))
}

fn no_such_grant(id: &str) -> Error {
    Error::NotFound(format!("Grant ID {id} not found"))
}

fn either(one: &str, other: &str) -> Error {
    Error::Validation(format!("Specify either {one} or {other}, but not both."))
}

fn for_services(filter: &str) -> Error {
    Error::AccessDenied(format!("{filter} is only usable by callers in a service principal."))
}
