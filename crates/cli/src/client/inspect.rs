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
use super::spot::Spot;

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
    let mut input = Input::open(&Spot::Named(path.to_owned()))?;
    let is_whole = input.file.stream_position().is_ok_and(|at| at == 0);
    let header = Header::inspect(&mut input.file).map_err(|error| Failure::from(error).within(path.display()))?;
    let body = input.length.filter(|_| is_whole).and_then(|length| Frames::find(&mut input.file, &header, length).ok());
    let mut lines = header::lines(&header);
    lines.extend(body.iter().flat_map(Frames::lines));
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

/// How many frames a message seems to have, by the numbers of a few of them, and what is behind its end. The body itself is not read,
/// however long it is.
#[derive(Debug, PartialEq, Eq)]
enum Frames {
    /// So many, with so many bytes of plaintext; and bytes that follow, which are not of the message.
    Whole { frames: u64, plaintext: u64, trailing: u64 },
    /// There is no last frame where one must be, or what belongs behind it is missing. A frame whose number is damaged leads there, too.
    Truncated,
}

/// What a frame has beside its data: number, IV and tag.
const FRAME: u64 = 4 + 12 + 16;

/// What the last one has: mark, number, IV, length and tag.
const LAST_FRAME: u64 = 4 + 4 + 12 + 4 + 16;

impl Frames {
    fn find(file: &mut File, header: &Header, length: u64) -> io::Result<Self> {
        let signed = header.suite().signs();
        let Some(frame) = header::frame_length(header).map(u64::from) else {
            // IV, length, data, tag: the length says it.
            let Some(plaintext) = at(file, header.length() + 12)? else { return Ok(Frames::Truncated) };
            let plaintext = u64::from_be_bytes(plaintext);
            let end = header.length().saturating_add(12 + 8 + 16).saturating_add(plaintext);
            return Self::ending(file, (0, plaintext), (end, length), signed);
        };
        // Frames are numbered from 1 on, as far as all have the same length. Where the first one begins that is not, the last one is.
        let begin = |before: u64| header.length() + before * (frame + FRAME);
        let (mut before, mut most) = (0, length.saturating_sub(header.length()) / (frame + FRAME));
        while before < most {
            let middle = before + (most - before) / 2;
            if at(file, begin(middle))?.is_some_and(|number| u64::from(u32::from_be_bytes(number)) == middle + 1) {
                before = middle + 1;
            } else {
                most = middle;
            }
        }
        let Some(head) = at::<24>(file, begin(before))? else { return Ok(Frames::Truncated) };
        let number =
            |from: usize| u64::from(u32::from_be_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]));
        let (mark, sequence, last) = (number(0), number(4), number(20));
        if mark != 0xffff_ffff || sequence != before + 1 || last > frame {
            return Ok(Frames::Truncated);
        }
        let end = begin(before) + LAST_FRAME + last;
        Self::ending(file, (before + 1, before * frame + last), (end, length), signed)
    }

    /// Of what ends there, in a file of this length: but for a signature, if there must be one.
    fn ending(
        file: &mut File,
        (frames, plaintext): (u64, u64),
        (mut end, length): (u64, u64),
        signed: bool,
    ) -> io::Result<Self> {
        if signed && end <= length {
            let Some(signature) = at(file, end)? else { return Ok(Frames::Truncated) };
            end += 2 + u64::from(u16::from_be_bytes(signature));
        }
        let trailing = length.checked_sub(end);
        Ok(trailing.map_or(Frames::Truncated, |trailing| Frames::Whole { frames, plaintext, trailing }))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let (words, trailing) = match self {
            Frames::Whole { frames: 0, plaintext, trailing } => (format!("{plaintext} bytes"), *trailing),
            Frames::Whole { frames: 1, plaintext, trailing } => (format!("{plaintext} bytes in 1 frame"), *trailing),
            Frames::Whole { frames, plaintext, trailing } => {
                (format!("{plaintext} bytes in {frames} frames"), *trailing)
            }
            Frames::Truncated => ("truncated or damaged: the message's end is not where it must be".to_owned(), 0),
        };
        let mut lines = vec![("plaintext", words)];
        if trailing > 0 {
            lines.push(("trailing", format!("{trailing} bytes follow the message's end: decrypt refuses them")));
        }
        lines
    }

    fn json(&self) -> Value {
        match self {
            Frames::Whole { frames, plaintext, trailing } => json!({
                "truncated": false,
                "frames": frames,
                "plaintext_bytes": plaintext,
                "trailing_bytes": trailing,
            }),
            Frames::Truncated => json!({ "truncated": true }),
        }
    }
}

/// Bytes of a file from there on, unless it ends before.
fn at<const N: usize>(file: &mut File, offset: u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(|()| Some(bytes)),
    }
}

fn describe(lines: Vec<(&'static str, String)>) -> String {
    lines.into_iter().map(|(name, text)| format!("{name:12}{}\n", clean(&text))).collect()
}
