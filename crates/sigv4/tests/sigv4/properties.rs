//! What is signed verifies; what is altered afterwards does not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::Index;
use sigv4::{
    Authenticated, Body, Dialect, Error, MAX_SKEW, Payload, Policy, RequestHead, Secret, Signer, SigningKeys, parse,
    percent_decode, query_pairs, verify,
};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Debug, Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    service: &'static str,
    body: Vec<u8>,
}

impl Request {
    fn head(&self) -> RequestHead<'_> {
        RequestHead { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers }
    }

    fn sign(&mut self) {
        let signer = Signer::new("AKID", &Secret::new(b"secret"), "eu-west-1", self.service);
        let payload = Payload::of(&self.body);
        signer.sign(&self.method, &self.path, &self.query, &mut self.headers, payload, now()).unwrap();
    }

    fn presign(&mut self) {
        let signer = Signer::new("AKID", &Secret::new(b"secret"), "eu-west-1", self.service);
        self.query = signer.presign(&self.head(), 60, now()).unwrap();
    }

    fn verify(&self, secret: &[u8]) -> Result<Option<Authenticated>, Error> {
        let head = self.head();
        let Some(claim) = parse(&head, Dialect::of(self.service))? else { return Ok(None) };
        let policy = Policy { regions: &["eu-west-1"], services: &[self.service], skew: MAX_SKEW };
        let body = Body::Whole(&self.body);
        verify(&claim, &head, body, &Secret::new(secret), now(), &policy, &SigningKeys::new()).map(Some)
    }

    fn accepted(&self) -> bool {
        matches!(self.verify(b"secret"), Ok(Some(_)))
    }

    /// What the server would act on: method, decoded path, decoded parameters.
    fn meaning(&self) -> (String, Vec<u8>, Pairs) {
        let mut pairs: Vec<_> =
            query_pairs(&self.query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        pairs.sort();
        (self.method.clone(), percent_decode(&self.path).into_owned(), pairs)
    }
}

prop_compose! {
    fn request()(
        method in "GET|PUT|POST|DELETE|HEAD",
        path in "(/[a-zA-Z0-9._~!$'()*+,;=:@ %-]{0,12}){1,4}",
        query in "([a-zA-Z-]{1,8}(=[a-zA-Z0-9+%._~/-]{0,8})?(&[a-z-]{1,8}=[a-zA-Z0-9+%]{0,5}){0,4})?",
        host in "[a-z0-9.]{1,20}(:[0-9]{4})?",
        extra in prop::collection::btree_map("(x-amz-meta-|x-amz-|if-)[a-z]{3,8}", "[ -~]{0,30}", 0..5),
        service in prop::sample::select(vec!["s3", "kms", "sts"]),
        body in prop::collection::vec(any::<u8>(), 0..50),
    ) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        for (name, value) in &extra {
            headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        Request { method, path, query, headers, service, body }
    }
}

/// Something that differs from `text` in one byte that is legal in a URL.
fn altered(text: &str, at: Index, with: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        bytes.push(with);
    } else {
        let at = at.index(bytes.len());
        bytes[at] = with;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #[test]
    fn what_is_signed_verifies(request in request()) {
        let mut by_header = request.clone();
        by_header.sign();
        let authenticated = by_header.verify(b"secret").unwrap().unwrap();
        prop_assert_eq!(authenticated.access_key_id(), "AKID");
        prop_assert_eq!(authenticated.service(), request.service);

        let mut presigned = request;
        presigned.body.clear();
        presigned.presign();
        prop_assert!(presigned.accepted());
    }

    #[test]
    fn another_secret_does_not(mut request in request()) {
        request.sign();
        prop_assert!(matches!(request.verify(b"secreu"), Err(Error::SignatureDoesNotMatch(_))));
    }

    #[test]
    fn an_altered_path_or_query_means_the_same_or_fails(
        mut request in request(),
        presigned: bool,
        in_path: bool,
        at: Index,
        with in "[a-zA-Z0-9/%+&=.~ -]",
    ) {
        if presigned {
            request.body.clear();
            request.presign();
        } else {
            request.sign();
        }
        let mut other = request.clone();
        let with = with.as_bytes()[0];
        if in_path {
            other.path = altered(&request.path, at, with);
        } else {
            other.query = altered(&request.query, at, with);
        }
        // The services resolve dots and empty segments of a path, and have no use for one but `/`.
        prop_assume!(request.service == "s3" || !in_path);
        if other.accepted() {
            // Of a presigned query, the signature may be written in either case.
            let asked = |pairs: Pairs| pairs.into_iter().filter(|(name, _)| name != b"X-Amz-Signature").collect::<Pairs>();
            let (one, two) = (request.meaning(), other.meaning());
            prop_assert_eq!((one.0, one.1, asked(one.2)), (two.0, two.1, asked(two.2)));
        }
    }

    #[test]
    fn an_altered_header_fails(mut request in request(), presigned: bool, which: Index, how in 0..3) {
        if presigned {
            request.body.clear();
            request.presign();
        } else {
            request.sign();
        }
        let names: Vec<_> = request.headers.keys().cloned().collect();
        let name = names[which.index(names.len())].clone();
        // For the services, S3's header says nothing; without an authorization there is no claim.
        prop_assume!(name != "x-amz-content-sha256" && name != "authorization");
        match how {
            0 => drop(request.headers.remove(&name)),
            1 => drop(request.headers.append(&name, HeaderValue::from_static("more"))),
            _ => {
                let value = [request.headers[&name].as_bytes(), b"x"].concat();
                request.headers.insert(&name, HeaderValue::from_bytes(&value).unwrap());
            }
        }
        prop_assert!(!request.accepted());
    }

    #[test]
    fn an_altered_method_or_body_fails(mut request in request(), method: bool) {
        request.sign();
        if method {
            request.method = if request.method == "GET" { "PUT".to_owned() } else { "GET".to_owned() };
        } else {
            request.body.push(b'x');
        }
        prop_assert!(!request.accepted());
    }

    #[test]
    fn an_added_header_of_amazon_fails(mut request in request(), name in "x-amz-zz[a-z]{1,8}") {
        request.sign();
        request.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("1"));
        let refused = matches!(request.verify(b"secret"), Err(Error::HeadersNotSigned { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn no_claim_panics(
        path in "\\PC{0,30}",
        query in "(X-Amz-[A-Z][a-z]{0,10}=\\PC{0,10}&?){0,5}",
        authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,80}",
        service in prop::sample::select(vec!["s3", "kms"]),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&authorization).unwrap());
        let request = Request { method: "GET".to_owned(), path, query, headers, service, body: vec![] };
        prop_assert!(!request.accepted());
        let mut request = request;
        request.headers.clear();
        prop_assert!(!request.accepted());
    }
}
