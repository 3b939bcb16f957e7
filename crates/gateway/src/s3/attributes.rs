//! GetObjectAttributes.

use super::call::{Call, xml};
use super::copy::{checksum_element, checksum_elements};
use super::date;
use super::error::S3Error;
use super::headers;
use super::xml::Writer;
use crate::response::Response;
use http::header;
use objects::{ObjectAttributes, PartAttributes};

/// What `x-amz-object-attributes` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    ETag,
    Checksum,
    ObjectParts,
    StorageClass,
    ObjectSize,
}

/// Which parts to tell.
#[derive(Debug, Clone, Copy)]
struct PartWindow {
    after: u64,
    max: u64,
}

pub(crate) async fn get_object_attributes(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let sent = call.headers();
    headers::refuse_on_read(sent)?;
    let wanted = wanted(call)?;
    let window = PartWindow {
        after: headers::number(sent, "x-amz-part-number-marker")?.unwrap_or(0),
        max: headers::number(sent, "x-amz-max-parts")?.unwrap_or(PART_PAGE).min(PART_PAGE),
    };
    let customer_key = headers::customer_key(sent, call.request.secure)?;
    let bucket = call.authorized_object(call.by_version("s3:GetObject", "s3:GetObjectVersion")).await?;
    let attributes = call.by_version("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes");
    let told = call.permit_object(bucket.bucket(), attributes).await?;
    call.current_version()?;
    let name = call.object_name()?;
    let seen = bucket.seen().or(told.seen());
    let attributes = call.app.objects.object_attributes(bucket.principal(), &bucket, name, customer_key, seen).await;
    let attributes = match attributes {
        Ok(attributes) => attributes,
        Err(error) => return Err(call.missing(bucket.bucket(), call.object_name()?, error).await),
    };
    let mut response = xml(document(&attributes, &wanted, window));
    response.set(header::LAST_MODIFIED, date::http(attributes.info.modified));
    Ok(response)
}

fn document(attributes: &ObjectAttributes, wanted: &[Attribute], window: PartWindow) -> String {
    let info = &attributes.info;
    let wants = |attribute| wanted.contains(&attribute);
    Writer::document("GetObjectAttributesResponse", |xml| {
        if wants(Attribute::ETag) {
            xml.text("ETag", &info.etag.to_string());
        }
        if let Some(checksum) = info.checksum.as_ref().filter(|_| wants(Attribute::Checksum)) {
            xml.element("Checksum", |xml| checksum_elements(xml, checksum));
        }
        if wants(Attribute::ObjectParts) && info.parts.is_some() {
            xml.element("ObjectParts", |xml| parts(xml, &attributes.parts, window));
        }
        if wants(Attribute::StorageClass) {
            xml.text("StorageClass", "STANDARD");
        }
        if wants(Attribute::ObjectSize) {
            xml.value("ObjectSize", info.size);
        }
    })
}

/// AWS tells the parts one by one if they have checksums, and their number in any case.
fn parts(xml: &mut Writer, all: &[PartAttributes], window: PartWindow) {
    xml.value("PartsCount", all.len());
    if all.iter().all(|part| part.checksum.is_none()) {
        return;
    }
    let mut rest = all.iter().filter(|part| u64::from(part.number) > window.after);
    let page: Vec<&PartAttributes> = rest.by_ref().take(usize::try_from(window.max).unwrap_or(usize::MAX)).collect();
    let truncated = rest.next().is_some();
    xml.value("PartNumberMarker", window.after);
    if let Some(last) = page.last() {
        xml.value("NextPartNumberMarker", last.number);
    }
    xml.value("MaxParts", window.max);
    xml.value("IsTruncated", truncated);
    for part in page {
        xml.element("Part", |xml| {
            xml.value("PartNumber", part.number);
            xml.value("Size", part.size);
            if let Some(value) = &part.checksum {
                xml.text(checksum_element(value.algorithm()), &value.to_string());
            }
        });
    }
}

/// The header may come several times and may list several names.
fn wanted(call: &Call<'_>) -> Result<Vec<Attribute>, S3Error> {
    let mut wanted = Vec::new();
    for value in call.headers().get_all(ATTRIBUTES) {
        for name in value.to_str().unwrap_or("?").split(',').map(str::trim).filter(|name| !name.is_empty()) {
            wanted.push(attribute(name)?);
        }
    }
    if wanted.is_empty() {
        return Err(S3Error::request(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        ));
    }
    Ok(wanted)
}

fn attribute(name: &str) -> Result<Attribute, S3Error> {
    match name {
        "ETag" => Ok(Attribute::ETag),
        "Checksum" => Ok(Attribute::Checksum),
        "ObjectParts" => Ok(Attribute::ObjectParts),
        "StorageClass" => Ok(Attribute::StorageClass),
        "ObjectSize" => Ok(Attribute::ObjectSize),
        other => Err(S3Error::argument("Invalid attribute name specified.", ATTRIBUTES, other)),
    }
}

const ATTRIBUTES: &str = "x-amz-object-attributes";
/// Parts of one answer (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>).
const PART_PAGE: u64 = 1_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use objects::{Algorithm, ChecksumValue};

    #[test]
    fn parts_are_paged() {
        let checksum = ChecksumValue::from_bytes(Algorithm::Crc32, &[0; 4]);
        let all: Vec<_> = (1..=5).map(|number| PartAttributes { number, size: 7, checksum }).collect();
        let text = Writer::document("R", |xml| parts(xml, &all, PartWindow { after: 2, max: 2 }));
        assert!(text.contains("<PartsCount>5</PartsCount><PartNumberMarker>2</PartNumberMarker><NextPartNumberMarker>4</NextPartNumberMarker><MaxParts>2</MaxParts><IsTruncated>true</IsTruncated><Part><PartNumber>3</PartNumber>"));
        assert!(!text.contains("<PartNumber>5</PartNumber>"));
    }

    #[test]
    fn attribute_names_are_exact() {
        assert_eq!(attribute("ETag").unwrap(), Attribute::ETag);
        assert_eq!(attribute("etag").unwrap_err().code(), "InvalidArgument");
    }
}
