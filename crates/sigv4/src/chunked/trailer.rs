use http::HeaderMap;

use crate::Error;

/// The most trailers: S3 has five checksum algorithms, and takes one.
pub const MAX_TRAILERS: usize = 8;

/// The longest trailer section, in bytes with its line ends.
pub const MAX_TRAILER_BYTES: usize = 4096;

/// The trailer that signs the others.
pub(crate) const SIGNATURE_TRAILER: &str = "x-amz-trailer-signature";

/// What every trailer that S3 knows begins with.
const CHECKSUM_PREFIX: &str = "x-amz-checksum-";

/// A trailer: lower-case name and trimmed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// Lower case.
    pub name: String,
    /// Without surrounding spaces.
    pub value: String,
}

impl Trailer {
    /// Parses `name:value`, without its line end.
    pub(crate) fn parse(line: &[u8]) -> Option<Trailer> {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let (name, value) = (name.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let well_formed =
            !name.is_empty() && name.bytes().all(token) && !value.bytes().any(|byte| byte.is_ascii_control());
        well_formed.then(|| Trailer { name, value: value.to_owned() })
    }
}

/// The names that `x-amz-trailer` announces: lower case, sorted.
#[derive(Debug, Default)]
pub(crate) struct Announced(Vec<String>);

impl Announced {
    /// Reads the header `x-amz-trailer`; without it, nothing is announced.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Announced, Error> {
        let mut names = Vec::new();
        for value in headers.get_all("x-amz-trailer") {
            let value = value.to_str().map_err(|_| Error::InvalidTrailerAnnouncement)?;
            for name in value.split(',') {
                let name = name.trim_ascii().to_ascii_lowercase();
                if !name.starts_with(CHECKSUM_PREFIX) || names.contains(&name) || names.len() == MAX_TRAILERS {
                    return Err(Error::InvalidTrailerAnnouncement);
                }
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(Announced(names))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether exactly what was announced has come.
    pub(crate) fn check(&self, trailers: &[Trailer]) -> Result<(), Error> {
        if trailers.is_empty() && !self.0.is_empty() {
            return Err(Error::IncompleteBody);
        }
        let mut names: Vec<_> = trailers.iter().map(|trailer| trailer.name.as_str()).collect();
        names.sort_unstable();
        if names.iter().eq(self.0.iter()) { Ok(()) } else { Err(Error::MalformedTrailer) }
    }
}
