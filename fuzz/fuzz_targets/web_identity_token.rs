//! Whatever a stranger sends as a web identity token, beside whatever an issuer answers as its keys.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, &[u8])| {
    let (header, payload, whole, key_set) = input;
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    // What nobody would guess stands ready: the encoding, and an issuer.
    let framed = format!("{}.{}.AA", part(header), part(payload));
    let issued = format!("{}.{}.AA", part(r#"{"alg":"ES256"}"#), part(&format!(r#"{{"iss":"https://a",{payload}}}"#)));
    for text in [whole, &framed, &issued] {
        identity::oidc::fuzz_token(text, key_set);
    }
});
