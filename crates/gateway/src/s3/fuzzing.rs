//! Ways in for the fuzz targets `s3_xml` and `s3_headers`; compiled for them alone.

use super::operation::{OPERATIONS, State};
use super::xml::{Writer, request};
use super::{date, headers, route};
use crate::query::Query;
use http::HeaderMap;

/// Reads `bytes` as each document that S3 takes; what can be written must read back.
pub fn documents(bytes: &[u8]) {
    let _ = request::complete(bytes);
    let _ = request::encryption(bytes);
    let _ = request::bucket_configuration(bytes);
    let _ = request::access_policy(bytes);
    if let Ok(delete) = request::delete(bytes) {
        let again = Writer::document("Delete", |xml| {
            for target in &delete.objects {
                xml.element("Object", |xml| {
                    xml.text("Key", &target.key);
                    xml.optional("VersionId", target.version.as_deref());
                    xml.optional("ETag", target.etag.as_deref());
                    xml.optional("LastModifiedTime", target.modified.as_deref());
                    if let Some(size) = target.size {
                        xml.value("Size", size);
                    }
                });
            }
            xml.value("Quiet", delete.quiet);
        });
        assert_eq!(request::delete(again.as_bytes()), Ok(delete));
    }
}

/// Parses a head as every operation would.
pub fn heads(method: &str, path: &str, raw_query: &str, headers: &mut HeaderMap, secure: bool) {
    let Ok(query) = Query::parse(raw_query) else { return };
    let _ = headers::unhoist(query.iter(), headers);
    if let Some(scope) = route::Names::parse(path, None).and_then(|names| names.scope()) {
        let _ = route::resolve(&route::Target { method, scope, query: &query, headers });
    }
    for row in OPERATIONS.iter().filter(|row| row.state == State::Built) {
        let _ = headers::refuse_unbuilt(row.operation, headers);
        let _ = headers::refuse_permitted(row.operation, headers);
    }
    let _ = headers::requested(headers, secure);
    let _ = headers::copy_source_customer_key(headers, secure);
    let _ = headers::claim(headers);
    let _ = headers::object_checksum(headers);
    let _ = headers::upload_algorithm(headers);
    let _ = headers::content_md5(headers);
    let _ = headers::read_conditions(headers);
    let _ = headers::copy_source_conditions(headers);
    let _ = headers::write_condition(headers);
    let _ = headers::delete_condition(headers);
    let _ = super::copy::parse_source(path);
    let _ = super::part::copy_range(path);
    let _ = super::listing::open_token(path);
    let _ = date::parse(path);
    if let Ok(metadata) = headers::parse_metadata(headers) {
        headers::set_metadata(&mut HeaderMap::new(), &metadata);
    }
}
