//! S3: what goes over the wire, and what is believed of what comes back.

use crate::server::{Asked, Reply, Server, answer};
use client::aws::{AwsError, GetOptions, ListOptions, PutOptions, S3Client, Signing, Upload};
use std::io::{self, Read};
use std::time::Duration;

fn client(server: &Server) -> S3Client {
    S3Client::new(&server.config()).unwrap()
}

fn stored() -> Reply {
    Reply::Say(answer("200 OK", &[("etag", "\"e\""), ("x-amz-version-id", "v")], b""))
}

fn refusal(status: &str, code: &str, more: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>why</Message>{more}</Error>");
    Reply::Say(answer(status, &[("x-amz-request-id", "request-1")], body.as_bytes()))
}

/// The base64 of its CRC-64/NVME.
fn crc(data: &[u8]) -> String {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, data);
    data_encoding::BASE64.encode(&crc.to_be_bytes())
}

fn read(server: &Server, options: &GetOptions) -> Result<Vec<u8>, AwsError> {
    let client = S3Client::new(&server.config().attempts(1)).unwrap();
    let mut object = client.get("bucket", "key", options)?;
    let mut data = Vec::new();
    object.body.read_to_end(&mut data).map_err(|error| error.downcast::<AwsError>().unwrap())?;
    Ok(data)
}

#[test]
fn bytes_are_put_with_what_belongs_to_them() {
    let server = Server::new([stored()]);
    let options = PutOptions::new()
        .metadata([("colour", "blue"), ("name", "Zoë")])
        .content_type("text/plain")
        .only_new()
        .header("x-amz-storage-class", "STANDARD_IA");
    let put = client(&server).put("bucket", "a b/ü+?", Upload::Bytes(b"text"), &options).unwrap();
    assert_eq!((&*put.etag, put.version_id.as_deref()), ("\"e\"", Some("v")));
    let [asked] = &server.asked()[..] else { panic!() };
    assert_eq!((&*asked.method, &*asked.path, &*asked.query), ("PUT", "/bucket/a%20b/%C3%BC%2B%3F", ""));
    assert_eq!(asked.text(), "text");
    for (name, value) in [
        ("x-amz-meta-colour", "blue"),
        ("x-amz-meta-name", "=?UTF-8?B?Wm/Dqw==?="),
        ("content-type", "text/plain"),
        ("if-none-match", "*"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-checksum-crc64nvme", &crc(b"text")),
    ] {
        assert_eq!(asked.header(name), value);
    }
    assert_eq!(asked.header("x-amz-content-sha256").len(), 64, "over HTTP, what is in memory is hashed");
}

#[test]
fn streams_are_signed_chunk_by_chunk_and_followed_by_their_checksum() {
    for length in [0_usize, 1, 100, 1 << 17, (1 << 17) + 1, 300_000] {
        let data: Vec<u8> = (0..=250).cycle().take(length).collect();
        for signing in [Signing::Auto, Signing::Chunks, Signing::Checksum, Signing::Unchecked] {
            let server = Server::new([stored()]);
            let body = Upload::Stream { reader: &mut &data[..], length: length as u64 };
            client(&server).put("bucket", "key", body, &PutOptions::new().signing(signing)).unwrap();
            let [asked] = &server.asked()[..] else { panic!() };
            assert_eq!(asked.body, data, "{length} {signing:?}");
            let word = match signing {
                _ if length == 0 => continue,
                Signing::Auto | Signing::Chunks => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
                Signing::Checksum => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                Signing::Unchecked => "UNSIGNED-PAYLOAD",
            };
            assert_eq!(asked.header("x-amz-content-sha256"), word);
            if signing != Signing::Unchecked {
                assert_eq!(asked.header("content-encoding"), "aws-chunked");
                assert_eq!(asked.trailers, [("x-amz-checksum-crc64nvme".to_owned(), crc(&data))]);
            }
        }
    }
}

/// Fails where it is told to.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = into.len().min(self.0);
        if taken == 0 {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0 -= taken;
        Ok(taken)
    }
}

