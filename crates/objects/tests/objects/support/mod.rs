//! A whole domain over maps and a temporary directory, and the words that the tests share.

pub mod uploads;

use blob::local::{LocalBlobs, Options};
use bytes::Bytes;
use keys::operation::lifecycle::CreateKeyRequest;
use keys::{AccountId, KeyFile, Keys, Principal, Region};
use meta::memory::Memory;
use meta::{Store, Table, Transaction};
use objects::{
    BlockedTypes, Body, BodyError, Bucket, BucketName, CustomerKey, Dependencies, EncryptionRequest, Error, GetObject,
    ObjectName, ObjectReader, Objects, PublicAccessBlock, PutObject, Settings, Stored, Window, system_clock,
};
use seal::EncryptionContext;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub const INLINE: usize = 64 * 1024;
pub const MIB: usize = 1 << 20;

pub struct World {
    pub objects: Arc<Objects>,
    pub store: Arc<dyn Store>,
    pub keys: Arc<Keys>,
    pub principal: Principal,
    pub bucket: Arc<Bucket>,
    pub key_arn: String,
    directory: TempDir,
}

/// Every way to encrypt, with or without what changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    SseS3,
    SseKms,
    SseKmsContext,
    BucketKey,
    Managed,
    Dsse,
    Customer,
    OtherCustomer,
}

pub const WAYS: [Way; 8] = [
    Way::SseS3,
    Way::SseKms,
    Way::SseKmsContext,
    Way::BucketKey,
    Way::Managed,
    Way::Dsse,
    Way::Customer,
    Way::OtherCustomer,
];

impl World {
    pub async fn delete(&self, name: &str) {
        self.objects.delete_object(&self.principal, &self.bucket, &object(name), &Default::default()).await.unwrap();
    }

    /// Deletes a row.
    pub async fn remove(&self, table: Table, key: &[u8]) {
        self.store.commit(Transaction::new().delete(table, key)).await.unwrap();
    }
}

impl World {
    pub async fn new() -> World {
        World::over(Arc::new(Memory::new())).await
    }

    pub async fn over(store: Arc<dyn Store>) -> World {
        let directory = TempDir::new().unwrap();
        let root = KeyFile::create(&directory.path().join("root")).unwrap();
        let region = Region::parse("eu-central-1").unwrap();
        let settings = keys::Settings { region: region.clone(), other_regions: vec![], clock: system_clock() };
        let keys = Keys::open(Arc::clone(&store), Arc::new(root), settings).await.unwrap();
        let blobs = LocalBlobs::open(&directory.path().join("blobs"), &Options::default()).unwrap();
        let dependencies = Dependencies { store: Arc::clone(&store), blobs: Arc::new(blobs), keys: Arc::clone(&keys) };
        let settings = Settings {
            inline_limit: INLINE,
            blocked_by_default: BlockedTypes { customer: false },
            public_access_by_default: Some(PublicAccessBlock::ALL),
            region,
            clock: system_clock(),
        };
        let objects = Objects::open(dependencies, settings).unwrap();
        let principal = principal("111122223333");
        let bucket = objects.create_bucket(&principal, &BucketName::parse("first-bucket").unwrap()).await.unwrap();
        let key_arn = create_key(&keys, &principal).await;
        World { objects, store, keys, principal, bucket, key_arn, directory }
    }

    /// The same store, opened anew: nothing is warm.
    pub async fn reopened(self) -> World {
        let root = KeyFile::load(&self.directory.path().join("root")).unwrap();
        let region = Region::parse("eu-central-1").unwrap();
        let settings = keys::Settings { region, other_regions: vec![], clock: system_clock() };
        let keys = Keys::open(Arc::clone(&self.store), Arc::new(root), settings).await.unwrap();
        let blobs = LocalBlobs::open(&self.directory.path().join("blobs"), &Options::default()).unwrap();
        let dependencies =
            Dependencies { store: Arc::clone(&self.store), blobs: Arc::new(blobs), keys: Arc::clone(&keys) };
        let old = self.objects.settings();
        let settings = Settings {
            inline_limit: old.inline_limit,
            blocked_by_default: old.blocked_by_default,
            public_access_by_default: old.public_access_by_default,
            region: old.region.clone(),
            clock: system_clock(),
        };
        let objects = Objects::open(dependencies, settings).unwrap();
        World { objects, keys, ..self }
    }

