//! How fast messages and objects are written and read, beside AES-256-GCM of the same library over the same bytes, and beside `aws-esdk`.
//!
//! Everything is measured in processor time of this process, in rounds: each does everything once, so that a busy moment touches all
//! alike. What is told is the median of the rounds. Prints Markdown, which stands in docs/benchmark.md.

#[cfg(feature = "aws")]
mod aws;
mod ours;
mod raw;

use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::error::Error;

/// Bytes of plaintext: more than the processor's caches hold.
const BYTES: usize = 64 << 20;
const ROUNDS: usize = 15;
/// Of `aws-esdk`, which takes long.
#[cfg(feature = "aws")]
const ROUNDS_OF_AWS: usize = 3;
const FRAMES: [u32; 2] = [1 << 20, 4096];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// AES-256-GCM in one call where the bytes lie; into other memory that was used before; into memory that is new; that has large pages.
    InPlace,
    Apart,
    Fresh,
    Large,
    /// A call with a nonce of its own for each 4 KiB, into other memory that was used before.
    Calls,
    Sha384,
    Ours(Format, Way),
    Aws(Format, Way),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Format {
    /// A message of the Encryption SDK, signed or not, with frames of so many bytes.
    Message { signed: bool, frame: u32 },
    /// An object of the S3 Encryption Client, version 3.
    Object,
}

/// Encrypting or decrypting, as a stream out of memory that writes to nothing, or in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    EncryptStream,
    DecryptStream,
    Encrypt,
    Decrypt,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let plaintext: Vec<u8> = (0..BYTES).map(|n| (n * n >> 7) as u8).collect();
    let mut seconds: BTreeMap<Task, Vec<f64>> = BTreeMap::new();
    let mut measure = |task: Task, run: &mut dyn FnMut() -> Outcome<()>| -> Outcome<()> {
        let start = cpu_seconds();
        run()?;
        seconds.entry(task).or_default().push(cpu_seconds() - start);
        Ok(())
    };
    let (mut raw, ours) = (raw::Raw::new(&plaintext)?, ours::Ours::new(&plaintext)?);
    #[cfg(feature = "aws")]
    let aws = aws::Aws::new(&plaintext)?;
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        raw.measure(&mut measure)?;
        ours.measure(&mut measure)?;
        #[cfg(feature = "aws")]
        if round <= ROUNDS_OF_AWS {
            aws.measure(&mut measure)?;
        }
    }
    report(&Speeds(seconds.into_iter().map(|(task, runs)| (task, speed(runs))).collect()));
    Ok(())
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// MiB a second, by the median.
fn speed(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    (BYTES >> 20) as f64 / seconds[seconds.len() / 2]
}

/// MiB a second.
struct Speeds(BTreeMap<Task, f64>);

impl Speeds {
    fn of(&self, task: Task) -> f64 {
        self.0[&task]
    }

    /// The cipher, and for a signed message the hash, too, over the same bytes into memory of the same kind.
    fn same_work(&self, format: Format, way: Way) -> f64 {
        let cipher = self.of(if matches!(way, Way::Encrypt | Way::Decrypt) { Task::Large } else { Task::Apart });
        match format {
            Format::Message { signed: true, .. } => 1.0 / (1.0 / cipher + 1.0 / self.of(Task::Sha384)),
            _ => cipher,
        }
    }
}

fn report(speeds: &Speeds) {
    println!("| AWS-LC over 64 MiB | MiB/s |\n|---|---|");
    for (name, task) in [
        ("AES-256-GCM, one call, in place", Task::InPlace),
        ("AES-256-GCM, one call, into other memory that was used before", Task::Apart),
        ("AES-256-GCM, one call, into new memory", Task::Fresh),
        ("AES-256-GCM, one call, into new memory with large pages", Task::Large),
        ("AES-256-GCM, a call for each 4 KiB, into other memory that was used before", Task::Calls),
        ("SHA-384", Task::Sha384),
    ] {
        println!("| {name} | {:.0} |", speeds.of(task));
    }
    println!("\n| | MiB/s | of the same work by AWS-LC | of AES-256-GCM in place | aws-esdk, MiB/s | times aws-esdk |");
    println!("|---|---|---|---|---|---|");
    for (task, &speed) in &speeds.0 {
        let Task::Ours(format, way) = *task else { continue };
        let theirs = speeds.0.get(&Task::Aws(
            format,
            if way == Way::EncryptStream {
                Way::Encrypt
            } else if way == Way::DecryptStream {
                Way::Decrypt
            } else {
                way
            },
        ));
        let (theirs, times) =
            theirs.map_or((String::new(), String::new()), |aws| (format!("{aws:.0}"), format!("{:.0}", speed / aws)));
        let percent = |of: f64| format!("{:.0} %", 100.0 * speed / of);
        println!(
            "| {} | {speed:.0} | {} | {} | {theirs} | {times} |",
            name(format, way),
            percent(speeds.same_work(format, way)),
            percent(speeds.of(Task::InPlace)),
        );
    }
}

fn name(format: Format, way: Way) -> String {
    let format = match format {
        Format::Object => "object, version 3".to_owned(),
        Format::Message { signed, frame } => {
            format!("{}, frames of {} KiB", if signed { "0578" } else { "0478" }, frame >> 10)
        }
    };
    let way = match way {
        Way::EncryptStream => "encrypt, stream",
        Way::DecryptStream => "decrypt, stream",
        Way::Encrypt => "encrypt, in memory",
        Way::Decrypt => "decrypt, in memory",
    };
    format!("{format}: {way}")
}