#[test]
fn a_reader_that_fails_or_lies_stores_nothing() {
    for signing in [Signing::Chunks, Signing::Checksum, Signing::Unchecked] {
        let put = |reader: &mut dyn Read, length| {
            let server = Server::new([stored(), stored()]);
            let options = PutOptions::new().signing(signing);
            let put = client(&server).put("bucket", "key", Upload::Stream { reader, length }, &options);
            assert!(server.asked().is_empty(), "no request was whole");
            put.unwrap_err().to_string()
        };
        assert_eq!(put(&mut Failing(200_000), 300_000), "the disk is gone", "{signing:?}");
        assert!(put(&mut &[1; 200_000][..], 300_000).contains("100000 bytes shorter"), "{signing:?}");
        assert!(put(&mut &[1; 300_001][..], 300_000).contains("longer"), "{signing:?}");
        assert!(put(&mut &[1][..], 0).contains("longer"), "{signing:?}");
    }
}

#[test]
fn what_was_read_of_a_stream_is_not_sent_again() {
    let busy = || refusal("503 Slow Down", "SlowDown", "");
    let server = Server::new([busy(), stored()]);
    let body = Upload::Stream { reader: &mut &[1; 100][..], length: 100 };
    let error = client(&server).put("bucket", "key", body, &PutOptions::new()).unwrap_err();
    assert!(error.is_code("SlowDown"), "{error}");
    let server = Server::new([busy(), stored()]);
    assert!(client(&server).put("bucket", "key", Upload::Bytes(&[1; 100]), &PutOptions::new()).is_ok());
    assert_eq!(server.asked().len(), 2);
}

/// Some services refuse a long body without reading it, and close. What they say of it would be lost in a broken pipe.
#[test]
fn a_refusal_of_a_long_body_is_heard() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let body = b"<Error><Code>AccessDenied</Code></Error>";
            io::Write::write_all(&mut stream, &answer("403 Forbidden", &[("connection", "close")], body)).unwrap();
            heads.push(String::from_utf8(head).unwrap());
        }
        heads
    });
    let client = S3Client::new(&Server::new([]).config().endpoint(&url).unwrap()).unwrap();
    let long = vec![1; 8 << 20];
    let length = long.len() as u64;
    for body in [Upload::Bytes(&long), Upload::Stream { reader: &mut &long[..], length }] {
        let error = client.put("bucket", "key", body, &PutOptions::new()).unwrap_err();
        assert!(error.is_code("AccessDenied"), "{error}");
    }
    assert!(heads.join().unwrap().iter().all(|head| head.contains("100-continue")));
}

#[test]
fn an_object_comes_whole_or_not_at_all() {
    let whole = answer("200 OK", &[("etag", "\"e\""), ("x-amz-checksum-crc64nvme", &crc(b"text"))], b"text");
    let server = Server::new([Reply::Say(whole)]);
    assert_eq!(read(&server, &GetOptions::new().if_match("\"e\"")).unwrap(), b"text");
    let asked = server.asked();
    assert_eq!((asked[0].header("if-match"), asked[0].header("x-amz-checksum-mode")), ("\"e\"", "ENABLED"));
    let changed = answer("200 OK", &[("etag", "\"e\""), ("x-amz-checksum-crc64nvme", &crc(b"text"))], b"tExt");
    let changed = read(&Server::new([Reply::Say(changed)]), &GetOptions::new()).unwrap_err();
    assert!(matches!(changed, AwsError::Checksum { algorithm: "CRC64NVME", .. }), "{changed}");
    let broken = b"HTTP/1.1 200 OK\r\netag: e\r\ncontent-length: 9\r\n\r\ntext".to_vec();
    let broken = read(&Server::new([Reply::SayAndClose(broken)]), &GetOptions::new()).unwrap_err();
    assert!(matches!(broken, AwsError::Truncated { .. }), "{broken}");
    let stalled = b"HTTP/1.1 200 OK\r\netag: e\r\ncontent-length: 9\r\n\r\ntext".to_vec();
    let stalled = read(&Server::new([Reply::Say(stalled)]), &GetOptions::new()).unwrap_err();
    assert!(matches!(stalled, AwsError::TimedOut { .. }), "{stalled}");
    for (status, headers) in [
        ("200 OK", "content-length: 4\r\n"),
        ("200 OK", "etag: e\r\nconnection: close\r\n"),
        ("206 Partial Content", "etag: e\r\ncontent-length: 4\r\ncontent-range: bytes 0-3/9\r\n"),
        ("200 OK", "etag: e\r\ncontent-length: 4\r\nx-amz-meta-a: 1\r\nx-amz-meta-A: 2\r\n"),
    ] {
        let reply = format!("HTTP/1.1 {status}\r\n{headers}\r\ntext").into_bytes();
        let error = read(&Server::new([Reply::SayAndClose(reply)]), &GetOptions::new()).unwrap_err();
        assert!(matches!(error, AwsError::Answer { .. }), "{headers}: {error}");
    }
}

