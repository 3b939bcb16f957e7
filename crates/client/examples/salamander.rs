//! The Invisible Salamander: one ciphertext that two keys open, each to a text of its own, and why no such object of version 3 can be.
//!
//! AES-GCM's tag is a polynomial over the ciphertext. Who knows two keys can choose a ciphertext whose tag is the same under both (Dodis,
//! Grubbs, Ristenpart and Woodage, "Fast Message Franking: From Invisible Salamanders to Encryptment", 2018): whoever holds one key reads
//! one text, whoever holds the other reads the other, and both tags are right. Key commitment forbids it.
//!
//! `cargo run --release -p strongroom-client --example salamander`
#![allow(clippy::print_stdout, reason = "an example tells what it sees")]

use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};
use client::keys::AesKey;
use client::object::{AesKeyring, CommitmentPolicy, Metadata, ObjectDecryptor};
use client::{Error, Result};
use data_encoding::BASE64;

/// Bytes of each text: whole blocks of AES.
const TEXT: usize = 48;

const FOR_ALICE: &[u8; TEXT] = b"The price is 100. Signed, the manufacturer.     ";
const FOR_BOB: &[u8; TEXT] = b"The price is 900. Signed, the manufacturer.     ";

fn main() -> Result<()> {
    let (alice, bob) = (AesKey::generate()?, AesKey::generate()?);
    let data_keys = [&[1; 32], &[2; 32]]; // whoever writes the object chooses them

    println!("Version 2 of the S3 Encryption Client: two instruction files for one object.");
    let iv = [3; 12];
    let object = salamander(data_keys, iv, b"", [FOR_ALICE, FOR_BOB])?;
    let version_2 = |key: &AesKey, data_key: &[u8; 32]| {
        let (wrap_iv, wrapped) = key.seal(b"AES/GCM/NoPadding", data_key)?;
        Ok::<_, Error>(Metadata::from([
            ("x-amz-key-v2", BASE64.encode(&[&wrap_iv[..], &wrapped].concat())),
            ("x-amz-iv", BASE64.encode(&iv)),
            ("x-amz-wrap-alg", "AES/GCM".to_owned()),
            ("x-amz-cek-alg", "AES/GCM/NoPadding".to_owned()),
            ("x-amz-tag-len", "128".to_owned()),
            ("x-amz-matdesc", "{}".to_owned()),
        ]))
    };
    let reader = |key: &AesKey| {
        ObjectDecryptor::new(AesKeyring::new(key.clone())).commitment(CommitmentPolicy::ForbidEncryptAllowDecrypt)
    };
    let read = reader(&alice).decrypt(&version_2(&alice, data_keys[0])?, None, &object)?;
    assert_eq!(&read[..TEXT], FOR_ALICE);
    println!("  Alice reads: {}", String::from_utf8_lossy(&read[..TEXT]));
    let read = reader(&bob).decrypt(&version_2(&bob, data_keys[1])?, None, &object)?;
    assert_eq!(&read[TEXT..2 * TEXT], FOR_BOB);
    println!("  Bob reads:   {}", String::from_utf8_lossy(&read[TEXT..2 * TEXT]));

    println!("Version 3, the same again: the object commits to its data key.");
    let message_id = [4; 28];
    let derived =
        [derive::<32>(data_keys[0], &message_id, b"DERIVEKEY")?, derive(data_keys[1], &message_id, b"DERIVEKEY")?];
    let object = salamander([&derived[0], &derived[1]], [1; 12], &SUITE, [FOR_ALICE, FOR_BOB])?;
    let commitment: [u8; 28] = derive(data_keys[0], &message_id, b"COMMITKEY")?; // there is room for one
    let version_3 = |key: &AesKey, data_key: &[u8; 32]| {
        let (wrap_iv, wrapped) = key.seal(b"115", data_key)?;
        Ok::<_, Error>(Metadata::from([
            ("x-amz-c", "115".to_owned()),
            ("x-amz-d", BASE64.encode(&commitment)),
            ("x-amz-i", BASE64.encode(&message_id)),
            ("x-amz-w", "02".to_owned()),
            ("x-amz-3", BASE64.encode(&[&wrap_iv[..], &wrapped].concat())),
        ]))
    };
    let read = ObjectDecryptor::new(AesKeyring::new(alice.clone())).decrypt(
        &version_3(&alice, data_keys[0])?,
        None,
        &object,
    )?;
    println!("  Alice reads: {}", String::from_utf8_lossy(&read[..TEXT]));
    match ObjectDecryptor::new(AesKeyring::new(bob.clone())).decrypt(&version_3(&bob, data_keys[1])?, None, &object) {
        Err(refusal @ Error::Commitment) => println!("  Bob reads:   nothing: {refusal}"),
        other => panic!("the commitment did not hold: {other:?}"),
    }
    Ok(())
}

/// The algorithm suite 115 of version 3, as its derivation and its associated data have it.
const SUITE: [u8; 2] = [0x00, 0x73];

