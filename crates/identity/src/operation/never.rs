//! What this server never has: instance profiles, console passwords, a password policy, SAML providers, certificates, SSH keys and
//! credentials for single services.
//!
//! What would make one of these is not implemented. So whoever asks for all of them is told, and truly, that there are none, and whoever
//! asks for one, or would change or delete one, that it does not exist: clients that look for all that a user or a role may have before
//! they delete it come to an end. Requests are checked and decided about like any other, and the user or role has to be there.

use policy::Principal;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::page::Paging;
use super::shapes::shapes;
use super::user::Owner;
use super::{Allowed, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::record;
use crate::role::Role;

/// A request about what this server never has.
trait Never: model::Request + serde::de::DeserializeOwned + Send + Sync {
    const NAME: &'static str;
    const ACTION: &'static str;

    fn resource(&self) -> Resource<'_>;

    fn told(&self, by: &Allowed) -> Told;
}

/// What the decision is asked of (Service Authorization Reference, "Actions defined by AWS IAM").
enum Resource<'a> {
    /// No resource that policies could name.
    Any,
    /// The user of this name, or the caller.
    User(Option<&'a str>),
    /// A role.
    Role(&'a str),
    /// All things of a type below a path.
    Below(&'static str, Option<&'a str>),
    /// A thing of a type, by its name.
    Thing(&'static str, &'a str),
    /// A SAML provider, by its ARN.
    Saml(&'a str),
}

/// What is told.
enum Told {
    /// A list that this member of the answer has.
    None(&'static str),
    /// The same, in pages: the marker and the size that were asked for.
    NonePaged(&'static str, Option<String>, Option<i64>),
    /// `NoSuchEntity`, in these words.
    Missing(String),
}

/// An answer with an empty list.
pub struct Nothing {
    member: &'static str,
    paged: bool,
}

impl Serialize for Nothing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("Nothing", 2)?;
        answer.serialize_field(self.member, &[] as &[&str])?;
        if self.paged {
            answer.serialize_field("IsTruncated", &false)?;
        }
        answer.end()
    }
}

impl<O: Never> Operation for O {
    const NAME: &'static str = O::NAME;
    type Response = Nothing;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (action, account) = (O::ACTION, caller.account);
        Ok(vec![match self.resource() {
            Resource::Any => Subject::new(action, "*"),
            Resource::User(name) => return Owner::new(caller, name)?.subject(identity, action, caller).await,
            Resource::Role(name) => identity.subject::<Role>(action, caller, name).await?.0,
            Resource::Below(kind, path) => {
                Subject::new(action, format!("arn:aws:iam::{account}:{kind}{}", path.unwrap_or("/")))
            }
            Resource::Thing(kind, name) => Subject::new(action, format!("arn:aws:iam::{account}:{kind}/{name}")),
            Resource::Saml(arn) => Subject::new(action, arn),
        }])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Nothing, Error> {
        match self.resource() {
            Resource::User(name) => {
                if let Owner::User(name) = Owner::new(by.caller(), name)? {
                    identity.existing::<record::User>(by.account(), &name).await?;
                }
            }
            Resource::Role(name) => drop(identity.existing::<Role>(by.account(), name).await?),
            Resource::Saml(arn) if !is_saml_provider(arn) => {
                return Err(Error::InvalidInput(format!("Invalid ARN: {arn}")));
            }
            _ => {}
        }
        match self.told(by) {
            Told::None(member) => Ok(Nothing { member, paged: false }),
            Told::NonePaged(member, marker, size) => {
                Paging::new(marker.as_deref(), size)?;
                Ok(Nothing { member, paged: true })
            }
            Told::Missing(words) => Err(Error::NoSuchEntity(words)),
        }
    }
}

fn is_saml_provider(arn: &str) -> bool {
    let rest = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":saml-provider/"));
    rest.is_some_and(|(account, name)| policy::AccountId::parse(account).is_ok() && !name.is_empty())
}

fn login_profile(by: &Allowed, named: Option<&str>) -> Told {
    let name = match Owner::new(by.caller(), named) {
        Ok(Owner::User(name)) => name,
        _ => by.account().to_string(),
    };
    Told::Missing(format!("Login Profile for User {name} cannot be found."))
}

fn profile(name: &str) -> Told {
    Told::Missing(format!("Instance Profile {name} cannot be found."))
}

fn server_certificate(name: &str) -> Told {
    Told::Missing(format!("The Server Certificate with name {name} cannot be found."))
}

fn certificate(id: &str) -> Told {
    Told::Missing(format!("The Certificate with id {id} cannot be found."))
}

fn public_key(id: &str) -> Told {
    Told::Missing(format!("The Public Key with id {id} cannot be found."))
}

fn credential(id: &str) -> Told {
    Told::Missing(format!("No such credential {id} exists"))
}

fn saml(arn: &str) -> Told {
    Told::Missing(format!("Manifest not found for arn {arn}"))
}

const PROFILE: &str = "instance-profile";
const CERTIFICATE: &str = "server-certificate";

/// The operations: their names, their requests as far as anything is asked of them, what is decided about, and what is told.
macro_rules! never {
    ($( $name:literal $request:ident { $($members:tt)* } |$this:tt, $by:tt| $resource:expr => $told:expr; )+) => {
        $(
            shapes! { request $request { $($members)* } }

            impl Never for $request {
                const NAME: &'static str = $name;
                const ACTION: &'static str = concat!("iam:", $name);

                #[allow(unused_variables, reason = "some are about no resource in particular")]
                fn resource(&self) -> Resource<'_> {
                    let $this = self;
                    $resource
                }

                fn told(&self, $by: &Allowed) -> Told {
                    let $this = self;
                    $told
                }
            }
        )+
    };
}

