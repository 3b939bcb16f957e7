//! A module that hangs, lies and forgets, in front of SoftHSM's.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use hsm::{Error, Limits, Token};
use support::{PIN, Scene, alone, labelled, load, pin};

const KEY: [u8; 16] = [1; 16];
const LIMITS: Limits = Limits { time: Duration::from_millis(300), concurrency: 4 };

async fn open(scene: &Scene) -> Token {
    let module = load(&scene.faulty()).await;
    let token = Token::open_with(&module, labelled("one"), pin(PIN), LIMITS).await.unwrap();
    token.create_prf_key(KEY, "a key").await.unwrap();
    token
}

async fn until_it_works(token: &Token) {
    let started = Instant::now();
    while let Err(error) = token.prf(KEY, b"input").await {
        assert!(started.elapsed() < Duration::from_secs(10), "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_hanging_module_hangs_nobody_and_takes_a_bounded_number_of_threads() {
    alone("a_hanging_module_hangs_nobody_and_takes_a_bounded_number_of_threads", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        let output = token.prf(KEY, b"input").await.unwrap();
        scene.fault("C_Sign", Some("hang"));
        for late in 1..=LIMITS.concurrency {
            let started = Instant::now();
            assert_eq!(token.prf(KEY, b"input").await, Err(Error::TimedOut));
            assert!(started.elapsed() < LIMITS.time * 2);
            assert_eq!(token.late_calls(), late);
        }
        for _ in 0..100 {
            let started = Instant::now();
            assert_eq!(token.prf(KEY, b"input").await, Err(Error::Overloaded));
            assert!(started.elapsed() < LIMITS.time);
        }
        scene.fault("C_Sign", None);
        until_it_works(&token).await;
        assert_eq!(token.prf(KEY, b"input").await.unwrap(), output);
        tokio::time::sleep(LIMITS.time).await;
        assert_eq!(token.late_calls(), 0);
    });
}

#[test]
fn a_module_that_hangs_in_its_login_answers_in_time() {
    alone("a_module_that_hangs_in_its_login_answers_in_time", async |scene: Scene| {
        scene.token("one");
        let module = load(&scene.faulty()).await;
        scene.fault("C_Login", Some("hang"));
        let started = Instant::now();
        let opened = Token::open_with(&module, labelled("one"), pin(PIN), LIMITS).await;
        assert_eq!(opened.map(drop), Err(Error::TimedOut));
        assert!(started.elapsed() < LIMITS.time * 3);
        scene.fault("C_Login", None);
        let token = open(&scene).await;
        until_it_works(&token).await;
    });
}

/// The process ends although a thread hangs in the module: only a test that ends shows it, and this one does.
#[test]
fn a_process_ends_while_a_module_hangs() {
    alone("a_process_ends_while_a_module_hangs", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        scene.fault("C_Sign", Some("hang"));
        assert_eq!(token.prf(KEY, b"input").await, Err(Error::TimedOut));
    });
}

/// Each trial of a wrong PIN brings a token nearer to being locked.
#[test]
fn a_refused_pin_is_not_tried_again() {
    alone("a_refused_pin_is_not_tried_again", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        for (code, expected) in [("a0", Error::WrongPin), ("a4", Error::PinLocked), ("102", Error::NoUser)] {
            // The session is lost, and meanwhile somebody has changed the PIN.
            scene.fault("C_Login", Some(code));
            scene.fault("C_Sign", Some("b3"));
            let before = scene.calls("C_Login");
            for _ in 0..50 {
                assert_eq!(token.prf(KEY, b"input").await, Err(expected.clone()));
            }
            assert_eq!(scene.calls("C_Login"), before + 1);
            scene.fault("C_Login", None);
            scene.fault("C_Sign", None);
            assert_eq!(token.prf(KEY, b"input").await, Err(expected), "not before somebody opens it again");
            let module = load(&scene.faulty()).await;
            Token::open(&module, labelled("one"), pin(PIN)).await.unwrap();
            assert!(token.prf(KEY, b"input").await.is_ok());
        }
    });
}

/// One answer each that says that a session, a login, a handle or a device is lost: the call is made again and succeeds.
#[test]
fn whatever_was_lost_is_made_anew_within_the_call() {
    alone("whatever_was_lost_is_made_anew_within_the_call", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        let output = token.prf(KEY, b"input").await.unwrap();
        // General error, device error, removed, handle of a key, not initialised, token gone, session closed and invalid,
        // not logged in, a vendor's own.
        for code in ["5", "30", "32", "60", "82", "190", "e0", "b0", "b3", "101", "80000001"] {
            scene.fault("C_Sign", Some(code));
            let ask = tokio::spawn({
                let token = token.clone();
                async move { token.prf(KEY, b"input").await }
            });
            let failed = ask.await.unwrap().unwrap_err();
            assert!(matches!(failed, Error::Unreachable(_)), "{code}: {failed:?}");
            scene.fault("C_Sign", None);
            until_it_works(&token).await;
            assert_eq!(token.prf(KEY, b"input").await.unwrap(), output, "{code}");
        }
        assert_eq!(token.late_calls(), 0);
    });
}

#[test]
fn a_key_whose_making_seemed_to_fail_is_made_once() {
    alone("a_key_whose_making_seemed_to_fail_is_made_once", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        let key = [2; 16];
        // The token makes the key, and its answer gets lost with the session.
        scene.fault("C_GenerateKey", Some("b3"));
        token.create_prf_key(key, "made").await.unwrap();
        scene.fault("C_GenerateKey", None);
        assert_eq!(scene.calls("C_GenerateKey"), 2, "one for the first key, one for this");
        assert!(token.prf(key, b"input").await.is_ok());
        assert_eq!(token.destroy(key).await, Ok(true));
    });
}

#[test]
fn a_module_that_does_not_start_again_is_started_later() {
    alone("a_module_that_does_not_start_again_is_started_later", async |scene: Scene| {
        scene.token("one");
        let token = open(&scene).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        scene.set_present(false);
        scene.fault("C_Initialize", Some("5"));
        let mut errors = Vec::new();
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            errors.push(token.prf(KEY, b"input").await.unwrap_err());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(errors.iter().any(|error| matches!(error, Error::Module { .. })), "{errors:?}");
        scene.fault("C_Initialize", None);
        scene.set_present(true);
        until_it_works(&token).await;
    });
}
