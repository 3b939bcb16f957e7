//! SoftHSM's tokens: keys made, used and destroyed; a token that goes and comes back; wrong PINs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use hsm::{Error, Limits, Module, Selector, Token};
use seal::envelope::{self, Label, Opening, Sealing};
use support::{PIN, Scene, alone, labelled, load, pin, softhsm};

const KEY: [u8; 16] = *b"a key's 16 bytes";
const OTHER: [u8; 16] = [9; 16];

#[test]
fn a_key_is_made_used_and_destroyed_and_never_leaves() {
    alone("a_key_is_made_used_and_destroyed_and_never_leaves", async |scene: Scene| {
        scene.token("one");
        let token = scene.open("one").await;
        assert_eq!(token.find(KEY).await.unwrap(), None);
        assert_eq!(token.prf(KEY, b"input").await, Err(Error::KeyMissing));

        token.create_prf_key(KEY, "a label").await.unwrap();
        let info = token.find(KEY).await.unwrap().unwrap();
        assert_eq!(info.label, "a label");
        assert!(info.sensitive && !info.extractable && info.never_extractable && info.local);
        let output = token.prf(KEY, b"input").await.unwrap();
        assert_eq!(token.prf(KEY, b"input").await.unwrap(), output);
        assert_ne!(token.prf(KEY, b"Input").await.unwrap(), output);

        token.create_prf_key(OTHER, "another").await.unwrap();
        assert_ne!(token.prf(OTHER, b"input").await.unwrap(), output);
        assert_eq!(token.create_prf_key(KEY, "again").await, Err(Error::KeyExists));
        assert_eq!(token.prf(KEY, b"input").await.unwrap(), output);

        assert_eq!(token.destroy(KEY).await, Ok(true));
        assert_eq!(token.destroy(KEY).await, Ok(false));
        assert_eq!(token.find(KEY).await.unwrap(), None);
        assert_eq!(token.prf(KEY, b"input").await, Err(Error::KeyMissing));
        assert!(token.prf(OTHER, b"input").await.is_ok());
    });
}

#[test]
fn keys_outlive_the_token_that_was_opened() {
    alone("keys_outlive_the_token_that_was_opened", async |scene: Scene| {
        scene.token("one");
        let token = scene.open("one").await;
        token.create_prf_key(KEY, "kept").await.unwrap();
        let output = token.prf(KEY, b"input").await.unwrap();
        drop(token);
        assert_eq!(scene.open("one").await.prf(KEY, b"input").await.unwrap(), output);
    });
}

/// A key that is known here too: put into the token before the crate sees it.
#[test]
fn the_tokens_answers_are_those_of_hmac_and_of_the_envelope() {
    alone("the_tokens_answers_are_those_of_hmac_and_of_the_envelope", async |scene: Scene| {
        scene.token("one");
        let known = [0x5a; 32];
        import(known);
        let token = scene.open("one").await;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &known);
        for len in [0, 1, 31, 64, 65, 4096] {
            let data = vec![7; len];
            assert_eq!(token.prf(KEY, &data).await.unwrap()[..], *hmac::sign(&key, &data).as_ref());
        }

        let master = seal::SecretKey::from_bytes(known);
        let sealing = Sealing::begin(Label::Kms, b"fields");
        let output = token.prf(KEY, &sealing.prf_input()).await.unwrap();
        let blob = sealing.finish(&output, b"aad", b"plaintext");
        assert_eq!(envelope::open(&master, Label::Kms, b"aad", &blob).unwrap()[..], *b"plaintext");

        let blob = envelope::seal(&master, Label::DomainKey, b"", b"aad", b"plaintext");
        let opening = Opening::begin(Label::DomainKey, &blob).unwrap();
        let output = token.prf(KEY, &opening.prf_input()).await.unwrap();
        assert_eq!(opening.finish(&output, b"aad").unwrap()[..], *b"plaintext");
    });
}

