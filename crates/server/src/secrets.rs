//! The secrets folder: what must not lie beside the data that it opens.

use std::path::{Component, Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::config::Config;
use crate::error::Error;
use crate::key_stores;
use crate::oidc;
use crate::root_key::Source;

/// Where the secrets of a store are. The folder itself may not exist.
pub(crate) struct Secrets {
    /// None if neither the settings nor the environment tell; then everything in it has to be given.
    folder: Option<PathBuf>,
}

impl Secrets {
    /// The secrets folder of the store in `data_dir`, whose path is canonical.
    ///
    /// # Errors
    /// [`Error::SecretsInside`].
    pub(crate) fn of(config: &Config, data_dir: &Path) -> Result<Secrets, Error> {
        let folder = match (&config.secrets_dir, &config.user_dir) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(all)) => Some(all.join(folder_name(data_dir))),
            (None, None) => None,
        };
        // Accounts and settings too: whoever can write to the data directory must not be able to name who may read it.
        let tls_key = config.certificate.as_ref().map(|files| files.key.clone());
        let root_keys = config.root_key.iter().flat_map(Source::secrets);
        let others = [&folder, &config.accounts, &config.file, &tls_key].into_iter().flatten().map(PathBuf::as_path);
        let trusted = key_stores::files(config).chain(oidc::files(config));
        for path in root_keys.chain(others).chain(trusted) {
            refuse_inside(path, data_dir)?;
        }
        Ok(Secrets { folder })
    }

    pub(crate) fn folder(&self) -> Result<&Path, Error> {
        self.folder.as_deref().ok_or(Error::NoSecretsFolder)
    }

    /// The root keys: the one that wraps, then those that only open.
    pub(crate) fn root_keys(&self, config: &Config) -> Result<Vec<Source>, Error> {
        match &config.root_key[..] {
            [] => Ok(vec![Source::File(self.folder()?.join("root.key"))]),
            named => Ok(named.to_vec()),
        }
    }

    pub(crate) fn root_credentials(&self) -> Result<PathBuf, Error> {
        Ok(self.folder()?.join("root-credentials.toml"))
    }

    pub(crate) fn ca_key(&self) -> Result<PathBuf, Error> {
        Ok(self.folder()?.join("development-ca.key"))
    }

    /// Not a secret: what clients have to trust.
    pub(crate) fn ca_certificate(&self) -> Result<PathBuf, Error> {
        Ok(self.folder()?.join("development-ca.pem"))
    }
}

/// What leads to the data must not lie with it.
///
/// # Errors
/// [`Error::SecretsInside`].
pub(crate) fn refuse_inside(path: &Path, data_dir: &Path) -> Result<(), Error> {
    match resolve(path)?.starts_with(data_dir) {
        true => Err(Error::SecretsInside(path.to_owned())),
        false => Ok(()),
    }
}

/// The folder's name for people, then 64 bits of a hash of its path, so that no two stores of a user share secrets.
fn folder_name(data_dir: &Path) -> String {
    let name = data_dir.file_name().map_or_else(|| "store".into(), |name| name.to_string_lossy());
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data_dir.as_os_str().as_encoded_bytes());
    format!("{name}-{}", HEXLOWER.encode(&hash.as_ref()[..8]))
}

/// The canonical path, also of what does not exist yet.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let failed = |error| Error::Path(path.to_owned(), error);
    let absolute = std::path::absolute(path).map_err(failed)?;
    let mut existing = absolute.as_path();
    let mut rest = Vec::new();
    loop {
        if let Ok(mut resolved) = existing.canonicalize() {
            for component in rest.into_iter().rev() {
                match component {
                    Component::ParentDir => drop(resolved.pop()),
                    other => resolved.push(other),
                }
            }
            return Ok(resolved);
        }
        let Some(last) = existing.components().next_back() else { return Ok(absolute) };
        rest.push(last);
        let Some(parent) = existing.parent() else { return Ok(absolute.clone()) };
        existing = parent;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::config::Sources;

    fn config(flags: Vec<(&'static str, String)>, home: bool) -> Config {
        let environment = if home { vec![("HOME".into(), "/home/me".into())] } else { Vec::new() };
        Config::load(&Sources { flags, environment, ..Sources::default() }).unwrap()
    }

    #[test]
    fn each_data_directory_has_its_own_folder() {
        let config = config(Vec::new(), true);
        let folder = |data: &str| Secrets::of(&config, Path::new(data)).unwrap().folder().unwrap().to_owned();
        assert_eq!(folder("/srv/data"), folder("/srv/data"));
        assert_ne!(folder("/srv/data"), folder("/mnt/data"));
        assert!(folder("/srv/data").to_str().unwrap().starts_with("/home/me/.config/strongroom/data-"));
    }

    #[test]
    fn secrets_are_never_beside_what_they_open() {
        let data = tempfile::TempDir::new().unwrap();
        let data_dir = data.path().canonicalize().unwrap();
        let inside = data_dir.join("not-there/../yet").to_str().unwrap().to_owned();
        for flags in [
            vec![("secrets_dir", inside.clone())],
            vec![("root_key", format!("file:{inside}"))],
            vec![("root_key", format!("file:/etc/root.key,passphrase:{inside}"))],
            vec![("root_key", format!("pkcs11:token=a?module-path=/m&pin-source={inside}"))],
            vec![("accounts", inside.clone())],
            vec![("hsms", format!("cluster-aaaaaaaaaaa=pkcs11:token=a?module-path={inside}"))],
            vec![("hsms", format!("cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m&x-trust-anchor={inside}"))],
            vec![("xks_ca_certificates", inside.clone())],
            vec![("oidc_ca_certificates", inside.clone())],
            vec![("tls_certificate", "/etc/tls.pem".to_owned()), ("tls_key", inside.clone())],
        ] {
            assert!(matches!(Secrets::of(&config(flags, true), &data_dir), Err(Error::SecretsInside(_))));
        }
        let file = data_dir.join("strongroom.toml");
        std::fs::write(&file, "").unwrap();
        let named =
            Sources { config: Some(file), environment: vec![("HOME".into(), "/home/me".into())], ..Sources::default() };
        assert!(matches!(Secrets::of(&Config::load(&named).unwrap(), &data_dir), Err(Error::SecretsInside(_))));
    }

    #[test]
    fn without_a_home_the_folder_has_to_be_named() {
        let secrets = Secrets::of(&config(Vec::new(), false), Path::new("/srv/data")).unwrap();
        assert!(matches!(secrets.folder(), Err(Error::NoSecretsFolder)));
        let named = config(vec![("root_key", "file:/etc/root.key".to_owned())], false);
        let secrets = Secrets::of(&named, Path::new("/srv/data")).unwrap();
        assert_eq!(secrets.root_keys(&named).unwrap(), [Source::File("/etc/root.key".into())]);
    }
}