#[test]
fn a_range_is_the_one_that_was_asked_for() {
    let ranged = |status: &str, range: &str, body: &[u8], first, last| {
        let headers = [("etag", "e"), ("content-range", range)];
        let server = Server::new([Reply::Say(answer(status, &headers, body))]);
        let read = read(&server, &GetOptions::new().range(first..=last));
        (read.map_err(|error| error.to_string()), server.asked().remove(0))
    };
    let (read, asked) = ranged("206 Partial Content", "bytes 2-5/9", b"text", 2, 5);
    assert_eq!((read.as_deref(), asked.header("range")), (Ok(&b"text"[..]), "bytes=2-5"));
    assert!(ranged("206 Partial Content", "bytes 5-8/9", b"text", 5, 100).0.is_ok(), "the object ends there");
    for (status, range, body) in [
        ("200 OK", "bytes 2-5/9", &b"text"[..]),
        ("206 Partial Content", "bytes 0-3/9", b"text"),
        ("206 Partial Content", "bytes 2-4/9", b"tex"),
        ("206 Partial Content", "bytes 2-5/9", b"texts"),
        ("206 Partial Content", "bytes 2-5/5", b"text"),
        ("206 Partial Content", "bytes 2-5/*", b"text"),
        ("206 Partial Content", "", b"text"),
    ] {
        let (read, _) = ranged(status, range, body, 2, 5);
        assert!(read.as_ref().is_err_and(|error| error.contains("range")), "{range}: {read:?}");
    }
}

#[test]
fn what_the_service_refuses_keeps_its_words() {
    let refused = |reply: Reply| {
        let server = Server::new([reply]);
        let client = S3Client::new(&server.config().attempts(1)).unwrap();
        client.get("bucket", "key", &GetOptions::new()).err().unwrap()
    };
    let error = refused(refusal("403 Forbidden", "AccessDenied", "<RequestId>r</RequestId>"));
    assert_eq!(error.to_string(), "GetObject: AccessDenied: why (status 403, request r)");
    let elsewhere = answer("301 Moved Permanently", &[("x-amz-bucket-region", "eu-north-1")], b"");
    let text = refused(Reply::Say(elsewhere)).to_string();
    assert!(text.contains("lies in eu-north-1: set that Region"), "{text}");
    let wrong_region = refusal("400 Bad Request", "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>");
    assert!(refused(wrong_region).to_string().contains("eu-north-1"));
    let hostile = format!("<Error><Code>A\x1b[31mB</Code><Message>{}</Message></Error>", "x".repeat(200_000));
    let error = refused(Reply::Say(answer("400 Bad Request", &[], hostile.as_bytes())));
    assert!(error.to_string().len() < 2_000 && !error.to_string().contains('\x1b'));
    for body in [&b"<html>"[..], b"", b"<Error", b"\xff", &[b'<'; 1 << 20]] {
        let error = refused(Reply::Say(answer("502 Bad Gateway", &[], body)));
        assert_eq!((error.service().unwrap().status, &*error.service().unwrap().code), (502, "UnknownError"));
    }
    let server = Server::new([Reply::Say(b"HTTP/1.1 404 Not Found\r\ncontent-length: 300\r\n\r\n".to_vec())]);
    let error = client(&server).head("bucket", "key").unwrap_err();
    assert!(error.is_code("NotFound"), "{error}");
}

#[test]
fn a_head_tells_what_an_object_is() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 12345678901\r\netag: \"e\"\r\nX-Amz-Meta-Colour: blue\r\n\
                x-amz-meta-name: Zo\u{eb}\r\nx-amz-meta-word: =?UTF-8?B?Wm/Dqw==?=\r\ncontent-type: text/plain\r\nlast-modified: then\r\n\r\n";
    let server = Server::new([Reply::Say(head.as_bytes().to_vec()), stored()]);
    let client = client(&server);
    let info = client.head("bucket", "key").unwrap();
    assert_eq!((info.length, &*info.etag), (12_345_678_901, "\"e\""));
    assert_eq!((&*info.metadata["colour"], &*info.metadata["name"]), ("blue", "Zoë"));
    assert_eq!(info.text("word").as_deref(), Some("Zoë"), "an encoded word, as S3 sends it");
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    client.delete("bucket", "key").unwrap();
    let asked = server.asked();
    assert_eq!((&*asked[0].method, &*asked[1].method, &*asked[1].path), ("HEAD", "DELETE", "/bucket/key"));
}

