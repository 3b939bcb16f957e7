//! A bucket in memory, as far as the encryption client needs one.

use crate::server::{Asked, Reply, Server, answer};
use sigv4::{percent_decode, query_pairs};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) etag: String,
}

#[derive(Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Stored>,
    /// Uploads that are neither completed nor aborted: name, metadata, parts.
    pub(crate) uploads: BTreeMap<String, (Stored, BTreeMap<u32, Vec<u8>>)>,
    count: u64,
}

/// What goes wrong: asked before each answer, which it may replace.
type Fault = Box<dyn Fn(&Asked, &mut Bucket) -> Option<Reply> + Send + Sync>;

pub(crate) struct Store {
    pub(crate) server: Server,
    bucket: Arc<Mutex<Bucket>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self::failing(|_, _| None)
    }

    pub(crate) fn failing(fault: impl Fn(&Asked, &mut Bucket) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let bucket = Arc::new(Mutex::new(Bucket::default()));
        let (shared, fault): (_, Fault) = (Arc::clone(&bucket), Box::new(fault));
        let server = Server::by(move |asked| {
            let mut bucket = shared.lock().unwrap();
            match fault(asked, &mut bucket) {
                Some(reply) => reply,
                None => Reply::Say(bucket.answer(asked)),
            }
        });
        Self { server, bucket }
    }

    pub(crate) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap()
    }
}

impl Bucket {
    pub(crate) fn put(&mut self, key: &str, body: Vec<u8>, metadata: BTreeMap<String, String>) -> String {
        self.count += 1;
        let etag = format!("\"{}\"", self.count);
        self.objects.insert(key.to_owned(), Stored { metadata, body, etag: etag.clone() });
        etag
    }

    pub(crate) fn answer(&mut self, asked: &Asked) -> Vec<u8> {
        let path = String::from_utf8(percent_decode(&asked.path).into_owned()).unwrap();
        let key = path.strip_prefix("/bucket/").unwrap();
        let query: BTreeMap<String, String> = query_pairs(&asked.query)
            .map(|(name, value)| (String::from_utf8_lossy(&name).into(), String::from_utf8_lossy(&value).into()))
            .collect();
        let metadata = asked.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().strip_prefix("x-amz-meta-")?.to_owned(), value.to_str().unwrap().to_owned()))
        });
        let metadata: BTreeMap<_, _> = metadata.collect();
        let there = self.objects.get(key).map(|object| object.etag.clone());
        let fits = match (asked.header("if-match"), asked.header("if-none-match")) {
            ("", "") => true,
            ("", _) => there.is_none(),
            (etag, _) => there.as_deref() == Some(etag),
        };
        if !fits {
            return refusal("412 Precondition Failed", "PreconditionFailed");
        }
        let upload = query.get("uploadId");
        match (&*asked.method, upload) {
            ("HEAD" | "GET", _) => self.read(key, asked),
            ("PUT", Some(upload)) => {
                let part = query["partNumber"].parse().unwrap();
                let Some((_, parts)) = self.uploads.get_mut(upload) else {
                    return refusal("404 Not Found", "NoSuchUpload");
                };
                parts.insert(part, asked.body.clone());
                answer("200 OK", &[("etag", &format!("\"part {part}\""))], b"")
            }
            ("PUT", None) => {
                let etag = self.put(key, asked.body.clone(), metadata);
                answer("200 OK", &[("etag", &etag)], b"")
            }
            ("POST", None) => {
                self.count += 1;
                let upload = format!("upload {}", self.count);
                self.uploads.insert(upload.clone(), (Stored { metadata, ..Stored::default() }, BTreeMap::new()));
                let body = format!(
                    "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
                );
                answer("200 OK", &[], body.as_bytes())
            }
            ("POST", Some(upload)) => self.complete(key, upload, asked),
            ("DELETE", Some(upload)) => {
                self.uploads.remove(upload);
                answer("204 No Content", &[], b"")
            }
            ("DELETE", None) => {
                self.objects.remove(key);
                answer("204 No Content", &[], b"")
            }
            other => panic!("{other:?}"),
        }
    }

    fn complete(&mut self, key: &str, upload: &str, asked: &Asked) -> Vec<u8> {
        let Some((stored, parts)) = self.uploads.remove(upload) else {
            return refusal("404 Not Found", "NoSuchUpload");
        };
        let body: Vec<u8> = parts.into_values().flatten().collect();
        assert_eq!(asked.header("x-amz-mp-object-size"), body.len().to_string());
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &body);
        assert_eq!(asked.header("x-amz-checksum-crc64nvme"), data_encoding::BASE64.encode(&crc.to_be_bytes()));
        let etag = self.put(key, body, stored.metadata);
        let etag = etag.replace('"', "&quot;");
        let body = format!("<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>");
        answer("200 OK", &[], body.as_bytes())
    }

    fn read(&self, key: &str, asked: &Asked) -> Vec<u8> {
        let Some(object) = self.objects.get(key) else { return refusal("404 Not Found", "NoSuchKey") };
        let metadata: Vec<_> =
            object.metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value.as_str())).collect();
        let mut headers: Vec<_> = metadata.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        headers.push(("etag", &object.etag));
        let length = object.body.len();
        if asked.method == "HEAD" {
            let whole = answer("200 OK", &headers, &object.body);
            return whole[..whole.len() - length].to_vec();
        }
        let Some(range) = asked.header("range").strip_prefix("bytes=") else {
            return answer("200 OK", &headers, &object.body);
        };
        let (first, last) = range.split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        if first >= length {
            return refusal("416 Range Not Satisfiable", "InvalidRange");
        }
        let last = last.min(length - 1);
        let range = format!("bytes {first}-{last}/{length}");
        headers.push(("content-range", &range));
        answer("206 Partial Content", &headers, &object.body[first..=last])
    }
}

pub(crate) fn refusal(status: &str, code: &str) -> Vec<u8> {
    answer(status, &[], format!("<Error><Code>{code}</Code><Message>why</Message></Error>").as_bytes())
}
