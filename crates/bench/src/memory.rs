//! Memory: idle, and under 64 transfers of 1 GiB at once in each direction. It must not grow with the objects' size.
//!
//! Uploads are cut off half-way: the disk need not hold 64 GiB, and the memory that they take is that of any upload under way.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use crate::Error;
use crate::connection::{Connection, Request, Service};
use crate::target::{BUCKET, Target};
use http::{HeaderMap, HeaderValue};
use sigv4::Payload;
use std::sync::Arc;

const TRANSFERS: usize = 64;
const GIB: usize = 1 << 30;

/// Reads one object of 1 GiB 64 times at once; then has 64 uploads of 1 GiB under way at once.
pub(crate) fn run(target: &Target) -> Result<(), Error> {
    let process = target.process().ok_or_else(|| Error::Failed("--memory needs --pid with --endpoint".into()))?;
    println!("idle: {:.1} MiB", process.resident_mib()?);
    let body = Arc::new(vec![42_u8; GIB]);
    let request = |method, number: usize, body: &Arc<Vec<u8>>| {
        let mut headers = HeaderMap::new();
        if method == "PUT" {
            headers.insert("x-amz-server-side-encryption", HeaderValue::from_static("aws:kms"));
        }
        let path = format!("/{BUCKET}/memory-{number}");
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
    let download = request("GET", 0, &Arc::default());
    together(target, |connection, _| connection.expect_success(&download).map(drop))?;
    println!("{TRANSFERS} downloads of 1 GiB at once: peak {:.1} MiB", process.peak_mib()?);
    process.reset_peak();
    together(target, |connection, number| connection.begin(&request("PUT", number, &body), GIB / 2))?;
    println!("{TRANSFERS} uploads of 1 GiB at once: peak {:.1} MiB", process.peak_mib()?);
    Ok(())
}

fn together(
    target: &Target,
    transfer: impl Fn(&mut Connection, usize) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let transfer = &transfer;
        let one = |number| move || transfer(&mut Connection::open(target, false)?, number);
        let workers: Vec<_> = (0..TRANSFERS).map(|number| scope.spawn(one(number))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| Error::Failed("a transfer panicked".into()))?)
    })
}
