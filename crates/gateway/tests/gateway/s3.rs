//! S3 over the wire: what clients send, byte for byte, and what they get.

use crate::support::{Answer, Ask, BOB, Server};
use md5::{Digest as _, Md5};

fn put<'a>(path: &'a str, body: &'a [u8], headers: &[(&'a str, &str)]) -> Ask<'a> {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Ask { headers, ..Ask::s3("PUT", path, body) }
}

fn with<'a>(method: &'a str, path: &'a str, query: &'a str, headers: &[(&'a str, &str)]) -> Ask<'a> {
    Ask { method, query, ..put(path, b"", headers) }
}

async fn get(server: &Server, path: &str, query: &str) -> Answer {
    server.ask(&with("GET", path, query, &[])).await
}

async fn bucket(server: &Server) {
    assert_eq!(server.ask(&put("/bucket", b"", &[])).await.status, 200);
}

/// `HEAD` announces a length and sends nothing.
async fn head(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut wire = server.connect();
    wire.send(&with("HEAD", path, "", headers).bytes()).await;
    wire.head().await
}

fn md5_base64(body: &[u8]) -> String {
    data_encoding::BASE64.encode(&Md5::digest(body))
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_sent() {
    let server = Server::start().await;
    bucket(&server).await;
    let metadata = [("content-type", "text/plain"), ("x-amz-meta-colour", "blue"), ("cache-control", "no-store")];
    let stored = server.ask(&put("/bucket/a/b%20c", b"hello", &metadata)).await;
    assert_eq!((stored.status, stored.header("etag")), (200, "\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(stored.header("x-amz-server-side-encryption"), "AES256");
    assert_eq!(stored.header("x-amz-checksum-type"), "FULL_OBJECT");
    assert!(!stored.header("x-amz-checksum-crc64nvme").is_empty());

    let answer = get(&server, "/bucket/a/b%20c", "").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    for (name, value) in metadata {
        assert_eq!(answer.header(name), value);
    }
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), "");

    let answer = head(&server, "/bucket/a/b%20c", &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, "5"));
    assert!(!answer.header("x-amz-checksum-crc64nvme").is_empty());

    let deleted = server.ask(&with("DELETE", "/bucket/a/b%20c", "", &[])).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(get(&server, "/bucket/a/b%20c", "").await.code(), "NoSuchKey");
    assert_eq!(head(&server, "/bucket/a/b%20c", &[]).await.status, 404);
}

#[tokio::test]
async fn ranges_conditions_and_overrides() {
    let server = Server::start().await;
    bucket(&server).await;
    let etag = server.ask(&put("/bucket/k", b"0123456789", &[])).await.header("etag").to_owned();

    let part = server.ask(&with("GET", "/bucket/k", "", &[("range", "bytes=2-4")])).await;
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "234", "bytes 2-4/10"));
    let suffix = server.ask(&with("GET", "/bucket/k", "", &[("range", "bytes=-3")])).await;
    assert_eq!(suffix.text(), "789");
    let beyond = server.ask(&with("GET", "/bucket/k", "", &[("range", "bytes=10-")])).await;
    assert_eq!((beyond.status, beyond.code().as_str()), (416, "InvalidRange"));
    assert_eq!(beyond.header("content-range"), "bytes */10");

    let same = server.ask(&with("GET", "/bucket/k", "", &[("if-none-match", &etag)])).await;
    assert_eq!((same.status, same.header("etag"), same.body.len()), (304, etag.as_str(), 0));
    let other = server.ask(&with("GET", "/bucket/k", "", &[("if-match", "\"x\"")])).await;
    assert_eq!((other.status, other.code().as_str()), (412, "PreconditionFailed"));
    let again = server.ask(&put("/bucket/k", b"x", &[("if-none-match", "*")])).await;
    assert_eq!(again.status, 412);

    let told = get(&server, "/bucket/k", "response-content-type=a%2Fb&response-expires=never").await;
    assert_eq!((told.header("content-type"), told.header("expires")), ("a/b", "never"));
    assert_eq!(get(&server, "/bucket/k", "versionId=null").await.status, 200);
    assert_eq!(get(&server, "/bucket/k", &format!("versionId={}", "v".repeat(32))).await.code(), "NoSuchVersion");
    assert_eq!(get(&server, "/bucket/k", "partNumber=2").await.status, 416);
}

