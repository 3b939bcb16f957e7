//! `strongroom inspect`: what something is sealed with, without a key.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use clap::{ArgAction, Args};
use client::aws::S3Client;
use client::message::Header;
use serde_json::{Value, json};

use super::Outcome;
use super::args::S3Service;
use super::failure::{Failure, clean};
use super::header;
use super::input::Input;
use super::output::print;
use super::s3::inspect::look;
use super::s3::url::End;

/// Tells what a message or an object is sealed with, without a key
///
/// All of it is what they say of themselves: nothing is verified.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// A file, s3://bucket/key, or - for standard input
    #[arg(value_name = "IN", default_value = "-", value_parser = End::parser())]
    input: End,

    /// Print one JSON object
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,

    #[command(flatten)]
    service: S3Service,
}

pub(super) fn run(command: &Inspect) -> Outcome {
    match &command.input {
        End::Object(url) => {
            let s3 = S3Client::new(&command.service.config()?)?;
            let found = look(&s3, url).map_err(|failure| failure.within(url))?;
            let lines = found.lines().map_err(|failure| failure.within(url))?;
            tell(command, found.json(), lines)
        }
        End::Pipe => message(command, Path::new("-")),
        End::File(path) => message(command, path),
    }
}

fn message(command: &Inspect, path: &Path) -> Outcome {
    let mut input = Input::open(path)?;
    let header = Header::inspect(&mut input.file).map_err(|error| Failure::from(error).within(path.display()))?;
    let body = input.length.and_then(|length| Frames::find(&mut input.file, &header, length).ok());
    let mut lines = header::lines(&header);
    lines.extend(body.as_ref().map(|body| ("plaintext", body.words())));
    let mut object = header::json(&header);
    object["body"] = body.map_or(Value::Null, |body| body.json());
    tell(command, object, lines)
}

fn tell(command: &Inspect, mut object: Value, lines: Vec<(&'static str, String)>) -> Outcome {
    let text = if command.json {
        object["input"] = json!(command.input.to_string());
        format!("{object}\n")
    } else {
        describe(lines)
    };
    print(&text)?;
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

    fn words(&self) -> String {
        match self {
            Frames::Whole { frames: 0, plaintext } => format!("{plaintext} bytes"),
            Frames::Whole { frames: 1, plaintext } => format!("{plaintext} bytes in 1 frame"),
            Frames::Whole { frames, plaintext } => format!("{plaintext} bytes in {frames} frames"),
            Frames::Truncated => "truncated: there is no last frame".to_owned(),
        }
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

fn describe(lines: Vec<(&'static str, String)>) -> String {
    lines.into_iter().map(|(name, text)| format!("{name:12}{}\n", clean(&text))).collect()
}
