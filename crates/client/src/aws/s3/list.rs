//! Listings.

use super::super::error::AwsError;
use super::super::http::Sent;
use super::S3Client;
use super::address::KEY;
use super::object::LENGTH;
use super::xml::Element;
use http::{HeaderMap, Method};

/// Longest page, in bytes: a thousand objects, each with a name of 1,024 bytes in percent encoding, and some hundred bytes of markup.
const PAGE: usize = 8 << 20;

/// Pages in a row that may have nothing and yet go on: S3 sends such over many deleted versions. More are a listing that does not advance.
const EMPTY_PAGES: u32 = 1_000;

/// What is listed.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    prefix: String,
    delimiter: String,
    start_after: String,
    page: Option<u32>,
}

impl ListOptions {
    /// All of a bucket.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What begins so.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// What has this behind the prefix is not listed, but the beginnings up to there are: `/` makes folders.
    #[must_use]
    pub fn delimiter(self, delimiter: impl Into<String>) -> Self {
        Self { delimiter: delimiter.into(), ..self }
    }

    /// What follows this name.
    #[must_use]
    pub fn start_after(self, key: impl Into<String>) -> Self {
        Self { start_after: key.into(), ..self }
    }

    /// How many a page has, at most: 1,000 unless set.
    #[must_use]
    pub fn page(self, objects: u32) -> Self {
        Self { page: Some(objects), ..self }
    }
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, in the order of their names' bytes.
    pub objects: Vec<Listed>,
    /// The beginnings of names, up to the delimiter and with it.
    pub prefixes: Vec<String>,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub key: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its ETag, in quotation marks.
    pub etag: String,
    /// When it was stored, in ISO 8601.
    pub last_modified: String,
}

/// The pages of a listing, fetched as they are asked for. After an error there is none. Each has names behind those of the one before: so a
/// listing advances, or ends in an error. How many there are is up to the service: whoever collects them needs a limit of their
/// own.
pub struct Pages<'a> {
    client: &'a S3Client,
    bucket: String,
    options: ListOptions,
    next: Next,
    /// The last name that came, and pages without any since.
    last: Option<String>,
    empty: u32,
}

enum Next {
    First,
    After(String),
    Nothing,
}

impl S3Client {
    /// `ListObjectsV2`, page by page.
    ///
    /// ```no_run
    /// # let s3 = client::aws::S3Client::new(&client::aws::Config::from_env()?)?;
    /// use client::aws::ListOptions;
    ///
    /// for page in s3.list("bucket", ListOptions::new().prefix("photos/").delimiter("/")) {
    ///     for object in page?.objects {
    ///         println!("{} {}", object.length, object.key);
    ///     }
    /// }
    /// # Ok::<(), client::aws::AwsError>(())
    /// ```
    pub fn list(&self, bucket: &str, options: ListOptions) -> Pages<'_> {
        Pages { client: self, bucket: bucket.to_owned(), options, next: Next::First, last: None, empty: 0 }
    }
}

impl Pages<'_> {
    fn fetch(&mut self) -> Result<Page, AwsError> {
        let operation = "ListObjectsV2";
        let ListOptions { prefix, delimiter, start_after, page } = &self.options;
        let after = match &self.next {
            Next::After(token) => token.as_str(),
            _ => "",
        };
        let size = page.map(|size| size.to_string()).unwrap_or_default();
        // In names there may be what XML cannot say.
        let mut query = vec![("encoding-type", "url"), ("list-type", "2")];
        let others = [
            ("prefix", &**prefix),
            ("delimiter", delimiter),
            ("start-after", start_after),
            ("max-keys", &size),
            ("continuation-token", after),
        ];
        query.extend(others.into_iter().filter(|(_, value)| !value.is_empty()));
        let call = self.client.call(operation, Method::GET, &self.bucket, None, &query, HeaderMap::new())?;
        let root = self.client.ask_xml(&call, || Sent::Nothing, "ListBucketResult", PAGE)?;
        let encoded = root.get("EncodingType") == Some("url");
        let wrong = || AwsError::answer(operation, "a listing without what belongs to it");
        let name = |element: &Element, member: &str| {
            let text = element.verbatim(member).filter(|text| !text.is_empty()).ok_or_else(wrong)?;
            let name = if encoded { decoded(text).ok_or_else(wrong)? } else { text.to_owned() };
            if name.len() > KEY {
                return Err(AwsError::answer(operation, format!("a name of {} bytes", name.len())));
            }
            Ok(name)
        };
        let listed = |element: &Element| {
            Ok(Listed {
                key: name(element, "Key")?,
                length: (element.get("Size").and_then(|size| size.parse().ok()))
                    .filter(|length| *length <= LENGTH)
                    .ok_or_else(wrong)?,
                etag: element.get("ETag").unwrap_or_default().to_owned(),
                last_modified: element.get("LastModified").unwrap_or_default().to_owned(),
            })
        };
        let page = Page {
            objects: root.all("Contents").map(listed).collect::<Result<_, AwsError>>()?,
            prefixes: root.all("CommonPrefixes").map(|element| name(element, "Prefix")).collect::<Result<_, _>>()?,
        };
        let names = || page.objects.iter().map(|object| &object.key).chain(&page.prefixes);
        if names().min().is_some_and(|first| self.last.as_ref().is_some_and(|last| first <= last)) {
            return Err(AwsError::answer(operation, "it goes back"));
        }
        match names().max() {
            Some(last) => (self.last, self.empty) = (Some(last.clone()), 0),
            None if self.empty == EMPTY_PAGES => return Err(AwsError::answer(operation, "it does not advance")),
            None => self.empty += 1,
        }
        self.next = match root.get("NextContinuationToken").filter(|token| !token.is_empty()) {
            Some(token) if token == after => return Err(AwsError::answer(operation, "it goes round in circles")),
            Some(token) if root.get("IsTruncated") == Some("true") => Next::After(token.to_owned()),
            None if root.get("IsTruncated") == Some("true") => return Err(wrong()),
            _ => Next::Nothing,
        };
        Ok(page)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, AwsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.next, Next::Nothing) {
            return None;
        }
        let page = self.fetch();
        if page.is_err() {
            self.next = Next::Nothing;
        }
        Some(page)
    }
}

/// `encoding-type=url`: percent encoding, and `+` for a space.
fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    String::from_utf8(sigv4::percent_decode(&text).into_owned()).ok()
}