#[tokio::test]
async fn digests_are_checked() {
    let server = Server::start().await;
    bucket(&server).await;
    let code = async |headers: &[(&str, &str)]| server.ask(&put("/bucket/k", b"hello", headers)).await.code();
    assert_eq!(code(&[("content-md5", "nonsense")]).await, "InvalidDigest");
    assert_eq!(code(&[("content-md5", &md5_base64(b"other"))]).await, "BadDigest");
    assert_eq!(code(&[("x-amz-checksum-crc32", "AAAAAA==")]).await, "BadDigest");
    assert_eq!(code(&[("x-amz-checksum-crc32", "AAAA")]).await, "InvalidRequest");
    assert_eq!(code(&[("x-amz-checksum-sha512", "AAAA")]).await, "NotImplemented");
    assert_eq!(get(&server, "/bucket/k", "").await.code(), "NoSuchKey");
    assert_eq!(code(&[("content-md5", &md5_base64(b"hello")), ("x-amz-checksum-crc32", "NhCmhg==")]).await, "");
}

#[tokio::test]
async fn encryption_headers_are_held_against_each_other() {
    let server = Server::start().await;
    bucket(&server).await;
    let key = data_encoding::BASE64.encode(&[7; 32]);
    let digest = md5_base64(&[7; 32]);
    let customer = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", key.as_str()),
        ("x-amz-server-side-encryption-customer-key-md5", digest.as_str()),
    ];
    let insecure = server.ask(&put("/bucket/c", b"secret", &customer)).await;
    assert_eq!((insecure.status, insecure.code().as_str()), (400, "InvalidRequest"));
    let stored = server.ask_secure(&put("/bucket/c", b"secret", &customer)).await;
    assert_eq!((stored.status, stored.header("x-amz-server-side-encryption")), (200, ""));
    assert_eq!(stored.header("x-amz-server-side-encryption-customer-key-md5"), digest);
    assert_eq!(server.ask_secure(&with("GET", "/bucket/c", "", &customer)).await.body, b"secret");
    assert_eq!(get(&server, "/bucket/c", "").await.code(), "InvalidRequest");

    let code = async |headers: &[(&str, &str)]| server.ask(&put("/bucket/k", b"x", headers)).await.code();
    let mode = "x-amz-server-side-encryption";
    let key_id = "x-amz-server-side-encryption-aws-kms-key-id";
    assert_eq!(code(&[(mode, "AES256"), (key_id, "alias/x")]).await, "InvalidArgument");
    assert_eq!(code(&[(mode, "aws:kms"), (key_id, "alias/missing")]).await, "KMS.NotFoundException");
    assert_eq!(code(&[(mode, "rot13")]).await, "InvalidArgument");

    let managed = server.ask(&put("/bucket/k", b"x", &[(mode, "aws:kms")])).await;
    assert_eq!((managed.status, managed.header(mode)), (200, "aws:kms"));
    assert!(managed.header(key_id).starts_with("arn:aws:kms:us-east-1:111111111111:key/"));
    assert_eq!(get(&server, "/bucket/k", "").await.header(key_id), managed.header(key_id));
    let asked = server.ask(&with("GET", "/bucket/k", "", &[(mode, "aws:kms")])).await;
    assert_eq!((asked.status, asked.code().as_str()), (400, "InvalidArgument"));
}

#[tokio::test]
async fn a_buckets_encryption_is_told_changed_and_reset() {
    let server = Server::start().await;
    bucket(&server).await;
    assert!(get(&server, "/bucket", "encryption").await.text().contains("<SSEAlgorithm>AES256</SSEAlgorithm>"));
    let rule = "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>";
    let document =
        |rules: &str| format!("<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>");
    for bad in ["", &rule.repeat(2)] {
        let text = document(bad);
        let ask = Ask { query: "encryption", ..put("/bucket", text.as_bytes(), &[]) };
        assert_eq!(server.ask(&ask).await.code(), "MalformedXML");
    }
    let text = document(rule);
    let ask = Ask { query: "encryption", ..put("/bucket", text.as_bytes(), &[]) };
    assert_eq!(server.ask(&ask).await.status, 200);
    let stored = server.ask(&put("/bucket/k", b"x", &[])).await;
    assert_eq!(stored.header("x-amz-server-side-encryption"), "aws:kms");
    assert_eq!(stored.header("x-amz-server-side-encryption-bucket-key-enabled"), "true");
    assert_eq!(server.ask(&with("DELETE", "/bucket", "encryption", &[])).await.status, 204);
    assert!(get(&server, "/bucket", "encryption").await.text().contains("<BucketKeyEnabled>false</BucketKeyEnabled>"));
}