never! {
    "AddRoleToInstanceProfile" AddRoleToInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "DeleteAccountPasswordPolicy" DeleteAccountPasswordPolicyRequest {}
        |_, _| Resource::Any => Told::Missing("The account policy with name PasswordPolicy cannot be found.".to_owned());
    "DeleteInstanceProfile" DeleteInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "DeleteLoginProfile" DeleteLoginProfileRequest { user_name? String }
        |this, by| Resource::User(this.user_name.as_deref()) => login_profile(by, this.user_name.as_deref());
    "DeleteSAMLProvider" DeleteSAMLProviderRequest { #[serde(rename = "SAMLProviderArn")] arn: String }
        |this, _| Resource::Saml(&this.arn) => saml(&this.arn);
    "DeleteSSHPublicKey" DeleteSSHPublicKeyRequest { user_name? String, #[serde(rename = "SSHPublicKeyId")] id: String }
        |this, _| Resource::User(this.user_name.as_deref()) => public_key(&this.id);
    "DeleteServerCertificate" DeleteServerCertificateRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "DeleteServiceSpecificCredential" DeleteServiceSpecificCredentialRequest {
        user_name? String, service_specific_credential_id: String
    }
        |this, _| Resource::User(this.user_name.as_deref()) => credential(&this.service_specific_credential_id);
    "DeleteSigningCertificate" DeleteSigningCertificateRequest { user_name? String, certificate_id: String }
        |this, _| Resource::User(this.user_name.as_deref()) => certificate(&this.certificate_id);
    "GetAccountPasswordPolicy" GetAccountPasswordPolicyRequest {}
        |_, by| Resource::Any
            => Told::Missing(format!("The Password Policy with domain name {} cannot be found.", by.account()));
    "GetInstanceProfile" GetInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "GetLoginProfile" GetLoginProfileRequest { user_name? String }
        |this, by| Resource::User(this.user_name.as_deref()) => login_profile(by, this.user_name.as_deref());
    "GetSAMLProvider" GetSAMLProviderRequest { #[serde(rename = "SAMLProviderArn")] arn: String }
        |this, _| Resource::Saml(&this.arn) => saml(&this.arn);
    "GetSSHPublicKey" GetSSHPublicKeyRequest { user_name? String, #[serde(rename = "SSHPublicKeyId")] id: String }
        |this, _| Resource::User(this.user_name.as_deref()) => public_key(&this.id);
    "GetServerCertificate" GetServerCertificateRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "ListInstanceProfileTags" ListInstanceProfileTagsRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "ListInstanceProfiles" ListInstanceProfilesRequest { path_prefix? String, marker? String, max_items? i64 }
        |this, _| Resource::Below(PROFILE, this.path_prefix.as_deref())
            => Told::NonePaged("InstanceProfiles", this.marker.clone(), this.max_items);
    "ListInstanceProfilesForRole" ListInstanceProfilesForRoleRequest { role_name: String, marker? String, max_items? i64 }
        |this, _| Resource::Role(&this.role_name)
            => Told::NonePaged("InstanceProfiles", this.marker.clone(), this.max_items);
    "ListSAMLProviderTags" ListSAMLProviderTagsRequest { #[serde(rename = "SAMLProviderArn")] arn: String }
        |this, _| Resource::Saml(&this.arn) => saml(&this.arn);
    "ListSAMLProviders" ListSAMLProvidersRequest {}
        |_, _| Resource::Any => Told::None("SAMLProviderList");
    "ListSSHPublicKeys" ListSSHPublicKeysRequest { user_name? String, marker? String, max_items? i64 }
        |this, _| Resource::User(this.user_name.as_deref())
            => Told::NonePaged("SSHPublicKeys", this.marker.clone(), this.max_items);
    "ListServerCertificateTags" ListServerCertificateTagsRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "ListServerCertificates" ListServerCertificatesRequest { marker? String, max_items? i64 }
        |this, _| Resource::Any
            => Told::NonePaged("ServerCertificateMetadataList", this.marker.clone(), this.max_items);
    "ListServiceSpecificCredentials" ListServiceSpecificCredentialsRequest { user_name? String, all_users? bool, marker? String, max_items? i64 }
        |this, _| this.owner()
            => Told::NonePaged("ServiceSpecificCredentials", this.marker.clone(), this.max_items);
    "ListSigningCertificates" ListSigningCertificatesRequest { user_name? String, marker? String, max_items? i64 }
        |this, _| Resource::User(this.user_name.as_deref())
            => Told::NonePaged("Certificates", this.marker.clone(), this.max_items);
    "RemoveRoleFromInstanceProfile" RemoveRoleFromInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "ResetServiceSpecificCredential" ResetServiceSpecificCredentialRequest {
        user_name? String, service_specific_credential_id: String
    }
        |this, _| Resource::User(this.user_name.as_deref()) => credential(&this.service_specific_credential_id);
    "TagInstanceProfile" TagInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "TagSAMLProvider" TagSAMLProviderRequest { #[serde(rename = "SAMLProviderArn")] arn: String }
        |this, _| Resource::Saml(&this.arn) => saml(&this.arn);
    "TagServerCertificate" TagServerCertificateRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "UntagInstanceProfile" UntagInstanceProfileRequest { instance_profile_name: String }
        |this, _| Resource::Thing(PROFILE, &this.instance_profile_name)
            => profile(&this.instance_profile_name);
    "UntagSAMLProvider" UntagSAMLProviderRequest { #[serde(rename = "SAMLProviderArn")] arn: String }
        |this, _| Resource::Saml(&this.arn) => saml(&this.arn);
    "UntagServerCertificate" UntagServerCertificateRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "UpdateLoginProfile" UpdateLoginProfileRequest { user_name? String }
        |this, by| Resource::User(this.user_name.as_deref()) => login_profile(by, this.user_name.as_deref());
    "UpdateSSHPublicKey" UpdateSSHPublicKeyRequest { user_name? String, #[serde(rename = "SSHPublicKeyId")] id: String }
        |this, _| Resource::User(this.user_name.as_deref()) => public_key(&this.id);
    "UpdateServerCertificate" UpdateServerCertificateRequest { server_certificate_name: String }
        |this, _| Resource::Thing(CERTIFICATE, &this.server_certificate_name)
            => server_certificate(&this.server_certificate_name);
    "UpdateServiceSpecificCredential" UpdateServiceSpecificCredentialRequest {
        user_name? String, service_specific_credential_id: String
    }
        |this, _| Resource::User(this.user_name.as_deref()) => credential(&this.service_specific_credential_id);
    "UpdateSigningCertificate" UpdateSigningCertificateRequest { user_name? String, certificate_id: String }
        |this, _| Resource::User(this.user_name.as_deref()) => certificate(&this.certificate_id);
}

impl ListServiceSpecificCredentialsRequest {
    /// One user, or all of them.
    fn owner(&self) -> Resource<'_> {
        match self.all_users {
            Some(true) => Resource::Below("user", None),
            _ => Resource::User(self.user_name.as_deref()),
        }
    }
}