fn import(known: [u8; 32]) {
    let library = Pkcs11::new(softhsm()).unwrap();
    library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = library.get_slots_with_initialized_token().unwrap()[0];
    let session = library.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(true),
        Attribute::Sign(true),
        Attribute::Id(KEY.to_vec()),
        Attribute::Value(known.to_vec()),
    ];
    session.create_object(&template).unwrap();
    drop(session);
    library.finalize().unwrap();
}

#[test]
fn tokens_are_found_by_label_serial_and_slot_or_not_at_all() {
    alone("tokens_are_found_by_label_serial_and_slot_or_not_at_all", async |scene: Scene| {
        scene.token("one");
        scene.token("two");
        scene.token("twin");
        scene.token("twin");
        let module = load(&softhsm()).await;
        let token = scene.open("two").await;
        token.create_prf_key(KEY, "in two").await.unwrap();
        assert_eq!(scene.open("one").await.find(KEY).await, Ok(None));

        let library = Pkcs11::new(softhsm()).unwrap();
        for slot in library.get_slots_with_initialized_token().unwrap() {
            let info = library.get_token_info(slot).unwrap();
            for selector in [Selector::Serial(info.serial_number().to_owned()), Selector::Slot(slot.id())] {
                let token = Token::open(&module, selector, pin(PIN)).await.unwrap();
                assert_eq!(token.find(KEY).await.unwrap().is_some(), info.label() == "two");
            }
        }
        let open = async |label: &str| Token::open(&module, labelled(label), pin(PIN)).await.map(drop);
        let probe = async |label: &str| Token::probe(&module, labelled(label), Limits::default()).await;
        assert_eq!(probe("one").await, Ok(()));
        assert!(matches!(probe("none").await, Err(Error::TokenNotFound(_))));
        assert!(matches!(open("none").await, Err(Error::TokenNotFound(_))));
        assert!(matches!(open("twin").await, Err(Error::TokenAmbiguous(_))));
    });
}

#[test]
fn what_is_no_module_is_refused() {
    alone("what_is_no_module_is_refused", async |_| {
        for path in ["/no/such/library.so", "/usr/lib/x86_64-linux-gnu/libm.so.6", "/etc/hostname"] {
            let refused = Module::load(path.as_ref()).await;
            assert!(matches!(refused, Err(Error::Module { .. })), "{path}");
        }
    });
}

#[test]
fn a_wrong_pin_is_refused_while_the_token_is_closed_and_while_it_is_open() {
    alone("a_wrong_pin_is_refused_while_the_token_is_closed_and_while_it_is_open", async |scene: Scene| {
        scene.token("one");
        let module = load(&softhsm()).await;
        let open = async |digits: &str| Token::open(&module, labelled("one"), pin(digits)).await;
        for wrong in ["00000000", "", "1", &"1".repeat(300)] {
            assert_eq!(open(wrong).await.map(drop), Err(Error::WrongPin), "{wrong}");
        }

        let token = open(PIN).await.unwrap();
        token.create_prf_key(KEY, "kept").await.unwrap();
        assert_eq!(open("00000000").await.map(drop), Err(Error::WrongPin));
        assert!(token.prf(KEY, b"input").await.is_ok(), "who was in before is still in");
        assert!(open(PIN).await.unwrap().prf(KEY, b"input").await.is_ok());
    });
}

