//! Keys, readers and writers that the tests share.

use client::keys::AesKey;
use client::message::{CommitmentPolicy, Decryptor, Encryptor, Keyring, Materials, Opened, RawAes, Suite};
use client::{Error, Result};
use std::io::Read;

pub(crate) fn aes() -> RawAes {
    named("key 1", 1)
}

pub(crate) fn named(name: &str, byte: u8) -> RawAes {
    RawAes::new("tests", name, AesKey::new(&[byte; 32]).unwrap()).unwrap()
}

/// The policy under which a suite may be written.
pub(crate) fn policy(suite: Suite) -> CommitmentPolicy {
    if suite.commits() {
        CommitmentPolicy::RequireEncryptRequireDecrypt
    } else {
        CommitmentPolicy::ForbidEncryptAllowDecrypt
    }
}

pub(crate) fn encryptor<M: Materials>(suite: Suite, materials: M) -> Encryptor<M> {
    Encryptor::new(materials).suite(suite).commitment(policy(suite))
}

pub(crate) fn decryptor<M: Materials>(materials: M) -> Decryptor<M> {
    Decryptor::new(materials).commitment(CommitmentPolicy::RequireEncryptAllowDecrypt)
}

pub(crate) fn open(message: &[u8]) -> Result<Opened> {
    decryptor(aes()).decrypt(message)
}

/// What reading brings, and how it ends.
pub(crate) fn read(decryptor: &Decryptor<impl Keyring>, input: impl Read) -> (Vec<u8>, Result<()>) {
    let mut plaintext = Vec::new();
    let ended = decryptor.start(input).and_then(|mut reader| Ok(reader.read_to_end(&mut plaintext).map(|_| ())?));
    (plaintext, ended)
}

/// Gives bytes in pieces of the sizes that are drawn.
pub(crate) struct Trickle<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) pieces: &'a [usize],
    pub(crate) turn: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.pieces.get(self.turn % self.pieces.len().max(1)).copied().unwrap_or(usize::MAX);
        self.turn += 1;
        let taken = piece.min(into.len()).min(self.bytes.len());
        into[..taken].copy_from_slice(&self.bytes[..taken]);
        self.bytes = &self.bytes[taken..];
        Ok(taken)
    }
}

/// Beginning, then zeros without end; counts what was taken, and the longest piece that was asked for.
pub(crate) struct Endless<'a> {
    pub(crate) begin: &'a [u8],
    pub(crate) taken: usize,
    pub(crate) longest: usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.longest = self.longest.max(into.len());
        into.fill(0);
        let begin = self.begin.len().min(into.len());
        into[..begin].copy_from_slice(&self.begin[..begin]);
        self.begin = &self.begin[begin..];
        self.taken += into.len();
        Ok(into.len())
    }
}

/// The name of an error's variant.
pub(crate) fn kind(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
