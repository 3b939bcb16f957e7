//! Operations that tell: GetCallerIdentity, GetAccessKeyInfo, DecodeAuthorizationMessage.

use policy::{AccountId, Principal};

use super::request::{
    DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse, GetAccessKeyInfoRequest,
    GetAccessKeyInfoResponse, GetCallerIdentityRequest, GetCallerIdentityResponse,
};
use super::{access_key_id, barred, denial};
use crate::Identity;
use crate::error::Error;
use crate::operation::{Allowed, Operation, Subject};
use crate::record::AccessKey;
use crate::rows;

impl Operation for GetCallerIdentityRequest {
    const NAME: &'static str = "GetCallerIdentity";
    type Response = GetCallerIdentityResponse;

    /// "No permissions are required", and none can be taken away: nothing is asked.
    async fn subjects(&self, _identity: &Identity, _caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(Vec::new())
    }

    async fn run(self, _identity: &Identity, by: &Allowed) -> Result<GetCallerIdentityResponse, Error> {
        let Principal { account, arn, user_id, .. } = by.caller();
        Ok(GetCallerIdentityResponse { user_id: user_id.clone(), account: account.to_string(), arn: arn.clone() })
    }
}

impl Operation for GetAccessKeyInfoRequest {
    const NAME: &'static str = "GetAccessKeyInfo";
    type Response = GetAccessKeyInfoResponse;

    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        barred::check(caller, Self::NAME)?;
        Ok(vec![Subject::new("sts:GetAccessKeyInfo", "*")])
    }

    async fn run(self, identity: &Identity, _by: &Allowed) -> Result<GetAccessKeyInfoResponse, Error> {
        let id = &self.access_key_id;
        let account = match access_key_id::account(id) {
            Some(account) => Some(account),
            None => identity.account_of_key(id).await?,
        };
        let unknown = || Error::Validation("The access key ID is invalid.".to_owned());
        Ok(GetAccessKeyInfoResponse { account: account.ok_or_else(unknown)?.to_string() })
    }
}

impl Operation for DecodeAuthorizationMessageRequest {
    const NAME: &'static str = "DecodeAuthorizationMessage";
    type Response = DecodeAuthorizationMessageResponse;

    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        barred::check(caller, Self::NAME)?;
        Ok(vec![Subject::new("sts:DecodeAuthorizationMessage", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<DecodeAuthorizationMessageResponse, Error> {
        let decoded_message = denial::decode(identity.rows.keys.records(), by.account(), &self.encoded_message)
            .ok_or_else(|| Error::InvalidAuthorizationMessage("The message could not be decoded.".to_owned()))?;
        Ok(DecodeAuthorizationMessageResponse { decoded_message })
    }
}

impl Identity {
    /// The account of a long-term access key, active or not. `None`: nobody has it.
    async fn account_of_key(&self, id: &str) -> Result<Option<AccountId>, Error> {
        if let Some(fixed) = self.credentials.fixed(id) {
            return Ok(Some(fixed.account));
        }
        Ok(self.rows.read::<AccessKey>(&rows::access_key(id)).await?.map(|key| key.account.0))
    }
}
