//! Multipart uploads in few words.

use super::{Chunks, Way, World, object};
use objects::{
    CompleteUpload, CompletedPart, CopyPart, CopySource, CreateUpload, ETagMatch, Error, PartNumber, ReadConditions,
    Stored, StoredPart, UploadId, UploadPart,
};
use std::sync::Arc;

pub fn number(number: u16) -> PartNumber {
    PartNumber::new(u64::from(number)).unwrap()
}

pub fn named(part: u16, stored: &StoredPart) -> CompletedPart {
    CompletedPart { number: number(part), etag: ETagMatch::Of(vec![stored.etag.to_string()]), checksum: None }
}

impl World {
    pub async fn create(&self, name: &str, way: Way) -> UploadId {
        let request = CreateUpload { encryption: self.encryption(way), ..CreateUpload::default() };
        self.create_as(name, request).await.unwrap()
    }

    pub async fn create_as(&self, name: &str, request: CreateUpload) -> Result<UploadId, Error> {
        let created = self.objects.create_upload(&self.principal, &self.bucket, &object(name), request).await?;
        Ok(created.id)
    }

    pub async fn part(
        &self,
        name: &str,
        upload: &UploadId,
        way: Way,
        part: u16,
        data: &[u8],
    ) -> Result<StoredPart, Error> {
        let request =
            UploadPart { customer_key: way.customer_key(), length: Some(data.len() as u64), ..UploadPart::default() };
        self.part_as(name, upload, part, request, data).await
    }

    pub async fn part_as(
        &self,
        name: &str,
        upload: &UploadId,
        part: u16,
        request: UploadPart,
        data: &[u8],
    ) -> Result<StoredPart, Error> {
        let mut body = Chunks::of(data, 100_000);
        let (principal, bucket) = (&self.principal, &self.bucket);
        self.objects.upload_part(principal, bucket, &object(name), upload, number(part), request, &mut body).await
    }

    #[allow(clippy::too_many_arguments, reason = "both ends of a copy")]
    pub async fn part_copy(
        &self,
        name: &str,
        upload: &UploadId,
        way: Way,
        part: u16,
        source: &str,
        from: Way,
        range: Option<(u64, u64)>,
    ) -> Result<StoredPart, Error> {
        let source = CopySource {
            seen: None,
            bucket: Arc::clone(&self.bucket),
            name: object(source),
            customer_key: from.customer_key(),
            conditions: ReadConditions::default(),
        };
        let request = CopyPart { source, range, customer_key: way.customer_key() };
        let (principal, bucket) = (&self.principal, &self.bucket);
        self.objects.upload_part_copy(principal, bucket, &object(name), upload, number(part), request).await
    }

    pub async fn complete(&self, name: &str, upload: &UploadId, parts: Vec<CompletedPart>) -> Result<Stored, Error> {
        let request = CompleteUpload { parts, ..CompleteUpload::default() };
        self.complete_as(name, upload, request).await
    }

    pub async fn complete_as(&self, name: &str, upload: &UploadId, request: CompleteUpload) -> Result<Stored, Error> {
        self.objects.complete_upload(&self.principal, &self.bucket, &object(name), upload, request).await
    }

    pub async fn abort(&self, name: &str, upload: &UploadId) -> Result<(), Error> {
        self.objects.abort_upload(&self.principal, &self.bucket, &object(name), upload).await
    }

    /// An object of parts, made by a multipart upload.
    pub async fn multipart(&self, name: &str, way: Way, parts: &[(u16, &[u8])]) -> Stored {
        let upload = self.create(name, way).await;
        let mut list = Vec::new();
        for (number, data) in parts {
            list.push(named(*number, &self.part(name, &upload, way, *number, data).await.unwrap()));
        }
        self.complete(name, &upload, list).await.unwrap()
    }
}
