//! How issuers of web identities are reached: what the operator sets, with the file that it names.

use std::fs;
use std::path::Path;

use identity::oidc::OidcNetwork;

use crate::config::Config;
use crate::error::Error;

/// The settings of issuers.
pub(crate) fn network(config: &Config) -> Result<OidcNetwork, Error> {
    let path = config.oidc_ca_certificates.as_ref();
    let certificates = path.map(|path| fs::read(path).map_err(|error| Error::Path(path.clone(), error))).transpose()?;
    // The routes were looked at with the settings, so it is the file that is wrong.
    OidcNetwork::new(certificates, config.oidc_routes.iter().cloned())
        .map_err(|reason| Error::Tls(path.map_or(reason.clone(), |path| format!("{}: {reason}", path.display()))))
}

/// The file that decides whose tokens are believed: it may not lie with the data.
pub(crate) fn files(config: &Config) -> impl Iterator<Item = &Path> {
    config.oidc_ca_certificates.as_deref().into_iter()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::config::Sources;

    #[test]
    fn a_file_that_is_no_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let sources =
            Sources { flags: vec![("oidc_ca_certificates", path.to_str().unwrap().to_owned())], ..Sources::default() };
        let config = Config::load(&sources).unwrap();
        assert!(matches!(network(&config), Err(Error::Path(missing, _)) if missing == path));
        fs::write(&path, "nothing").unwrap();
        let error = network(&config).err().unwrap().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("CERTIFICATE"), "{error}");
    }
}
