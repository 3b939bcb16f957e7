//! Who asks too often is told so in the service's words, and nobody else is.

use std::time::{Duration, Instant};

use crate::support::{ALICE, Ask, BOB, Server};
use gateway::{Limits, Safeguards};

fn bucket(access_key: &str) -> Ask<'_> {
    Ask { access_key, ..Ask::s3("GET", "/", b"") }
}

#[tokio::test]
async fn a_principal_has_its_requests_a_second() {
    let safeguards = Safeguards { request_rate: Some(2), ..Safeguards::default() };
    let server = Server::with(Limits::default(), safeguards).await;
    let mut slow = 0;
    for _ in 0..4 {
        let answer = server.ask(&bucket(ALICE)).await;
        slow += usize::from(answer.status == 503 && answer.text().contains("<Code>SlowDown</Code>"));
    }
    assert!(slow >= 1);
    let (status, body) = server.kms("ListKeys", "{}").await;
    assert_eq!((status, body["__type"].as_str()), (400, Some("ThrottlingException")), "over all services");
    assert_eq!(server.ask(&bucket(BOB)).await.status, 200, "each by itself");
}

#[tokio::test]
async fn awss_quotas_hold_if_they_shall() {
    let server = Server::with(Limits::default(), Safeguards { quotas: Some(1.0), ..Safeguards::default() }).await;
    let mut made = 0;
    let mut refused = 0;
    for _ in 0..12 {
        let answer = server.ask(&Ask::kms("CreateKey", "{}")).await;
        match answer.status {
            200 => made += 1,
            _ => {
                let body = answer.json();
                assert_eq!((answer.status, body["__type"].as_str()), (400, Some("ThrottlingException")));
                let text = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
                assert_eq!(body["message"], text);
                assert_eq!(answer.header("retry-after"), "1");
                refused += 1;
            }
        }
    }
    assert!(made >= 5 && refused >= 1, "{made} and {refused}");
    assert_eq!(server.kms("ListKeys", "{}").await.0, 200, "each quota by itself");
    let bob = Ask { access_key: BOB, ..Ask::kms("CreateKey", "{}") };
    assert_eq!(server.ask(&bob).await.status, 200, "each account by itself");
}

#[tokio::test]
async fn whoever_signs_well_passes_while_others_fail() {
    let safeguards = Safeguards { delay_failures: true, ..Safeguards::default() };
    let server = Server::with(Limits::default(), safeguards).await;
    let wrong = Ask { secret: b"not-the-secret-of-anybody-at-all-0123456", ..bucket(ALICE) };
    for _ in 0..20 {
        assert_eq!(server.ask(&wrong).await.status, 403);
    }
    let started = Instant::now();
    assert_eq!(server.ask(&wrong).await.status, 403);
    assert!(started.elapsed() >= Duration::from_millis(200), "the answer was delayed");
    let started = Instant::now();
    assert_eq!(server.ask(&bucket(ALICE)).await.status, 200, "from the same address, with the same access key");
    assert!(started.elapsed() < Duration::from_millis(200));
}