#[tokio::test]
async fn listings_page_and_encode() {
    let server = Server::start().await;
    bucket(&server).await;
    for path in ["/bucket/a%20b", "/bucket/d/1", "/bucket/d/2", "/bucket/%01"] {
        assert_eq!(server.ask(&put(path, b"x", &[])).await.status, 200);
    }
    let first = get(&server, "/bucket", "list-type=2&max-keys=2&encoding-type=url&delimiter=%2F").await;
    let text = first.text();
    assert!(
        text.contains("<Key>%01</Key>")
            && text.contains("<Key>a+b</Key>")
            && text.contains("<IsTruncated>true</IsTruncated>"),
        "{text}"
    );
    let token = text.split("<NextContinuationToken>").nth(1).unwrap().split('<').next().unwrap();
    let query = format!("list-type=2&delimiter=%2F&continuation-token={token}");
    let rest = get(&server, "/bucket", &query).await;
    assert!(
        rest.text().contains("<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>")
            && rest.text().contains("<KeyCount>1</KeyCount>")
    );
    assert!(get(&server, "/bucket", "").await.text().contains("<Key>&#x1;</Key>"));
    let versions = get(&server, "/bucket", "versions&prefix=d%2F").await;
    assert_eq!(versions.text().matches("<VersionId>null</VersionId><IsLatest>true</IsLatest>").count(), 2);
    for bad in ["max-keys=-1", "max-keys=x", "encoding-type=hex", "list-type=2&continuation-token=%21", "list-type=3"] {
        assert_eq!(get(&server, "/bucket", bad).await.code(), "InvalidArgument", "{bad}");
    }
    let buckets = get(&server, "/", "").await;
    assert!(buckets.text().contains("<Name>bucket</Name>"));
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let server = Server::start().await;
    bucket(&server).await;
    server.ask(&put("/bucket/a", b"x", &[])).await;
    let body = format!(
        "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key>{}</Key></Object></Delete>",
        "k".repeat(1_025)
    );
    let post = |digest: Option<String>| {
        let headers = digest.map(|digest| ("content-md5", digest)).into_iter().collect();
        Ask { method: "POST", query: "delete", headers, ..put("/bucket", body.as_bytes(), &[]) }
    };
    assert_eq!(server.ask(&post(None)).await.code(), "InvalidRequest");
    assert_eq!(server.ask(&post(Some(md5_base64(b"other")))).await.code(), "BadDigest");
    let answer = server.ask(&post(Some(md5_base64(body.as_bytes())))).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("<Deleted><Key>a</Key></Deleted><Deleted><Key>none</Key></Deleted><Error>"));
    assert!(answer.text().contains("<Code>KeyTooLongError</Code>"));
    assert_eq!(get(&server, "/bucket/a", "").await.code(), "NoSuchKey");
    assert_eq!(server.ask(&with("DELETE", "/bucket", "", &[])).await.status, 204);
}

