#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use std::net::TcpListener;

/// Takes 3 MiB a second of what it is sent, little by little, which keeps each write in time.
fn slow_listener() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::sockopt::set_socket_recv_buffer_size(&listener, 1 << 14).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut taken = vec![0; 1 << 14];
        while stream.read(&mut taken).is_ok_and(|read| read > 0) {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    authority
}

#[test]
fn what_is_sent_keeps_a_pace() {
    let region: Region = "eu-west-1".parse().unwrap();
    let stall = Duration::from_secs(1);
    let config =
        Config::new().region(region.clone()).credentials(Credentials::new("AKIA", "secret")).stall_limit(stall);
    let mut http = Http::new(&config, "s3", false).unwrap();
    assert_eq!((http.limits.sending(0), http.limits.sending(7 << 20)), (stall, stall + Duration::from_secs(7 << 13)));
    http.limits.pace = 64 << 20;
    let call = Call {
        operation: "PutObject",
        method: Method::PUT,
        endpoint: Endpoint { https: false, authority: slow_listener(), prefix: String::new() },
        region: &region,
        path: "/bucket/key".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
    };
    // Ten seconds at the pace of this listener, and more than any socket holds.
    let bytes = vec![0; 32 << 20];
    let begin = Instant::now();
    let sent = http.send(&call, Sent::Bytes(&bytes, Payload::Unsigned)).map(|answer| answer.status);
    assert!(matches!(sent, Err(AwsError::TimedOut { .. })), "{sent:?}");
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
}
