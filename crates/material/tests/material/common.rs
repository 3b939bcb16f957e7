//! Keys that OpenSSL made (`vectors/generate.py`), read from the stored form of version 1.

use data_encoding::HEXLOWER;
use material::{Key, KeySpec};
use serde_json::Value;

/// One key of `vectors/v1.json`.
pub(crate) struct Case {
    pub(crate) spec: KeySpec,
    json: Value,
}

/// All of them: the RSA and elliptic curve specs, with the message that everything is over.
pub(crate) fn openssl() -> (Vec<u8>, Vec<Case>) {
    let mut file: Value = serde_json::from_str(include_str!("../vectors/v1.json")).unwrap();
    let message = hex(&file["message"]);
    let cases = file["cases"].as_array_mut().unwrap().drain(..);
    let cases = cases.map(|json| Case { spec: KeySpec::named(json["spec"].as_str().unwrap()).unwrap(), json });
    (message, cases.collect())
}

impl Case {
    /// The key of a spec.
    pub(crate) fn of(spec: KeySpec) -> Case {
        openssl().1.into_iter().find(|case| case.spec == spec).unwrap()
    }

    pub(crate) fn key(&self) -> Key {
        Key::load(self.spec, &self.bytes("private")).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex(&self.json[name])
    }

    /// What stands under a name by algorithm; nothing if the name is not there.
    pub(crate) fn by_algorithm(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let Some(values) = self.json[name].as_object() else { return Vec::new() };
        values.iter().map(|(algorithm, value)| (algorithm.clone(), hex(value))).collect()
    }
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}