#[tokio::test]
async fn copies_name_their_source() {
    let server = Server::start().await;
    bucket(&server).await;
    server.ask(&put("/bucket/a%3F", b"data", &[("x-amz-meta-m", "1")])).await;
    let copied = server.ask(&put("/bucket/b", b"", &[("x-amz-copy-source", "/bucket/a%3F")])).await;
    assert!(copied.status == 200 && copied.text().contains("<CopyObjectResult"), "{}", copied.text());
    let answer = get(&server, "/bucket/b", "").await;
    assert_eq!((answer.body.as_slice(), answer.header("x-amz-meta-m")), (b"data".as_slice(), "1"));
    let itself = server.ask(&put("/bucket/b", b"", &[("x-amz-copy-source", "/bucket/b")])).await;
    assert_eq!(itself.code(), "InvalidRequest");
    let replaced = [("x-amz-copy-source", "/bucket/b"), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-m", "2")];
    assert_eq!(server.ask(&put("/bucket/b", b"", &replaced)).await.status, 200);
    assert_eq!(get(&server, "/bucket/b", "").await.header("x-amz-meta-m"), "2");
    assert_eq!(server.ask(&put("/bucket/c", b"", &[("x-amz-copy-source", "bucket")])).await.code(), "InvalidArgument");
    assert_eq!(server.ask(&put("/bucket/c", b"", &[("x-amz-copy-source", "bucket/none")])).await.code(), "NoSuchKey");
}

#[tokio::test]
async fn a_multipart_upload_from_begin_to_end() {
    let server = Server::start().await;
    bucket(&server).await;
    let begun = server.ask(&with("POST", "/bucket/big", "uploads", &[("x-amz-checksum-algorithm", "CRC32")])).await;
    let id = begun.text().split("<UploadId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let query = format!("uploadId={id}");
    let mut list = String::new();
    let parts = [vec![1; 5 << 20], vec![2; 1000]];
    for (number, body) in (1..).zip(&parts) {
        let part_query = format!("partNumber={number}&uploadId={id}");
        let mode = [("x-amz-server-side-encryption", "AES256")];
        let refused = server.ask(&Ask { query: &part_query, ..put("/bucket/big", b"x", &mode) }).await;
        assert_eq!(refused.code(), "InvalidArgument");
        let mut wire = server.connect();
        let ask = Ask { query: &part_query, ..put("/bucket/big", body, &[]) };
        wire.send(ask.head().as_bytes()).await;
        wire.send(body).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", answer.header("etag")));
    }
    assert_eq!(get(&server, "/bucket/big", &query).await.text().matches("<Part>").count(), 2);
    assert!(get(&server, "/bucket", "uploads").await.text().contains(&id));
    let wrong = Ask { method: "POST", query: &query, ..put("/bucket/big", b"<CompleteMultipartUpload/>", &[]) };
    assert_eq!(server.ask(&wrong).await.code(), "MalformedXML");
    let document = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    let complete = |headers| Ask { method: "POST", query: &query, ..put("/bucket/big", document.as_bytes(), headers) };
    assert_eq!(server.ask(&complete(&[("x-amz-mp-object-size", "7")])).await.code(), "InvalidRequest");
    let done = server.ask(&complete(&[])).await;
    assert!(done.status == 200 && done.text().contains("-2&quot;</ETag>"), "{}", done.text());
    let second = get(&server, "/bucket/big", "partNumber=2").await;
    assert_eq!((second.status, second.body.as_slice()), (206, parts[1].as_slice()));
    assert_eq!(second.header("x-amz-mp-parts-count"), "2");
    let wanted = [("x-amz-object-attributes", "ObjectParts,ETag,ObjectSize")];
    let attributes = server.ask(&with("GET", "/bucket/big", "attributes", &wanted)).await;
    assert!(
        attributes.text().contains("<PartsCount>2</PartsCount>")
            && attributes.text().contains("<ObjectSize>5243880</ObjectSize>")
    );
    assert_eq!(server.ask(&with("DELETE", "/bucket/big", &query, &[])).await.code(), "NoSuchUpload");
}

#[tokio::test]
async fn what_belongs_to_another_account_is_denied() {
    let server = Server::start().await;
    bucket(&server).await;
    server.ask(&put("/bucket/k", b"x", &[])).await;
    for (method, path) in
        [("GET", "/bucket/k"), ("PUT", "/bucket/k"), ("DELETE", "/bucket/k"), ("GET", "/bucket"), ("DELETE", "/bucket")]
    {
        let ask = Ask { access_key: BOB, ..with(method, path, "", &[]) };
        assert_eq!(server.ask(&ask).await.code(), "AccessDenied", "{method} {path}");
    }
    let taken = Ask { access_key: BOB, ..put("/bucket", b"", &[]) };
    assert_eq!(server.ask(&taken).await.code(), "BucketAlreadyExists");
    let owner = |id| with("GET", "/bucket/k", "", id);
    assert_eq!(server.ask(&owner(&[("x-amz-expected-bucket-owner", "222222222222")])).await.code(), "AccessDenied");
    assert_eq!(server.ask(&owner(&[("x-amz-expected-bucket-owner", "me")])).await.code(), "InvalidArgument");
    assert_eq!(server.ask(&owner(&[("x-amz-expected-bucket-owner", "111111111111")])).await.status, 200);
}

#[tokio::test]
async fn errors_say_what_awss_say() {
    let server = Server::start().await;
    bucket(&server).await;
    let missing = get(&server, "/bucket/none", "").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, "application/xml"));
    let text = missing.text();
    assert!(text.contains("<Key>none</Key>") && text.contains("<Resource>/bucket/none</Resource>"), "{text}");
    assert!(text.contains(&format!("<RequestId>{}</RequestId>", missing.header("x-amz-request-id"))));
    assert!(get(&server, "/nowhere", "").await.text().contains("<BucketName>nowhere</BucketName>"));
    assert_eq!(get(&server, "/BAD", "").await.code(), "InvalidBucketName");
    assert_eq!(get(&server, "/bucket/%ff", "").await.code(), "InvalidURI");
    let long = format!("/bucket/{}", "k".repeat(1_025));
    assert_eq!(get(&server, &long, "").await.code(), "KeyTooLongError");
    let redirect = [("x-amz-website-redirect-location", "/elsewhere")];
    assert_eq!(server.ask(&put("/bucket/k", b"x", &redirect)).await.code(), "NotImplemented");
    assert_eq!(server.ask(&put("/bucket/k", b"x", &[("x-amz-tagging", "a=b&a=c")])).await.code(), "InvalidArgument");
    assert_eq!(
        server.ask(&put("/bucket/k", b"x", &[("x-amz-acl", "public-read")])).await.code(),
        "AccessControlListNotSupported"
    );
    let large = "m".repeat(2_048);
    assert_eq!(server.ask(&put("/bucket/k", b"x", &[("x-amz-meta-a", &large)])).await.code(), "MetadataTooLarge");
    let odd = server.ask(&with("POST", "/bucket/k", "", &[])).await;
    assert_eq!((odd.status, odd.code().as_str()), (405, "MethodNotAllowed"));
    assert_eq!(get(&server, "/bucket", "policy").await.code(), "NoSuchBucketPolicy");
    assert_eq!(get(&server, "/bucket", "website").await.status, 501);
    assert_eq!(server.ask(&with("PUT", "/bucket/k", "frobnicate", &[])).await.status, 501);
    assert_eq!(get(&server, "/bucket/k", "").await.code(), "NoSuchKey");
}