#[test]
fn uploads_in_parts() {
    let xml = |body: &str| Reply::Say(answer("200 OK", &[("x-amz-version-id", "v")], body.as_bytes()));
    let begun = "<InitiateMultipartUploadResult><UploadId>a/+b</UploadId></InitiateMultipartUploadResult>";
    let done = "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>";
    let late = "  <?xml version=\"1.0\"?>".trim_start().to_owned() + "<Error><Code>InternalError</Code></Error>";
    let server = Server::new([xml(begun), stored(), stored(), xml(&late), xml(done)]);
    let client = client(&server);
    let upload = client.create_multipart("bucket", "key", &PutOptions::new().metadata([("a", "b")])).unwrap();
    let one = client.upload_part(&upload, 1, Upload::Bytes(b"one")).unwrap();
    let two = client.upload_part(&upload, 2, Upload::Stream { reader: &mut &b"two"[..], length: 3 }).unwrap();
    let whole = crc(b"onetwo");
    let stored =
        client.complete_multipart(&upload, &[one, two], Some((6, &whole)), &PutOptions::new().only_new()).unwrap();
    assert_eq!((&*stored.etag, stored.version_id.as_deref()), ("\"e-2\"", Some("v")));
    let asked = server.asked();
    let target = |asked: &Asked| format!("{} {}?{}", asked.method, asked.path, asked.query);
    assert_eq!(target(&asked[0]), "POST /bucket/key?uploads=");
    assert_eq!(target(&asked[1]), "PUT /bucket/key?partNumber=1&uploadId=a%2F%2Bb");
    assert_eq!(target(&asked[4]), "POST /bucket/key?uploadId=a%2F%2Bb");
    assert_eq!((asked[0].header("x-amz-meta-a"), asked[0].header("x-amz-checksum-type")), ("b", "FULL_OBJECT"));
    assert_eq!(asked[3].body, asked[4].body, "an error under the status of success is tried again");
    assert!(asked[4].text().contains("<Part><ETag>\"e\"</ETag><PartNumber>2</PartNumber></Part>"));
    assert_eq!((asked[4].header("x-amz-checksum-crc64nvme"), asked[4].header("x-amz-mp-object-size")), (&*whole, "6"));
    assert_eq!((asked[0].header("if-none-match"), asked[4].header("if-none-match")), ("", "*"));
    let gone = Server::new([refusal("404 Not Found", "NoSuchUpload", "")]);
    S3Client::new(&gone.config()).unwrap().abort_multipart(&upload).unwrap();
}

#[test]
fn an_object_that_comes_byte_by_byte_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\netag: \"e\"\r\n\r\n".to_vec();
    let server = Server::new([Reply::Endless(head, Duration::from_millis(50))]);
    let mut object = client(&server).get("bucket", "key", &GetOptions::new()).unwrap();
    let begin = std::time::Instant::now();
    let error = object.body.read_to_end(&mut Vec::new()).unwrap_err().downcast::<AwsError>().unwrap();
    assert!(matches!(error, AwsError::TimedOut { .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(3), "the limit is 0.7 s");
}

#[test]
fn nothing_is_longer_than_objects_can_be() {
    let said = |length: u64| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\netag: \"e\"\r\n\r\n");
        let server = Server::new([Reply::SayAndClose(head.into_bytes())]);
        S3Client::new(&server.config()).unwrap().head("bucket", "key").map(|info| info.length)
    };
    assert_eq!(said(10_000 * (5 << 30)).unwrap(), 53_687_091_200_000);
    for length in [53_687_091_200_001, u64::MAX - 15, u64::MAX] {
        assert!(matches!(said(length), Err(AwsError::Answer { .. })), "{length}");
    }
}

