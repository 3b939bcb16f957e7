//! Who takes the name of a deleted principal does not inherit what policies and grants gave to the old one.

use keys::operation::encrypt::EncryptRequest;
use keys::operation::grant::{
    CreateGrantRequest, GrantListEntry, ListGrantsRequest, ListRetirableGrantsRequest, RetireGrantRequest,
};
use keys::operation::lifecycle::CreateKeyRequest;
use keys::operation::policy::{GetKeyPolicyRequest, PutKeyPolicyRequest};
use keys::{Error, Principal};
use policy::{Attached, PrincipalKind};

use crate::fixture::{Fixture, People, code, plain, principal, unique_id};
use crate::policies::user;

const ME: &str = "111122223333";
const OTHER: &str = "444455556666";

/// One who has the name of a user that is gone.
fn made_anew(people: &People, old: &Principal) -> Principal {
    Principal { user_id: people.make_anew(&old.arn), ..old.clone() }
}

fn with_administrators(statement: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ME}:root"}},"Action":["kms:*KeyPolicy","kms:CreateGrant","kms:ListGrants"],"Resource":"*"}},
            {{{statement},"Action":"kms:Encrypt","Resource":"*"}}]}}"#
    )
}

struct Case {
    f: Fixture,
    key: String,
    arn: String,
}

impl Case {
    async fn new() -> Self {
        let f = Fixture::new().await;
        let key = f.key().await;
        let arn = f.describe(&key).await.unwrap().arn;
        Self { f, key, arn }
    }

    async fn put(&self, statement: &str) -> Result<(), Error> {
        let policy = with_administrators(statement);
        let request = PutKeyPolicyRequest { key_id: self.key.clone(), policy, ..Default::default() };
        self.f.keys.put_key_policy(&self.f.me, request).await.map(drop)
    }

    async fn policy(&self) -> String {
        let request = GetKeyPolicyRequest { key_id: self.key.clone(), policy_name: None };
        self.f.keys.get_key_policy(&self.f.me, request).await.unwrap().policy
    }

    async fn encrypt(&self, who: &Principal) -> &'static str {
        let request = EncryptRequest { key_id: self.arn.clone(), plaintext: plain("x"), ..Default::default() };
        code(self.f.keys.encrypt(who, request).await)
    }

    fn to(&self, grantee: &str) -> CreateGrantRequest {
        CreateGrantRequest {
            key_id: self.key.clone(),
            grantee_principal: Some(grantee.to_owned()),
            operations: vec!["Encrypt".to_owned()],
            ..Default::default()
        }
    }

    async fn grants(&self, grantee: Option<&str>) -> Vec<GrantListEntry> {
        let request = ListGrantsRequest {
            key_id: self.key.clone(),
            grantee_principal: grantee.map(str::to_owned),
            ..Default::default()
        };
        self.f.keys.list_grants(&self.f.me, request).await.unwrap().grants
    }

    async fn retirable(&self, who: &Principal, retiring: &str) -> Result<Vec<GrantListEntry>, Error> {
        let request =
            ListRetirableGrantsRequest { retiring_principal: Some(retiring.to_owned()), ..Default::default() };
        Ok(self.f.keys.list_retirable_grants(who, request).await?.grants)
    }
}

