//! This project's client.

use crate::{FRAMES, Format, Outcome, Task, Way};
use client::Destination;
use client::keys::AesKey;
use client::message::{Decryptor, Encryptor, RawAes, Suite};
use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor, SealedObject};
use std::hint::black_box;
use std::io::{self, Read, Write};

pub struct Ours<'a> {
    plaintext: &'a [u8],
    messages: Vec<Message>,
    keyring: AesKeyring,
    object: SealedObject,
}

struct Message {
    format: Format,
    encryptor: Encryptor<RawAes>,
    decryptor: Decryptor<RawAes>,
    sealed: Vec<u8>,
}

impl<'a> Ours<'a> {
    pub fn new(plaintext: &'a [u8]) -> Outcome<Self> {
        let keyring = AesKeyring::new(AesKey::new(&[1; 32])?);
        let object = ObjectEncryptor::new(&keyring).encrypt(plaintext)?;
        let mut messages = Vec::new();
        for signed in [false, true] {
            for frame in FRAMES {
                messages.push(Message::new(plaintext, signed, frame)?);
            }
        }
        Ok(Self { plaintext, messages, keyring, object })
    }

    pub fn measure(
        &self,
        measure: &mut impl FnMut(Task, &mut dyn FnMut() -> Outcome<()>) -> Outcome<()>,
    ) -> Outcome<()> {
        for Message { format, encryptor, decryptor, sealed } in &self.messages {
            measure(Task::Ours(*format, Way::EncryptStream), &mut || {
                let mut message = encryptor.start(Nowhere)?;
                message.write_all(self.plaintext)?;
                message.finish()?;
                Ok(())
            })?;
            measure(Task::Ours(*format, Way::DecryptStream), &mut || {
                decryptor.start_buffered(&sealed[..])?.decrypt_into(&mut Nowhere)?;
                Ok(())
            })?;
            measure(Task::Ours(*format, Way::Encrypt), &mut || {
                black_box(encryptor.encrypt(self.plaintext)?);
                Ok(())
            })?;
            measure(Task::Ours(*format, Way::Decrypt), &mut || {
                black_box(decryptor.decrypt(sealed)?);
                Ok(())
            })?;
        }
        let (encryptor, decryptor) = (ObjectEncryptor::new(&self.keyring), ObjectDecryptor::new(&self.keyring));
        let SealedObject { metadata, body, .. } = &self.object;
        measure(Task::Ours(Format::Object, Way::EncryptStream), &mut || {
            let (mut reader, mut part) = (encryptor.start()?.into_buffered_reader(self.plaintext), vec![0; 1 << 20]);
            while reader.read(&mut part)? > 0 {
                black_box(&mut part);
            }
            Ok(())
        })?;
        measure(Task::Ours(Format::Object, Way::DecryptStream), &mut || {
            decryptor.start(metadata, None, body.len() as u64)?.decrypt_buffered_into(&body[..], &mut Nowhere)?;
            Ok(())
        })?;
        measure(Task::Ours(Format::Object, Way::Encrypt), &mut || {
            black_box(encryptor.encrypt(self.plaintext)?);
            Ok(())
        })?;
        measure(Task::Ours(Format::Object, Way::Decrypt), &mut || {
            black_box(decryptor.decrypt(metadata, None, body)?);
            Ok(())
        })
    }
}

impl Message {
    fn new(plaintext: &[u8], signed: bool, frame: u32) -> Outcome<Self> {
        let keyring = || RawAes::new("bench", "key", AesKey::new(&[1; 32])?);
        let suite = if signed { Suite::Aes256CommitP384 } else { Suite::Aes256Commit };
        let encryptor = Encryptor::new(keyring()?).suite(suite).frame_length(frame);
        let sealed = encryptor.encrypt(plaintext)?;
        Ok(Self { format: Format::Message { signed, frame }, encryptor, decryptor: Decryptor::new(keyring()?), sealed })
    }
}

/// Takes bytes as a sink does, and looks at none.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Nowhere {
    fn keep(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) {}
}