#[test]
fn listings_page_by_page() {
    let page = |body: &str| {
        let body = format!("<ListBucketResult><EncodingType>url</EncodingType>{body}</ListBucketResult>");
        Reply::Say(answer("200 OK", &[], body.as_bytes()))
    };
    let object = |key: &str| format!("<Contents><Key>{key}</Key><Size>7</Size><ETag>&quot;e&quot;</ETag></Contents>");
    let more =
        |token: &str| format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>");
    let server = Server::new([
        page(&(object("a+b%2Bc%0A%C3%BC") + &object("d") + &more("t/1"))),
        page(
            &("<CommonPrefixes><Prefix>e%2F</Prefix></CommonPrefixes>".to_owned() + "<IsTruncated>false</IsTruncated>"),
        ),
    ]);
    let client = client(&server);
    let options = ListOptions::new().prefix("a b").delimiter("/").page(2).start_after("Z");
    let pages: Vec<_> = client.list("bucket", options).collect::<Result<_, _>>().unwrap();
    assert_eq!(pages[0].objects[0].key, "a b+c\nü");
    assert_eq!((pages[0].objects[1].length, &*pages[0].objects[1].etag), (7, "\"e\""));
    assert_eq!((pages[1].objects.len(), &*pages[1].prefixes), (0, &["e/".to_owned()][..]));
    let asked = server.asked();
    let first = "encoding-type=url&list-type=2&prefix=a%20b&delimiter=%2F&start-after=Z&max-keys=2";
    assert_eq!((&*asked[0].path, &*asked[0].query), ("/bucket", first));
    assert_eq!(asked[1].query, format!("{first}&continuation-token=t%2F1"));

    let circles = Server::new([page(&more("t")), page(&more("t")), page(&more("t"))]);
    let client = S3Client::new(&circles.config()).unwrap();
    let pages: Vec<_> = client.list("bucket", ListOptions::new()).collect();
    assert!(pages.len() == 2 && pages[1].is_err(), "{pages:?}");
    for body in
        ["<Contents><Size>7</Size></Contents>", "<Contents><Key>k</Key></Contents>", "<IsTruncated>true</IsTruncated>"]
    {
        let server = Server::new([page(body)]);
        let client = S3Client::new(&server.config()).unwrap();
        assert!(client.list("bucket", ListOptions::new()).all(|page| page.is_err()), "{body}");
    }
    for body in [object(&"k".repeat(1_025)), object("k").replace(">7<", ">53687091200001<")] {
        let server = Server::new([page(&body)]);
        let client = S3Client::new(&server.config()).unwrap();
        assert!(client.list("bucket", ListOptions::new()).all(|page| page.is_err()), "{body}");
    }
    for (body, limit) in [(object("a") + &object("c"), 1), (object("b"), 1), (String::new(), 1_001)] {
        // With another token each time.
        let pages =
            (0..1_100).map(|number| if number == 0 { object("b") } else { body.clone() } + &more(&number.to_string()));
        let server = Server::new(pages.map(|body| page(&body)));
        let client = S3Client::new(&server.config()).unwrap();
        let pages: Vec<_> = client.list("bucket", ListOptions::new()).collect();
        assert_eq!(pages.iter().position(|page| page.is_err()), Some(limit), "{body}");
    }
    let endless = b"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>".to_vec();
    let server = Server::new([Reply::Endless([endless, vec![b' '; 9 << 20]].concat(), Duration::from_micros(1))]);
    let client = S3Client::new(&server.config()).unwrap();
    assert!(matches!(client.list("bucket", ListOptions::new()).next(), Some(Err(AwsError::Answer { .. }))));
}

#[test]
fn many_are_deleted_at_once_and_copied_one_by_one() {
    let failed =
        "<DeleteResult><Error><Key>b&amp;</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    let copied = "<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>";
    let server = Server::new([failed, copied].map(|body| Reply::Say(answer("200 OK", &[], body.as_bytes()))));
    let client = client(&server);
    let failures = client.delete_objects("bucket", &["a", "b&"]).unwrap();
    assert_eq!((failures.len(), &*failures[0].0, &*failures[0].1.code), (1, "b&", "AccessDenied"));
    client.copy(("bucket", "ä b"), ("other", "key"), &PutOptions::new()).unwrap();
    let asked = server.asked();
    assert_eq!((&*asked[0].query, asked[0].header("x-amz-checksum-crc64nvme")), ("delete=", &*crc(&asked[0].body)));
    assert!(asked[0].text().contains("<Object><Key>b&amp;</Key></Object>"));
    assert_eq!((&*asked[1].path, asked[1].header("x-amz-copy-source")), ("/other/key", "bucket/%C3%A4%20b"));
    assert!(client.delete_objects("bucket", &vec!["a"; 1_001]).is_err());
    assert!(client.delete("bucket", "").is_err(), "that would be the bucket itself");
}
