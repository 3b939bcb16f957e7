//! `strongroom inspect`: what something is sealed with, without a key.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args};
use client::message::Header;
use serde_json::{Value, json};

use super::Outcome;
use super::failure::Failure;
use super::header;
use super::input::Input;
use super::progress::size;
use super::report::shown;

/// Tells what a message is sealed with, without a key
///
/// All of it is what the message says of itself: nothing is verified.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// A file, or - for standard input
    #[arg(value_name = "IN", default_value = "-")]
    input: PathBuf,

    /// Print one JSON object
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,
}

pub(super) fn run(command: &Inspect) -> Outcome {
    let mut input = Input::open(&command.input)?;
    let header =
        Header::inspect(&mut input.file).map_err(|error| Failure::from(error).within(command.input.display()))?;
    let body = input.length.and_then(|length| Frames::find(&mut input.file, &header, length).ok());
    if command.json {
        let mut object = header::json(&header);
        object["input"] = json!(shown(&command.input));
        object["body"] = body.map_or(Value::Null, |body| body.json());
        println!("{object}");
    } else {
        print!("{}", describe(&header, body.as_ref()));
    }
    Ok(ExitCode::SUCCESS)
}

/// How many frames a message seems to have, by its length and by where its last frame is.
#[derive(Debug, PartialEq, Eq)]
enum Frames {
    /// So many, with so many bytes of plaintext.
    Whole { frames: u64, plaintext: u64 },
    /// There is no last frame where one must be.
    Truncated,
}

/// What a frame has beside its data: number, IV and tag.
const FRAME: u64 = 4 + 12 + 16;

/// What the last one has: mark, number, IV, length and tag.
const LAST_FRAME: u64 = 4 + 4 + 12 + 4 + 16;

impl Frames {
    /// Looks where the last frame must begin: behind a whole number of frames, with what is left being the last one and a signature.
    fn find(file: &mut File, header: &Header, length: u64) -> io::Result<Self> {
        let Some(frame) = header::frame_length(header).map(u64::from) else {
            // IV, length, data, tag: the length says it.
            file.seek(SeekFrom::Start(header.length() + 12))?;
            let plaintext = u64::from_be_bytes(array(file)?);
            let whole = length >= header.length().saturating_add(plaintext).saturating_add(12 + 8 + 16);
            return Ok(if whole { Frames::Whole { frames: 0, plaintext } } else { Frames::Truncated });
        };
        let body = length.saturating_sub(header.length());
        let most = body / (frame + FRAME);
        // A signature of up to 64 KiB follows: with short frames the last one may lie many frames before the end.
        let signature = if header.suite().signs() { 2 + (1 << 16) } else { 0 };
        let least = body.saturating_sub(LAST_FRAME + frame + signature) / (frame + FRAME);
        for before in (least..=most).rev() {
            let at = header.length() + before * (frame + FRAME);
            file.seek(SeekFrom::Start(at))?;
            let head: [u8; 24] = match array(file) {
                Ok(head) => head,
                Err(_) => continue,
            };
            let number = |from: usize| {
                u64::from(u32::from_be_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]))
            };
            let (mark, sequence, last) = (number(0), number(4), number(20));
            if mark == 0xffff_ffff && sequence == before + 1 && last <= frame && at + LAST_FRAME + last <= length {
                return Ok(Frames::Whole { frames: before + 1, plaintext: before * frame + last });
            }
        }
        Ok(Frames::Truncated)
    }

    fn json(&self) -> Value {
        match self {
            Frames::Whole { frames, plaintext } => {
                json!({ "truncated": false, "frames": frames, "plaintext_bytes": plaintext })
            }
            Frames::Truncated => json!({ "truncated": true }),
        }
    }
}

fn array<const N: usize>(file: &mut File) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn describe(header: &Header, body: Option<&Frames>) -> String {
    let suite = header.suite();
    let mut lines = vec![
        ("format", format!("message of the AWS Encryption SDK, version {}", header.version())),
        ("suite", format!("{suite} {}", suite.name())),
        ("commitment", if suite.commits() { "yes" } else { "no" }.to_owned()),
        ("signed", if suite.signs() { "yes" } else { "no" }.to_owned()),
    ];
    for key in header.keys() {
        let (kind, name) = header::wrapped(key);
        let name = if kind == "kms" { name } else { format!("{}/{name}", key.provider) };
        lines.push(("key", format!("{kind} {name}")));
    }
    lines.extend(header.context().iter().map(|(name, value)| ("context", format!("{name}={value}"))));
    lines.push(match header::frame_length(header) {
        Some(length) => ("frames", format!("of {}", size(length.into()))),
        None => ("frames", "none".to_owned()),
    });
    match body {
        Some(Frames::Whole { frames: 0, plaintext }) => lines.push(("plaintext", format!("{plaintext} bytes"))),
        Some(Frames::Whole { frames, plaintext }) => {
            lines.push(("plaintext", format!("{plaintext} bytes in {frames} frames")));
        }
        Some(Frames::Truncated) => lines.push(("plaintext", "truncated: there is no last frame".to_owned())),
        None => {}
    }
    // What a stranger wrote ends no line and commands no terminal.
    let clean = |text: String| -> String {
        text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
    };
    lines.into_iter().map(|(name, text)| format!("{name:11} {}\n", clean(text))).collect()
}