    pub fn encryption(&self, way: Way) -> EncryptionRequest {
        let kms = |key: Option<String>, context: Option<EncryptionContext>, bucket_key: bool| {
            EncryptionRequest::SseKms { key, context, bucket_key: Some(bucket_key) }
        };
        match way {
            Way::SseS3 => EncryptionRequest::SseS3,
            Way::SseKms => kms(Some(self.key_arn.clone()), None, false),
            Way::SseKmsContext => kms(Some(self.key_arn.clone()), Some(context()), false),
            Way::BucketKey => kms(Some(self.key_arn.clone()), None, true),
            Way::Managed => kms(None, None, false),
            Way::Dsse => EncryptionRequest::DsseKms { key: Some(self.key_arn.clone()), context: Some(context()) },
            Way::Customer | Way::OtherCustomer => EncryptionRequest::Customer(way.customer_key().unwrap()),
        }
    }

    pub async fn put(&self, name: &str, way: Way, data: &[u8]) -> Result<Stored, Error> {
        let request =
            PutObject { encryption: self.encryption(way), length: Some(data.len() as u64), ..PutObject::default() };
        self.put_as(name, request, data).await
    }

    pub async fn put_as(&self, name: &str, request: PutObject, data: &[u8]) -> Result<Stored, Error> {
        let mut body = Chunks::of(data, 50_000);
        self.objects.put_object(&self.principal, &self.bucket, &object(name), request, &mut body).await
    }

    pub async fn open(&self, name: &str, way: Way, window: Window) -> Result<ObjectReader, Error> {
        let request = GetObject { customer_key: way.customer_key(), window, ..GetObject::default() };
        self.objects.open_object(&self.principal, &self.bucket, &object(name), request).await
    }

    pub async fn get(&self, name: &str, way: Way, window: Window) -> Result<Vec<u8>, Error> {
        drain(self.open(name, way, window).await?).await
    }

    /// The row of an object: its value and body.
    pub async fn row(&self, name: &str) -> meta::Record {
        self.store.record(Table::Object, &self.row_key(name)).await.unwrap().unwrap()
    }

    pub fn row_key(&self, name: &str) -> Vec<u8> {
        [&self.bucket.id[..], name.as_bytes()].concat()
    }

    pub async fn set_row(&self, name: &str, record: meta::Record) {
        let write = meta::Write::Put {
            table: Table::Object,
            key: self.row_key(name).into(),
            value: record.value,
            body: record.body,
        };
        self.store.commit(Transaction { expects: Vec::new(), writes: vec![write], shred: false }).await.unwrap();
    }

    /// The files of all blobs.
    pub fn blob_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.directory.path().join("blobs"), &mut files);
        files
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Way {
    pub fn customer_key(self) -> Option<CustomerKey> {
        use md5::Digest as _;
        let secret = match self {
            Way::Customer => [7; 32],
            Way::OtherCustomer => [8; 32],
            _ => return None,
        };
        Some(CustomerKey::new(&secret, &md5::Md5::digest(secret)).unwrap())
    }
}

pub fn principal(account: &str) -> Principal {
    Principal::root(AccountId::parse(account).unwrap(), "AKIDEXAMPLE")
}

pub async fn create_key(keys: &Keys, principal: &Principal) -> String {
    keys.create_key(principal, CreateKeyRequest::default()).await.unwrap().key_metadata.arn
}

pub fn object(name: &str) -> ObjectName {
    ObjectName::parse(name).unwrap()
}

fn context() -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("department", "10103.0").unwrap();
    context
}

/// Bytes that differ at every offset that matters.
pub fn data(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap()).collect()
}

pub async fn drain(mut reader: ObjectReader) -> Result<Vec<u8>, Error> {
    let expected = reader.content_length();
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await? {
        assert!(!piece.is_empty() && piece.len() <= 65_536);
        all.extend_from_slice(&piece);
    }
    assert_eq!(all.len() as u64, expected);
    Ok(all)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// A body in chunks of one size.
pub struct Chunks {
    rest: Bytes,
    size: usize,
    pub trailer: Option<(objects::Algorithm, String)>,
}

impl Chunks {
    pub fn of(data: &[u8], size: usize) -> Chunks {
        Chunks { rest: Bytes::copy_from_slice(data), size, trailer: None }
    }
}

#[async_trait::async_trait]
impl Body for Chunks {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let size = self.size.min(self.rest.len());
        Ok(Some(self.rest.split_to(size)).filter(|chunk| !chunk.is_empty()))
    }

    fn trailing_checksum(&self) -> Option<(objects::Algorithm, String)> {
        self.trailer.clone()
    }
}
