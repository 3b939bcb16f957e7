//! The native half of the Python package `strongroom`: messages of the AWS Encryption SDK by the crate `client`.
//!
//! What Python sees (its shape is that of AWS's own package) stands in `strongroom/`; here is what works on bytes and keys. The
//! interpreter's lock is released wherever bytes are worked on, and taken again for what is asked of Python: a file to read from, a KMS client.

mod error;
mod keyring;
mod kms;
mod materials;
mod message;
mod source;
mod stream;

use pyo3::pymodule;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::keyring::{Keyring, KmsDiscoveryKeyring, KmsKeyring, MultiKeyring, RawAESKeyring, RawRSAKeyring};
    #[pymodule_export]
    use crate::materials::CachingCryptoMaterialsManager;
    #[pymodule_export]
    use crate::message::{decrypt, encrypt, inspect};
    #[pymodule_export]
    use crate::stream::{Opening, Sealing};
}