/// HKDF-SHA512 of the data key, salted with the message id.
fn derive<const N: usize>(data_key: &[u8], message_id: &[u8], label: &[u8]) -> Result<[u8; N]> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut key = [0; N];
    let secret = Salt::new(HKDF_SHA512, message_id).extract(data_key);
    secret.expand(&[&SUITE, label], Length(N)).and_then(|okm| okm.fill(&mut key)).map_err(|_| Error::Library)?;
    Ok(key)
}

/// A block of GHASH: an element of GF(2^128), its first bit the highest (SP 800-38D, section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Block(u128);

impl std::ops::Add for Block {
    type Output = Block;

    #[allow(clippy::suspicious_arithmetic_impl, reason = "this is how a field of characteristic 2 adds")]
    fn add(self, other: Block) -> Block {
        Block(self.0 ^ other.0)
    }
}

impl std::ops::Mul for Block {
    type Output = Block;

    fn mul(self, other: Block) -> Block {
        let (mut product, mut shifted) = (0, other.0);
        for bit in (0..128).rev() {
            if self.0 >> bit & 1 == 1 {
                product ^= shifted;
            }
            shifted = shifted >> 1 ^ if shifted & 1 == 1 { 0xe1 << 120 } else { 0 };
        }
        Block(product)
    }
}

impl Block {
    const ONE: Block = Block(1 << 127);

    fn to_the(self, mut exponent: u128) -> Block {
        let (mut power, mut square) = (Block::ONE, self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * square;
            }
            square = square * square;
            exponent >>= 1;
        }
        power
    }

    /// By Fermat: the field has 2^128 - 1 elements but zero.
    fn inverse(self) -> Block {
        self.to_the(u128::MAX - 1)
    }
}

/// AES-256-GCM with everything in the open: what the specification calls H and E(K, J0).
struct Gcm<'a> {
    key: &'a [u8; 32],
    iv: [u8; 12],
    hash_key: Block,
    mask: Block,
}

impl<'a> Gcm<'a> {
    fn new(key: &'a [u8; 32], iv: [u8; 12]) -> Result<Self> {
        let mut counter = [0; 16];
        counter[..12].copy_from_slice(&iv);
        counter[15] = 1;
        Ok(Self { key, iv, hash_key: encrypt_block(key, [0; 16])?, mask: encrypt_block(key, counter)? })
    }

    /// What GCM adds to a plaintext of so many blocks.
    fn key_stream(&self, blocks: usize) -> Result<Vec<u8>> {
        let mut stream = vec![0; 16 * blocks];
        evp::Sealing::new(self.key, &self.iv, &[])?.update(&mut stream)?;
        Ok(stream)
    }

    fn tag(&self, blocks: &[Block]) -> Block {
        blocks.iter().fold(Block(0), |hash, block| (hash + *block) * self.hash_key) + self.mask
    }
}

fn encrypt_block(key: &[u8; 32], mut block: [u8; 16]) -> Result<Block> {
    let key = UnboundCipherKey::new(&AES_256, key).and_then(EncryptingKey::ecb).map_err(|_| Error::Library)?;
    key.encrypt(&mut block).map_err(|_| Error::Library)?;
    Ok(Block(u128::from_be_bytes(block)))
}

/// A ciphertext with its tag that both keys open: to `texts[0]` and noise under the one, to noise and `texts[1]` under the other.
fn salamander(keys: [&[u8; 32]; 2], iv: [u8; 12], aad: &[u8], texts: [&[u8; TEXT]; 2]) -> Result<Vec<u8>> {
    let (first, second) = (Gcm::new(keys[0], iv)?, Gcm::new(keys[1], iv)?);
    let added = |text: &[u8], stream: &[u8]| text.iter().zip(stream).map(|(a, b)| a ^ b).collect::<Vec<u8>>();
    let mut ciphertext = added(texts[0], &first.key_stream(TEXT / 16)?);
    ciphertext.extend(added(texts[1], &second.key_stream(2 * TEXT / 16)?[TEXT..]));
    ciphertext.extend([0; 16]); // the block that is to be found

    let mut blocks: Vec<Block> = aad.chunks(16).chain(ciphertext.chunks(16)).map(padded).collect();
    let free = blocks.len() - 1;
    blocks.push(Block(((aad.len() as u128 * 8) << 64) | (ciphertext.len() as u128 * 8)));

    // The tag is linear in that block, which is multiplied by H twice: (H1² + H2²) · block = tag1 + tag2.
    let slope = first.hash_key.to_the(2) + second.hash_key.to_the(2);
    blocks[free] = (first.tag(&blocks) + second.tag(&blocks)) * slope.inverse();
    let tag = first.tag(&blocks);
    assert_eq!(tag, second.tag(&blocks), "one tag under two keys");

    let start = ciphertext.len() - 16;
    ciphertext[start..].copy_from_slice(&blocks[free].0.to_be_bytes());
    ciphertext.extend(tag.0.to_be_bytes());
    Ok(ciphertext)
}

fn padded(bytes: &[u8]) -> Block {
    let mut block = [0; 16];
    block[..bytes.len()].copy_from_slice(bytes);
    Block(u128::from_be_bytes(block))
}