#[tokio::test]
async fn a_copy_without_a_source_names_the_source() {
    let server = Server::start().await;
    bucket(&server).await;
    let source = [("x-amz-copy-source", "/bucket/gone%20away")];
    let text = server.ask(&put("/bucket/target", b"", &source)).await.text().to_owned();
    assert!(text.contains("<Code>NoSuchKey</Code>") && text.contains("<Key>gone away</Key>"), "{text}");
    let target = [source[0], ("if-match", "\"e\"")];
    server.ask(&put("/bucket/gone%20away", b"x", &[])).await;
    let text = server.ask(&put("/bucket/target", b"", &target)).await.text().to_owned();
    assert!(text.contains("<Code>NoSuchKey</Code>") && text.contains("<Key>target</Key>"), "{text}");
}

#[tokio::test]
async fn an_object_has_the_tags_that_it_was_given() {
    let server = Server::start().await;
    bucket(&server).await;
    assert_eq!(get(&server, "/bucket/k", "tagging").await.code(), "NoSuchKey");
    server.ask(&put("/bucket/k", b"x", &[])).await;
    let tags = get(&server, "/bucket/k", "tagging").await;
    assert_eq!(tags.status, 200);
    assert!(tags.text().contains("<TagSet></TagSet></Tagging>"), "{}", tags.text());
    let tag = "<Tag><Key>a</Key><Value>b</Value></Tag>";
    let document = format!("<Tagging><TagSet>{tag}</TagSet></Tagging>");
    let request = Ask { query: "tagging", ..put("/bucket/k", document.as_bytes(), &[]) };
    assert_eq!(server.ask(&request).await.status, 200);
    let tags = get(&server, "/bucket/k", "tagging").await;
    assert!(tags.text().contains(tag), "{}", tags.text());
    assert_eq!(get(&server, "/bucket/k", "").await.header("x-amz-tagging-count"), "1");
    assert_eq!(server.ask(&with("DELETE", "/bucket/k", "tagging", &[])).await.status, 204);
    assert_eq!(get(&server, "/bucket/k", "").await.header("x-amz-tagging-count"), "");
}

/// The table in docs/operations.md, which a unit test holds against the routes.
#[tokio::test]
async fn what_is_said_to_be_built_has_a_handler() {
    let server = Server::start().await;
    bucket(&server).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let document = std::fs::read_to_string(path).unwrap();
    for line in include_str!("../../src/s3/model.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, method, uri, query, _] = words[..] else { panic!("{line}") };
        let (path, selector) = uri.split_once('?').unwrap_or((uri, ""));
        let path = path.replace("{Bucket}", "bucket").replace("{Key+}", "key");
        let required = query.split(',').filter_map(|name| name.strip_suffix('!')).map(|name| format!("{name}=1"));
        let query: Vec<String> =
            selector.split('&').filter(|part| !part.is_empty()).map(str::to_owned).chain(required).collect();
        let source = [("x-amz-copy-source", "bucket/key")];
        let headers = if name.contains("Copy") { &source[..] } else { &[] };
        if name == "ListDirectoryBuckets" || name == "WriteGetObjectResponse" {
            continue;
        }
        let query = query.join("&");
        let answer = server.connect_and_head(&with(method, &path, &query, headers)).await;
        let built = document.contains(&format!("| {name} | yes |"));
        assert_eq!(answer.status != 501, built, "{name} answered {}", answer.status);
        server.ask(&put("/bucket", b"", &[])).await;
    }
}
