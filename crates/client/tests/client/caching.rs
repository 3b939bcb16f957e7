//! Data keys that serve several messages, as callers see them. Ages are tested beside the code, with a clock of their own.

use crate::support::{aes, decryptor, encryptor};
use client::message::{Cache, CacheLimits, EncryptedDataKey, Encryptor, Keyring, RawAes, Request, Suite, Wrapped};
use client::{DataKey, Error};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts how often it is asked.
struct Counting(RawAes, AtomicUsize);

impl Keyring for Counting {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<(), Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.on_encrypt(request, wrapped)
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey, Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.on_decrypt(request, keys)
    }
}

const LIMITS: CacheLimits = CacheLimits { age: Duration::from_secs(3600), messages: 100, bytes: 1000, entries: 10 };

/// A keyring that counts, behind a cache that it outlives.
fn with_cache<T>(limits: CacheLimits, run: impl FnOnce(&Cache<&Counting>, &dyn Fn() -> usize) -> T) -> T {
    let keyring = Counting(aes(), AtomicUsize::new(0));
    let cache = Cache::new(&keyring, limits).unwrap();
    run(&cache, &|| keyring.1.swap(0, Ordering::Relaxed))
}

#[test]
fn one_data_key_serves_messages_of_the_same_suite_and_context() {
    with_cache(LIMITS, |cache, asked| {
        let seal = |suite, tenant| encryptor(suite, cache).context([("tenant", tenant)]).encrypt(b"text").unwrap();
        let messages = [seal(Suite::Aes256Commit, "7"), seal(Suite::Aes256Commit, "7")];
        assert_eq!(asked(), 1);
        let headers = messages.each_ref().map(|message| decryptor(aes()).decrypt(message).unwrap().header);
        assert_eq!(headers[0].keys(), headers[1].keys());
        assert_ne!(headers[0].message_id(), headers[1].message_id(), "so each has its own message key");
        seal(Suite::Aes256Commit, "8");
        seal(Suite::Aes256CommitP384, "7");
        assert_eq!(asked(), 2);

        for message in &messages {
            assert_eq!(decryptor(cache).decrypt(message).unwrap().plaintext[..], *b"text");
        }
        assert_eq!(asked(), 1, "and one opening does for both");
    });
}

#[test]
fn signed_messages_share_a_signing_key_and_verify() {
    with_cache(LIMITS, |cache, asked| {
        let messages = [b"one", b"two"].map(|text| Encryptor::new(cache).encrypt(text).unwrap());
        assert_eq!(asked(), 1);
        for message in &messages {
            assert!(decryptor(cache).decrypt(message).is_ok());
        }
    });
}

#[test]
fn suites_without_derivation_are_never_cached() {
    for suite in [Suite::Aes128NoKdf, Suite::Aes192NoKdf, Suite::Aes256NoKdf] {
        with_cache(LIMITS, |cache, asked| {
            let messages = [0, 1].map(|_| encryptor(suite, cache).encrypt(b"text").unwrap());
            messages.iter().for_each(|message| assert!(decryptor(cache).decrypt(message).is_ok()));
            messages.iter().for_each(|message| assert!(decryptor(cache).decrypt(message).is_ok()));
            assert_eq!((asked(), cache.hits()), (6, 0), "{suite}");
        });
    }
}

#[test]
fn messages_and_bytes_are_counted() {
    with_cache(CacheLimits { messages: 3, ..LIMITS }, |cache, asked| {
        (0..7).for_each(|_| drop(Encryptor::new(cache).encrypt(b"text").unwrap()));
        assert_eq!(asked(), 3, "three, three and one");
    });
    with_cache(LIMITS, |cache, asked| {
        (0..4).for_each(|_| drop(Encryptor::new(cache).encrypt(&[0; 400]).unwrap()));
        assert_eq!(asked(), 2, "two of 400 bytes fit into 1,000");
        Encryptor::new(cache).encrypt(&[0; 1001]).unwrap();
        assert_eq!(asked(), 1, "one that never fits has a data key of its own");
        Encryptor::new(cache).encrypt(&[0; 100]).unwrap();
        assert_eq!(asked(), 0, "and does not spoil the one that is kept");
    });
}

#[test]
fn what_is_of_unknown_length_is_not_cached() {
    with_cache(LIMITS, |cache, asked| {
        for _ in 0..2 {
            Encryptor::new(cache).start(Vec::new()).unwrap().finish().unwrap();
        }
        assert_eq!(asked(), 2);
        for _ in 0..2 {
            let mut message = Encryptor::new(cache).plaintext_length(10).start(Vec::new()).unwrap();
            message.write_all(&[0; 10]).unwrap();
            assert!(message.write_all(&[0]).is_err(), "and the length that was told is kept");
        }
        assert_eq!(asked(), 1);
    });
}

#[test]
fn the_least_used_goes_first() {
    with_cache(CacheLimits { entries: 2, ..LIMITS }, |cache, asked| {
        let seal = |tenant| drop(Encryptor::new(cache).context([("tenant", tenant)]).encrypt(b"").unwrap());
        ["1", "2", "1", "3"].into_iter().for_each(seal);
        assert_eq!(asked(), 3);
        seal("1");
        assert_eq!(asked(), 0);
        seal("2");
        assert_eq!(asked(), 1);
        cache.clear();
        seal("2");
        assert_eq!(asked(), 1);
    });
}

#[test]
fn a_forged_message_finds_nothing_and_leaves_nothing() {
    with_cache(LIMITS, |cache, asked| {
        let message = Encryptor::new(cache).context([("tenant", "7")]).encrypt(b"text").unwrap();
        assert!(decryptor(cache).decrypt(&message).is_ok());
        assert_eq!(asked(), 2);
        let mut forged = message.clone();
        let at = message.windows(9).position(|window| window == b"tenant\0\x017").unwrap();
        forged[at + 8] = b'8';
        assert!(matches!(decryptor(cache).decrypt(&forged), Err(Error::NoKeyOpens(_))));
        assert_eq!(asked(), 1, "another context is another entry: the keyring is asked");
        assert!(matches!(decryptor(cache).decrypt(&forged), Err(Error::NoKeyOpens(_))));
        assert_eq!(asked(), 1, "and its refusal is not kept");
        assert!(decryptor(cache).decrypt(&message).is_ok());
        assert_eq!(asked(), 0);
    });
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    for limits in [
        CacheLimits { age: Duration::ZERO, ..LIMITS },
        CacheLimits { messages: 0, ..LIMITS },
        CacheLimits { messages: (1 << 32) + 1, ..LIMITS },
        CacheLimits { entries: 0, ..LIMITS },
    ] {
        assert!(matches!(Cache::new(aes(), limits), Err(Error::Setting(_))), "{limits:?}");
    }
}