#[tokio::test]
async fn a_key_policy_means_whom_it_named_under_whatever_name() {
    let mut c = Case::new().await;
    let bob = user(ME, "bob");
    c.put(&format!(r#""Effect":"Allow","Principal":{{"AWS":["{}","{OTHER}"]}}"#, bob.arn)).await.unwrap();
    assert_eq!(c.encrypt(&bob).await, "ok");
    let shown = |bob: &str| {
        with_administrators(&format!(r#""Effect":"Allow","Principal":{{"AWS":["{bob}","arn:aws:iam::{OTHER}:root"]}}"#))
    };
    assert_eq!(c.policy().await, shown(&bob.arn), "an account is its root ARN");
    let robert = format!("arn:aws:iam::{ME}:user/staff/robert");
    c.f.people.rename(&bob.arn, &robert);
    assert_eq!(c.encrypt(&Principal { arn: robert.clone(), ..bob.clone() }).await, "ok");
    assert_eq!(c.policy().await, shown(&robert));
    c.f.people.delete(&robert);
    assert_eq!(c.policy().await, shown(&bob.user_id));
    assert_eq!(c.encrypt(&made_anew(&c.f.people, &bob)).await, "AccessDeniedException");
    assert_eq!(c.policy().await, shown(&bob.user_id));
    c.f.restart().await;
    assert_eq!(c.encrypt(&made_anew(&c.f.people, &bob)).await, "AccessDeniedException");
    // Nobody can put again what names somebody who is gone.
    let again = PutKeyPolicyRequest { key_id: c.key.clone(), policy: c.policy().await, ..Default::default() };
    let error = c.f.keys.put_key_policy(&c.f.me, again).await.unwrap_err();
    assert_eq!((error.code(), error.message()), INVALID);
}

#[tokio::test]
async fn whom_a_denial_spares_is_pinned_too() {
    let c = Case::new().await;
    let bob = user(ME, "bob");
    let everybody = r#""Effect":"Allow","Principal":"*","Action":"kms:Encrypt","Resource":"*"},{"#;
    let spared = format!(r#"{everybody}"Effect":"Deny","NotPrincipal":{{"AWS":["{}","{ME}"]}}"#, bob.arn);
    c.put(&spared).await.unwrap();
    assert_eq!(c.encrypt(&bob).await, "ok");
    c.f.people.delete(&bob.arn);
    assert_eq!(c.encrypt(&made_anew(&c.f.people, &bob)).await, "AccessDeniedException");
    assert!(c.policy().await.contains(&bob.user_id));
}

#[tokio::test]
async fn a_policy_names_only_whom_there_is() {
    let c = Case::new().await;
    let canonical = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
    for (kind, name) in [
        ("AWS", "arn:aws:iam::111122223333:user/nobody"),
        ("AWS", "arn:aws:iam::111122223333:role/nobody"),
        ("AWS", "arn:aws:iam::121212121212:user/bob"),
        ("AWS", "arn:aws:iam::121212121212:root"),
        ("AWS", "121212121212"),
        ("AWS", "AIDAXXXXXXXXXXXXXXXXX"),
        ("CanonicalUser", canonical),
    ] {
        for element in [r#""Effect":"Allow","Principal""#, r#""Effect":"Deny","NotPrincipal""#] {
            let statement = format!(r#"{element}:{{"{kind}":["{name}"]}}"#);
            let error = c.put(&statement).await.unwrap_err();
            assert_eq!((error.code(), error.message()), INVALID, "{statement}");
            let policy = Some(with_administrators(&statement));
            let request = CreateKeyRequest { policy, ..Default::default() };
            assert_eq!(code(c.f.keys.create_key(&c.f.me, request).await), INVALID.0, "{statement}");
        }
    }
    assert!(c.policy().await.contains("key-default-1"), "nothing was stored");
    c.put(r#""Effect":"Allow","Principal":{"AWS":"*","Service":"logs.amazonaws.com"}"#).await.unwrap();
    // Who knows no principals refuses them all.
    let gateway = keys::Keys::open(c.f.store.clone(), crate::fixture::root_key(7), c.f.settings()).await.unwrap();
    let policy = with_administrators(r#""Effect":"Allow","Principal":"*""#);
    let request = PutKeyPolicyRequest { key_id: c.key.clone(), policy, ..Default::default() };
    assert_eq!(code(gateway.put_key_policy(&c.f.me, request).await), INVALID.0);
    assert_eq!(code(gateway.create_grant(&c.f.me, c.to(OTHER)).await), "InvalidArnException");
}

#[tokio::test]
async fn a_grant_is_to_whom_it_named_under_whatever_name() {
    let mut c = Case::new().await;
    let bob = user(OTHER, "bob");
    let named = CreateGrantRequest { name: Some("n".to_owned()), ..c.to(&bob.arn) };
    let grant = c.f.keys.create_grant(&c.f.me, named.clone()).await.unwrap();
    assert_eq!(c.encrypt(&bob).await, "ok");
    let robert = Principal { arn: format!("arn:aws:iam::{OTHER}:user/robert"), ..bob.clone() };
    c.f.people.rename(&bob.arn, &robert.arn);
    assert_eq!(c.encrypt(&robert).await, "ok");
    assert_eq!(c.grants(None).await[0].grantee_principal.as_ref(), Some(&robert.arn));
    assert_eq!((c.grants(Some(&robert.arn)).await.len(), c.grants(Some(&bob.arn)).await.len()), (1, 0));
    // The same grant, by the name that its grantee has now.
    let again = CreateGrantRequest { grantee_principal: Some(robert.arn.clone()), ..named };
    assert_eq!(c.f.keys.create_grant(&c.f.me, again).await.unwrap().grant_id, grant.grant_id);
    c.f.people.delete(&robert.arn);
    let anew = made_anew(&c.f.people, &robert);
    assert_eq!(c.encrypt(&anew).await, "AccessDeniedException");
    c.f.restart().await;
    assert_eq!(c.encrypt(&anew).await, "AccessDeniedException");
    assert_eq!(c.grants(None).await[0].grantee_principal.as_ref(), Some(&bob.user_id));
    assert_eq!((c.grants(Some(&anew.arn)).await.len(), c.grants(Some(&bob.user_id)).await.len()), (0, 1));
    let to_nobody = c.to(&format!("arn:aws:iam::{OTHER}:user/nobody"));
    let text = "ARN does not refer to a valid principal: arn:aws:iam::444455556666:user/nobody";
    for request in [
        to_nobody.clone(),
        CreateGrantRequest { dry_run: Some(true), ..to_nobody.clone() },
        CreateGrantRequest { retiring_principal: to_nobody.grantee_principal, ..c.to(&anew.arn) },
    ] {
        let error = c.f.keys.create_grant(&c.f.me, request).await.unwrap_err();
        assert_eq!((error.code(), error.message()), ("InvalidArnException", text));
    }
}

#[tokio::test]
async fn a_grant_to_a_role_or_user_is_one_to_its_sessions() {
    let c = Case::new().await;
    let (role_arn, alice) = (format!("arn:aws:iam::{ME}:role/r"), user(ME, "alice"));
    let session = |arn: &str, kind: PrincipalKind| {
        let (account, arn) = (principal(ME).account, format!("arn:aws:sts::{ME}:{arn}"));
        Principal { kind, ..Principal::user(account, arn, "s", "") }
    };
    let (role_id, role_name, session_name) = (unique_id(&role_arn), "r".to_owned(), "s".to_owned());
    let kind = PrincipalKind::AssumedRole { role_arn: role_arn.clone(), role_id, role_name, session_name };
    let kind_anew = match kind.clone() {
        PrincipalKind::AssumedRole { role_arn, role_name, session_name, .. } => {
            let role_id = c.f.people.make_anew(&format!("{role_arn}2"));
            PrincipalKind::AssumedRole { role_arn, role_id, role_name, session_name }
        }
        other => other,
    };
    let (user_arn, user_id) = (alice.arn.clone(), alice.user_id.clone());
    let federated = PrincipalKind::FederatedUser { user_arn, user_id, name: "f".to_owned() };
    let own = |mut principal: Principal| {
        let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let document = policy::Document::parse(text, policy::Kind::Identity).unwrap();
        let allow = Attached { source: "inline".into(), document: document.into() };
        principal.permissions.session = Some(vec![allow]);
        principal
    };
    let of_role = own(session("assumed-role/r/s", kind));
    let of_role_anew = own(session("assumed-role/r/s", kind_anew));
    let of_alice = own(session("federated-user/f", federated));
    for (grantee, who) in [(&role_arn, &of_role), (&alice.arn, &of_alice)] {
        assert_eq!(c.encrypt(who).await, "AccessDeniedException");
        c.f.keys.create_grant(&c.f.me, c.to(grantee)).await.unwrap();
        assert_eq!(c.encrypt(who).await, "ok", "{grantee}");
    }
    assert_eq!(c.encrypt(&of_role_anew).await, "AccessDeniedException");
}

#[tokio::test]
async fn who_may_retire_a_grant_is_pinned_too() {
    let c = Case::new().await;
    let (bob, carol) = (user(OTHER, "bob"), user(OTHER, "carol"));
    let request = CreateGrantRequest { retiring_principal: Some(carol.arn.clone()), ..c.to(&bob.arn) };
    let grant = c.f.keys.create_grant(&c.f.me, request).await.unwrap();
    assert_eq!(c.retirable(&carol, &carol.arn).await.unwrap().len(), 1);
    assert_eq!(c.retirable(&carol, &carol.user_id).await.unwrap().len(), 1);
    assert_eq!(code(c.retirable(&c.f.me, &carol.user_id).await), "AccessDeniedException", "another account's user");
    c.f.people.delete(&carol.arn);
    let anew = made_anew(&c.f.people, &carol);
    assert_eq!(c.retirable(&anew, &carol.arn).await.unwrap().len(), 0);
    // Whose she was is not known any more: nobody is told what she may retire.
    for asking in [&c.f.me, &anew] {
        assert_eq!(code(c.retirable(asking, &carol.user_id).await), "InvalidArnException");
    }
    let retire = || RetireGrantRequest { grant_token: Some(grant.grant_token.clone()), ..Default::default() };
    assert_eq!(code(c.f.keys.retire_grant(&anew, retire()).await), "AccessDeniedException");
    assert_eq!(code(c.f.keys.retire_grant(&carol, retire()).await), "ok", "the one that was named");
}

const INVALID: (&str, &str) =
    ("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.");
