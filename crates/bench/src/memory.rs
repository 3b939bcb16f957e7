//! Memory: idle, and under 64 transfers of 1 GiB at once in each direction. It must not grow with the objects' size.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use crate::Error;
use crate::connection::{Connection, Request, Service};
use crate::target::{BUCKET, Target};
use http::{HeaderMap, HeaderValue};
use sigv4::Payload;
use std::sync::Arc;

const TRANSFERS: usize = 64;
const GIB: usize = 1 << 30;

/// Reads one object of 1 GiB 64 times at once; then 64 uploads of 1 GiB under way at once, to 4 names.
pub(crate) fn run(target: &Target) -> Result<(), Error> {
    let process = target.process().ok_or_else(|| Error::Failed("--memory needs --pid with --endpoint".into()))?;
    println!("idle: {:.1} MiB", process.resident_mib()?);
    let body = Arc::new(vec![42_u8; GIB]);
    let request = |method, number: usize, body: &Arc<Vec<u8>>| {
        let mut headers = HeaderMap::new();
        if method == "PUT" {
            headers.insert("x-amz-server-side-encryption", HeaderValue::from_static("aws:kms"));
        }
        let path = format!("/{BUCKET}/memory-{}", number % 4);
        Request {
            service: Service::S3,
            method,
            path,
            query: "",
            headers,
            payload: Payload::Unsigned,
            body: Arc::clone(body),
        }
    };
    Connection::open(target, false)?.expect_success(&request("PUT", 0, &body))?;
    process.reset_peak();
    together(target, |_| request("GET", 0, &Arc::default()))?;
    println!("{TRANSFERS} downloads of 1 GiB at once: peak {:.1} MiB", process.peak_mib()?);
    process.reset_peak();
    together(target, |number| request("PUT", number, &body))?;
    println!("{TRANSFERS} uploads of 1 GiB at once: peak {:.1} MiB", process.peak_mib()?);
    Ok(())
}

fn together(target: &Target, request: impl Fn(usize) -> Request + Sync) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let request = &request;
        let transfer = |number| move || Connection::open(target, false)?.expect_success(&request(number)).map(drop);
        let workers: Vec<_> = (0..TRANSFERS).map(|number| scope.spawn(transfer(number))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| Error::Failed("a transfer panicked".into()))?)
    })
}
