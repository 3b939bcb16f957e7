//! Uploads in parts.

use super::super::error::AwsError;
use super::super::http::header;
use super::S3Client;
use super::checksum;
use super::object::Stored;
use super::options::{PutOptions, Signing, Upload};
use super::xml;
use http::{HeaderMap, HeaderValue, Method};
use std::fmt::Write;

/// An upload in parts that has begun. It takes room, and is paid for, until it is completed or aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartUpload {
    /// Where the object will be.
    pub bucket: String,
    /// What it will be called.
    pub key: String,
    /// By which the service knows the upload.
    pub upload_id: String,
}

/// A part that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 1 to 10,000. The object is the parts in the order of their numbers.
    pub number: u32,
    /// Its ETag, in quotation marks.
    pub etag: String,
}

impl S3Client {
    /// `CreateMultipartUpload`. What the options say of an object that is there already counts when the upload is completed.
    ///
    /// # Errors
    /// [`AwsError::Service`].
    pub fn create_multipart(&self, bucket: &str, key: &str, options: &PutOptions) -> Result<PartUpload, AwsError> {
        let operation = "CreateMultipartUpload";
        let mut headers = options.described()?;
        if self.checksums {
            headers.insert("x-amz-checksum-algorithm", HeaderValue::from_static("CRC64NVME"));
            headers.insert("x-amz-checksum-type", HeaderValue::from_static("FULL_OBJECT"));
        }
        let call = self.call(operation, Method::POST, bucket, Some(key), &[("uploads", "")], headers)?;
        let (root, _) = self.ask_slowly(&call, b"", "InitiateMultipartUploadResult")?;
        let upload_id = root.get("UploadId").filter(|id| !id.is_empty());
        let upload_id = upload_id.ok_or_else(|| AwsError::answer(operation, "no upload id"))?.to_owned();
        Ok(PartUpload { bucket: bucket.to_owned(), key: key.to_owned(), upload_id })
    }

    /// `UploadPart`: 5 MiB to 5 GiB, the last one of any length. A part of the same number is replaced.
    ///
    /// # Errors
    /// As [`S3Client::put`].
    pub fn upload_part(&self, upload: &PartUpload, number: u32, body: Upload<'_>) -> Result<Part, AwsError> {
        let query = [("partNumber", &*number.to_string()), ("uploadId", &upload.upload_id)];
        let call = self.call("UploadPart", Method::PUT, &upload.bucket, Some(&upload.key), &query, HeaderMap::new())?;
        let stored = Stored::of(&self.upload(call, body, Signing::Auto)?)?;
        Ok(Part { number, etag: stored.etag })
    }

    /// `CompleteMultipartUpload`: only now is there an object. `whole` are its length and CRC-64/NVME (base64) where they are known, and
    /// then checked by the service; of the options, only what they say of an object that is there already counts.
    ///
    /// # Errors
    /// [`AwsError::Service`]: also if a former try was completed and its answer was lost, `NoSuchUpload`.
    pub fn complete_multipart(
        &self,
        upload: &PartUpload,
        parts: &[Part],
        whole: Option<(u64, &str)>,
        options: &PutOptions,
    ) -> Result<Stored, AwsError> {
        let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for Part { number, etag } in parts {
            body.push_str("<Part><ETag>");
            xml::escape(&mut body, etag);
            // Writing to a string cannot fail.
            let _ = write!(body, "</ETag><PartNumber>{number}</PartNumber></Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let mut headers = options.conditions()?;
        if let Some((length, crc)) = whole.filter(|_| self.checksums) {
            headers.insert(checksum::SENT, header(crc)?);
            headers.insert("x-amz-checksum-type", HeaderValue::from_static("FULL_OBJECT"));
            headers.insert("x-amz-mp-object-size", length.into());
        }
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        let query = [("uploadId", &*upload.upload_id)];
        let call =
            self.call("CompleteMultipartUpload", Method::POST, &upload.bucket, Some(&upload.key), &query, headers)?;
        let (root, answer) = self.ask_slowly(&call, body.as_bytes(), "CompleteMultipartUploadResult")?;
        Stored::with(&answer, root.get("ETag"))
    }

    /// `AbortMultipartUpload`: what was stored of it is deleted. That it is not there any more is no error.
    ///
    /// # Errors
    /// [`AwsError::Service`].
    pub fn abort_multipart(&self, upload: &PartUpload) -> Result<(), AwsError> {
        let query = [("uploadId", &*upload.upload_id)];
        let (bucket, key) = (&upload.bucket, Some(&*upload.key));
        let call = self.call("AbortMultipartUpload", Method::DELETE, bucket, key, &query, HeaderMap::new())?;
        match self.ask(&call, || super::Sent::Nothing) {
            Err(error) if error.is_code("NoSuchUpload") => Ok(()),
            answer => answer.map(drop),
        }
    }
}
