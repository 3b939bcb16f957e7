//! AWS's own crate, which has no streams.

use crate::{FRAMES, Format, Outcome, Task, Way};
use aws_esdk::client::Client;
use aws_esdk::material_providers::client::Client as Providers;
use aws_esdk::material_providers::types::material_providers_config::MaterialProvidersConfig;
use aws_esdk::material_providers::types::{AesWrappingAlg, EsdkAlgorithmSuiteId, keyring::KeyringRef};
use aws_esdk::types::aws_encryption_sdk_config::AwsEncryptionSdkConfig;
use std::hint::black_box;
use tokio::runtime::{Builder, Runtime};

pub struct Aws<'a> {
    plaintext: &'a [u8],
    runtime: Runtime,
    client: Client,
    keyring: KeyringRef,
}

impl<'a> Aws<'a> {
    pub fn new(plaintext: &'a [u8]) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let client = Client::from_conf(AwsEncryptionSdkConfig::builder().build()?)?;
        let providers = Providers::from_conf(MaterialProvidersConfig::builder().build()?)?;
        let keyring = providers
            .create_raw_aes_keyring()
            .key_namespace("bench")
            .key_name("key")
            .wrapping_key(vec![1; 32])
            .wrapping_alg(AesWrappingAlg::AlgAes256GcmIv12Tag16);
        let keyring = runtime.block_on(keyring.send())?;
        Ok(Self { plaintext, runtime, client, keyring })
    }

    pub fn measure(
        &self,
        measure: &mut impl FnMut(Task, &mut dyn FnMut() -> Outcome<()>) -> Outcome<()>,
    ) -> Outcome<()> {
        for signed in [false, true] {
            for frame in FRAMES {
                let format = Format::Message { signed, frame };
                let suite = if signed {
                    EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384
                } else {
                    EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKey
                };
                let mut sealed = None;
                measure(Task::Aws(format, Way::Encrypt), &mut || {
                    let call = self
                        .client
                        .encrypt()
                        .plaintext(self.plaintext)
                        .keyring(self.keyring.clone())
                        .algorithm_suite_id(suite)
                        .frame_length(i64::from(frame));
                    sealed = self.runtime.block_on(call.send())?.ciphertext;
                    Ok(())
                })?;
                measure(Task::Aws(format, Way::Decrypt), &mut || {
                    let sealed = sealed.take().ok_or("no ciphertext")?;
                    let call = self.client.decrypt().ciphertext(sealed).keyring(self.keyring.clone());
                    black_box(self.runtime.block_on(call.send())?.plaintext);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}
