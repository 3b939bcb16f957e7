//! The client against a proxy in this process that answers what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use courier::{Credentials, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use xks::{Asker, Configuration, Fault, KeyId, Proxy, Sealed, TIME_LIMIT, UriPath};

const ASKER: Asker<'_> =
    Asker { principal: None, key_arn: None, operation: "ConnectCustomKeyStore", request_id: "1", via_service: None };

/// A proxy that answers every request with `answer`, or with nothing; and the request lines that it sees.
async fn start(answer: Option<(u16, &'static str)>) -> (Proxy, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let count = stream.read(&mut buffer).await.unwrap_or(0);
                    if count == 0 {
                        return;
                    }
                    let request = String::from_utf8_lossy(&buffer[..count]);
                    if !request.starts_with("POST ") {
                        continue;
                    }
                    drop(seen.send(request.lines().next().unwrap().to_owned()));
                    if let Some((status, body)) = answer {
                        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        stream.write_all(head.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    (proxy(&format!("http://{address}")), lines)
}

fn proxy(route: &str) -> Proxy {
    let authority = rcgen::generate_simple_self_signed(vec!["ca.test".to_owned()]).unwrap();
    let configuration = Configuration {
        endpoint: "https://xks.test",
        route: Some(route),
        path: &UriPath::parse("/tenant/kms/xks/v1").unwrap(),
        credentials: &Credentials::new("ABCDEFGHIJKLMNOPQRST", b"secret"),
        region: "eu-west-1",
    };
    Proxy::new(&configuration, &Trust::only(authority.cert.pem().as_bytes()).unwrap()).unwrap()
}

fn key() -> KeyId {
    KeyId::parse("key-1").unwrap()
}

#[tokio::test]
async fn each_request_goes_to_its_path() {
    let (proxy, mut lines) = start(Some((500, ""))).await;
    let sealed = Sealed { ciphertext: vec![0], metadata: None, iv: vec![0; 12], tag: [0; 16] };
    proxy.health(ASKER).await.unwrap_err();
    proxy.metadata(&key(), ASKER).await.unwrap_err();
    proxy.encrypt(&key(), ASKER, b"aad", b"text").await.unwrap_err();
    proxy.decrypt(&key(), ASKER, b"aad", &sealed).await.unwrap_err();
    for path in ["health", "keys/key-1/metadata", "keys/key-1/encrypt", "keys/key-1/decrypt"] {
        assert_eq!(lines.recv().await.unwrap(), format!("POST /tenant/kms/xks/v1/{path} HTTP/1.1"));
    }
}

#[tokio::test]
async fn what_a_proxy_says_becomes_a_fault() {
    for (status, body, fault, code) in [
        (401, r#"{"errorName":"AuthenticationFailedException"}"#, Fault::AuthenticationFailed, "INVALID_CREDENTIALS"),
        (403, r#"{"errorName":"AccessDeniedException"}"#, Fault::AccessDenied, "XKS_PROXY_ACCESS_DENIED"),
        (404, r#"{"errorName":"InvalidUriPathException"}"#, Fault::InvalidUriPath, "XKS_PROXY_INVALID_CONFIGURATION"),
        (503, r#"{"errorName":"DependencyTimeoutException"}"#, Fault::DependencyTimeout, "XKS_PROXY_TIMED_OUT"),
        (502, "<html>Bad Gateway</html>", Fault::Malformed, "XKS_PROXY_INVALID_RESPONSE"),
        (200, "{}", Fault::Malformed, "XKS_PROXY_INVALID_RESPONSE"),
        (200, r#"{"errorName":"InternalException"}"#, Fault::Malformed, "XKS_PROXY_INVALID_RESPONSE"),
    ] {
        let (proxy, _lines) = start(Some((status, body))).await;
        let error = proxy.health(ASKER).await.unwrap_err();
        assert_eq!((error.fault(), error.fault().connection_error_code()), (fault, code), "{status} {body}");
    }
}

#[tokio::test]
async fn a_silent_proxy_costs_the_time_limit_and_no_more() {
    let (proxy, mut lines) = start(None).await;
    let begun = Instant::now();
    let error = proxy.encrypt(&key(), ASKER, b"", b"text").await.unwrap_err();
    assert_eq!((error.fault(), error.fault().connection_error_code()), (Fault::TimedOut, "XKS_PROXY_TIMED_OUT"));
    assert!(begun.elapsed() >= TIME_LIMIT && begun.elapsed() < TIME_LIMIT + Duration::from_millis(500));
    assert!(lines.recv().await.is_some() && lines.try_recv().is_err(), "it is asked once");
}

#[tokio::test]
async fn nobody_and_no_tls_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let proxy = proxy(&format!("https://{address}"));
    assert_eq!(proxy.health(ASKER).await.unwrap_err().fault(), Fault::Tls);
    assert_eq!(proxy.health(ASKER).await.unwrap_err().fault(), Fault::Unreachable);
}

#[tokio::test]
async fn what_no_proxy_must_take_is_not_sent() {
    let (proxy, mut lines) = start(None).await;
    for (aad, plaintext) in [(8193, 1), (0, 4301)] {
        let error = proxy.encrypt(&key(), ASKER, &vec![0; aad], &vec![0; plaintext]).await.unwrap_err();
        assert_eq!(error.fault(), Fault::UnsupportedOperation);
    }
    assert!(lines.try_recv().is_err());
}