/// The story: a network HSM is switched off for maintenance in the middle of traffic, and comes back.
#[test]
fn a_token_that_goes_and_comes_back_is_found_again() {
    alone("a_token_that_goes_and_comes_back_is_found_again", async |scene: Scene| {
        scene.token("one");
        let token = scene.open("one").await;
        token.create_prf_key(KEY, "kept").await.unwrap();
        let output = token.prf(KEY, b"input").await.unwrap();

        for round in 0..3 {
            scene.set_present(false);
            for _ in 0..20 {
                let started = Instant::now();
                let error = token.prf(KEY, b"input").await.unwrap_err();
                assert!(matches!(error, Error::TokenNotFound(_) | Error::Unreachable(_)), "round {round}: {error:?}");
                assert!(started.elapsed() < Duration::from_secs(1), "round {round}: nothing waits");
            }
            assert!(token.check().await.is_err());
            assert!(token.create_prf_key(OTHER, "nowhere").await.is_err());
            assert!(token.find(KEY).await.is_err(), "a token that is away does not say that it has no key");
            assert!(token.destroy(KEY).await.is_err());

            scene.set_present(true);
            let back = Instant::now();
            while token.prf(KEY, b"input").await.is_err() {
                assert!(back.elapsed() < Duration::from_secs(10), "round {round}: found again soon");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(token.prf(KEY, b"input").await.unwrap(), output);
            assert_eq!(token.check().await, Ok(()));
            assert_eq!(token.find(OTHER).await, Ok(None));
        }
        assert_eq!(token.late_calls(), 0);
    });
}

#[test]
fn a_token_that_appears_after_the_module_was_loaded_is_found() {
    alone("a_token_that_appears_after_the_module_was_loaded_is_found", async |scene: Scene| {
        let module = load(&softhsm()).await;
        scene.token("late");
        let started = Instant::now();
        loop {
            match Token::open(&module, labelled("late"), pin(PIN)).await {
                Ok(token) => break token.create_prf_key(KEY, "made").await.unwrap(),
                Err(error) => assert!(matches!(error, Error::TokenNotFound(_)), "{error:?}"),
            }
            assert!(started.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn thirty_two_tasks_use_one_token_at_once() {
    alone("thirty_two_tasks_use_one_token_at_once", async |scene: Scene| {
        scene.token("one");
        // A busy machine is not what is under test.
        let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
        let module = load(&softhsm()).await;
        let token = Token::open_with(&module, labelled("one"), pin(PIN), limits).await.unwrap();
        token.create_prf_key(KEY, "shared").await.unwrap();
        let mut expected = Vec::new();
        for number in 0..32_u8 {
            expected.push(token.prf(KEY, &[number]).await.unwrap());
        }
        let tasks: Vec<_> = expected
            .into_iter()
            .zip(0..32_u8)
            .map(|(expected, number)| {
                let token = token.clone();
                tokio::spawn(async move {
                    for round in 0..200_u8 {
                        assert_eq!(token.prf(KEY, &[number]).await.unwrap(), expected);
                        assert_eq!(token.random(32).await.unwrap().len(), 32);
                        if round % 50 == 0 {
                            let own = [number; 16];
                            token.create_prf_key(own, "of one task").await.unwrap();
                            token.prf(own, b"").await.unwrap();
                            assert_eq!(token.destroy(own).await, Ok(true));
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(token.late_calls(), 0);
    });
}

/// One token's absence starts the module again; the other token's sessions end with it and are made anew.
#[test]
fn a_token_is_used_on_while_another_of_its_module_is_away() {
    alone("a_token_is_used_on_while_another_of_its_module_is_away", async |scene: Scene| {
        scene.token("here");
        let module = load(&softhsm()).await;
        let token = scene.open("here").await;
        token.create_prf_key(KEY, "kept").await.unwrap();
        let output = token.prf(KEY, b"input").await.unwrap();
        let until = Instant::now() + Duration::from_secs(5);
        let away = tokio::spawn(async move {
            while Instant::now() < until {
                let _ = Token::open(&module, labelled("away"), pin(PIN)).await;
            }
        });
        let mut answers = 0;
        while Instant::now() < until {
            assert_eq!(token.prf(KEY, b"input").await.unwrap(), output);
            answers += 1;
        }
        away.await.unwrap();
        assert!(answers > 100, "{answers}");
    });
}

#[test]
fn random_bytes_are_the_tokens_and_bounded() {
    alone("random_bytes_are_the_tokens_and_bounded", async |scene: Scene| {
        scene.token("one");
        let token = scene.open("one").await;
        assert_eq!(token.random(1024).await.unwrap().len(), 1024);
        assert_ne!(token.random(32).await.unwrap(), token.random(32).await.unwrap());
        assert!(matches!(token.random(1025).await, Err(Error::Unsuitable(_))));
    });
}
