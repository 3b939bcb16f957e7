//! What the custom key store operations do with an HSM.

use zeroize::Zeroizing;

use super::hsm::{HsmCluster, certificate, connection_error};
use super::store::{Connection, HsmBacking, StoreRecord};
use super::{Backing, KeyStore, nothing_to_update};
use crate::Keys;
use crate::error::Error;
use crate::operation::custom_key_store::{Claimed, Claims, CreateCustomKeyStoreRequest, UpdateCustomKeyStoreRequest};
use crate::principal::AccountId;
use crate::rows::Claim;

impl Keys {
    /// What CreateCustomKeyStore stores of an HSM, and what the store claims.
    pub(crate) async fn new_hsm_store(
        &self,
        account: AccountId,
        request: CreateCustomKeyStoreRequest,
    ) -> Result<(Backing, Vec<Claimed>), Error> {
        if request.proxy.any() {
            return Err(proxy_members());
        }
        let missing = |member: &str| {
            Error::Validation(format!("{member} is required for custom key stores of type AWS_CLOUDHSM."))
        };
        let cluster = request.cloud_hsm_cluster_id.ok_or_else(|| missing("CloudHsmClusterId"))?;
        let trust_anchor = request.trust_anchor_certificate.ok_or_else(|| missing("TrustAnchorCertificate"))?;
        let password = request.key_store_password.ok_or_else(|| missing("KeyStorePassword"))?;
        let known = self.cluster(account, &cluster)?;
        let claim = known.family();
        // The same order as a client of AWS meets: whose the cluster is, what state it is in, then its certificate.
        let taken = vec![Claimed { claim: Claim::Hsm(claim.clone()), refusal: cluster_in_use }];
        self.refuse_taken(&taken).await?;
        require_active(known).await?;
        let given = certificate(&trust_anchor).ok_or_else(incorrect_trust_anchor)?;
        if known.trust_anchor.as_ref().is_some_and(|certificate| *certificate != given) {
            return Err(incorrect_trust_anchor());
        }
        let password = Zeroizing::new(password.expose().to_owned());
        Ok((Backing::Hsm(HsmBacking { cluster, trust_anchor, password, claim }), taken))
    }

    /// Logs in to the HSM of a store that is being connected.
    ///
    /// # Errors
    /// [`Error::CloudHsmClusterInvalidConfiguration`] if the operator's setting of it cannot work: the store stays as it is.
    pub(crate) async fn connect_hsm(&self, id: &str, generation: u32, hsm: &HsmBacking) -> Result<Connection, Error> {
        if self.shared.connections.hsms.cluster(&hsm.cluster).is_none() {
            return Ok(Connection::Failed("CLUSTER_NOT_FOUND"));
        }
        match self.shared.connections.hsms.token(id, generation, hsm).await {
            Ok(_) => Ok(Connection::Connected),
            Err(error @ (::hsm::Error::Module { .. } | ::hsm::Error::TokenAmbiguous(_))) => {
                tracing::error!(store = id, cluster = hsm.cluster, %error, "the HSM of a custom key store is not set up");
                Err(misconfigured())
            }
            Err(error) => {
                tracing::warn!(store = id, cluster = hsm.cluster, %error, "the HSM of a custom key store does not let us in");
                Ok(Connection::Failed(connection_error(&error)))
            }
        }
    }

    /// What UpdateCustomKeyStore makes of an HSM's record; the name is the caller's part.
    pub(crate) async fn updated_hsm_store(
        &self,
        account: AccountId,
        (store, hsm): (&KeyStore, &HsmBacking),
        request: &UpdateCustomKeyStoreRequest,
    ) -> Result<(StoreRecord, Claims), Error> {
        if request.proxy.any() {
            return Err(proxy_members());
        }
        let offline = request.key_store_password.is_some() || request.cloud_hsm_cluster_id.is_some();
        store.require_changeable(offline)?;
        if !offline && request.new_custom_key_store_name.is_none() {
            return Err(nothing_to_update());
        }
        let (mut hsm, mut claims) = (hsm.clone(), Claims::default());
        if let Some(password) = &request.key_store_password {
            hsm.password = Zeroizing::new(password.expose().to_owned());
        }
        if let Some(id) = request.cloud_hsm_cluster_id.as_ref().filter(|id| **id != hsm.cluster) {
            let next = self.cluster(account, id)?;
            if !self.is_related(&hsm, next) {
                return Err(Error::CloudHsmClusterNotRelated(format!(
                    "Cluster {id} is not related to cluster {}: their certificates differ.",
                    hsm.cluster
                )));
            }
            require_active(next).await?;
            let claim = next.family();
            if claim != hsm.claim {
                claims.taken.push(Claimed { claim: Claim::Hsm(claim.clone()), refusal: cluster_in_use });
                claims.released.push(Claim::Hsm(std::mem::replace(&mut hsm.claim, claim)));
            }
            hsm.cluster.clone_from(id);
        }
        Ok((StoreRecord { backing: Backing::Hsm(hsm), ..store.record.clone() }, claims))
    }

    /// Whether the keys of a store are in another HSM too. The one that it has may not be set up any more.
    fn is_related(&self, hsm: &HsmBacking, next: &HsmCluster) -> bool {
        match self.shared.connections.hsms.cluster(&hsm.cluster) {
            Some(current) => current.is_related(next),
            None => next.trust_anchor.is_some() && next.trust_anchor == certificate(&hsm.trust_anchor),
        }
    }

    /// An HSM of an account's.
    fn cluster(&self, account: AccountId, id: &str) -> Result<&HsmCluster, Error> {
        let found = self.shared.connections.hsms.cluster(id).filter(|cluster| cluster.account == account);
        found.ok_or_else(|| Error::CloudHsmClusterNotFound(format!("Cluster {id} was not found.")))
    }

    async fn refuse_taken(&self, taken: &[Claimed]) -> Result<(), Error> {
        for Claimed { claim, refusal } in taken {
            if self.is_claimed(claim).await? {
                return Err(refusal());
            }
        }
        Ok(())
    }
}

/// That the operator's setting of an HSM works and its token is there.
async fn require_active(cluster: &HsmCluster) -> Result<(), Error> {
    let Err(error) = cluster.probe().await else { return Ok(()) };
    tracing::warn!(cluster = cluster.id, %error, "an HSM that is to become a custom key store is not there");
    Err(match error {
        ::hsm::Error::Module { .. } | ::hsm::Error::TokenAmbiguous(_) => misconfigured(),
        _ => Error::CloudHsmClusterNotActive(format!("Cluster {} is not active.", cluster.id)),
    })
}

fn misconfigured() -> Error {
    Error::CloudHsmClusterInvalidConfiguration(
        "The CloudHSM cluster does not meet the configuration requirements for a custom key store.".to_owned(),
    )
}

fn cluster_in_use() -> Error {
    let text = "The CloudHSM cluster, or one that shares its certificate, is already a custom key store.";
    Error::CloudHsmClusterInUse(text.to_owned())
}

fn incorrect_trust_anchor() -> Error {
    Error::IncorrectTrustAnchor("The certificate is not the trust anchor of the CloudHSM cluster.".to_owned())
}

fn proxy_members() -> Error {
    let text = "The XksProxy parameters are valid only for custom key stores of type EXTERNAL_KEY_STORE.";
    Error::Validation(text.to_owned())
}
