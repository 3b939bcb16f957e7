//! GenerateRandom.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::refusals::refuse_recipient;
use crate::Keys;
use crate::access::{ALL, Action};
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::Plaintext;
use model::required;

model::requests!(kms: GenerateRandomRequest);

/// The request of GenerateRandom.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomRequest {
    /// `NumberOfBytes`, 1 to 1,024.
    pub number_of_bytes: Option<i64>,
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: Option<String>,
    /// `Recipient`.
    pub recipient: Option<IgnoredAny>,
}

/// The answer of GenerateRandom.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomResponse {
    /// `Plaintext`.
    pub plaintext: Plaintext,
}

impl Keys {
    /// GenerateRandom. Uses no key.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateRandom.
    pub async fn generate_random(
        &self,
        principal: &Principal,
        request: GenerateRandomRequest,
    ) -> Result<GenerateRandomResponse, Error> {
        self.allow_account_wide(principal, Action::GenerateRandom, ALL, &[])?;
        refuse_recipient(request.recipient.as_ref())?;
        // "This parameter is required", says the API reference; the service model does not.
        let number = request.number_of_bytes.ok_or_else(|| required("numberOfBytes"))?;
        if let Some(id) = &request.custom_key_store_id {
            let plaintext = self.random_of_store(principal.account, id, number).await?;
            return Ok(GenerateRandomResponse { plaintext: Plaintext::from(plaintext) });
        }
        let mut plaintext = Zeroizing::new(vec![0; usize::try_from(number).unwrap_or_default()]);
        seal::fill_random(&mut plaintext);
        Ok(GenerateRandomResponse { plaintext: Plaintext::from(plaintext) })
    }
}
