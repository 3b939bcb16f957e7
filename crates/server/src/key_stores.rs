//! What the operator has set up for custom key stores.

use std::path::{Path, PathBuf};

use keys::{AccountId, KeyStores};

use crate::config::Config;
use crate::error::Error;
use crate::xks;

/// The settings of custom key stores, with the files that they name.
pub(crate) fn open(config: &Config, root: AccountId) -> Result<KeyStores, Error> {
    let clusters = config.hsms.iter().map(|hsm| hsm.open(root)).collect::<Result<_, _>>()?;
    Ok(KeyStores { clusters, proxies: xks::network(config)? })
}

/// The files that decide whom a custom key store trusts, the code of HSMs' modules among them: none may lie with the data.
pub(crate) fn files(config: &Config) -> impl Iterator<Item = &Path> {
    let hsms = config.hsms.iter().flat_map(|hsm| hsm.trust_anchor.iter().chain([&hsm.module]));
    hsms.chain(&config.xks_ca_certificates).map(PathBuf::as_path)
}
