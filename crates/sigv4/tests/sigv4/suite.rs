//! Cases of AWS's Signature Version 4 test suite, by their names there, each by header and presigned.
//!
//! <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4>. Left out: what HTTP no longer allows (a header
//! over several lines, RFC 9112 section 5.2), what the services do not do (paths that are not normalised), and session tokens.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use sigv4::{Body, Dialect, Error, MAX_SKEW, Policy, RequestHead, Secret, SigningKeys, parse, verify};

const CREDENTIAL: &str = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    /// Besides `host`.
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    by_header: &'static str,
    presigned: &'static str,
}

const GET: Case = Case {
    name: "get-vanilla",
    method: "GET",
    path: "/",
    query: "",
    headers: &[],
    body: "",
    by_header: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    presigned: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
};

const POST: Case = Case {
    name: "post-vanilla",
    method: "POST",
    by_header: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    presigned: "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b",
    ..GET
};

const UNRESERVED: &str = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const UNRESERVED_QUERY: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FORM: &str = "application/x-www-form-urlencoded";
const FORM_SHA256: (&str, &str) =
    ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e");

const CASES: &[Case] = &[
    GET,
    POST,
    Case { name: "get-relative-relative", path: "/example1/example2/../..", ..GET },
    Case { name: "get-relative", path: "/example/..", ..GET },
    Case { name: "get-slash-dot-slash", path: "/./", ..GET },
    Case { name: "get-slash", path: "//", ..GET },
    Case {
        name: "get-slash-pointless-dot",
        path: "/./example",
        by_header: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        presigned: "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de",
        ..GET
    },
    Case {
        name: "get-slashes",
        path: "//example//",
        by_header: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        presigned: "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082",
        ..GET
    },
    Case {
        name: "get-space",
        path: "/example space/",
        by_header: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        presigned: "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6",
        ..GET
    },
    Case {
        name: "get-unreserved",
        path: UNRESERVED,
        by_header: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        presigned: "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005",
        ..GET
    },
    Case {
        name: "get-utf8",
        path: "/ሴ",
        by_header: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        presigned: "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        ..GET
    },
    Case {
        name: "get-vanilla-utf8-query",
        query: "ሴ=bar",
        by_header: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        presigned: "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600",
        ..GET
    },
    Case {
        name: "get-vanilla-query-unreserved",
        query: UNRESERVED_QUERY,
        by_header: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        presigned: "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf",
        ..GET
    },
    Case {
        name: "get-vanilla-query-order-encoded",
        query: "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        by_header: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        presigned: "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787",
        ..GET
    },
    Case {
        name: "get-vanilla-query-order-key-case",
        query: "Param2=value2&Param1=value1",
        by_header: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        presigned: "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
        ..GET
    },
    Case {
        name: "get-vanilla-empty-query-key",
        query: "Param1=value1",
        by_header: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        presigned: "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de",
        ..GET
    },
    Case {
        name: "get-header-key-duplicate",
        headers: &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
        by_header: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        presigned: "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97",
        ..GET
    },
    Case {
        name: "get-header-value-order",
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        by_header: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        presigned: "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e",
        ..GET
    },
    Case {
        name: "get-header-value-trim",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        by_header: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        presigned: "e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd3df3acd4",
        ..GET
    },
    Case {
        name: "post-header-key-sort",
        headers: &[("my-header1", "value1")],
        by_header: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        presigned: "c09d07e0d55871f10f2a6d350d994acf6825a3cae70673d7def55616e6119dd7",
        ..POST
    },
    Case {
        name: "post-header-value-case",
        headers: &[("my-header1", "VALUE1")],
        by_header: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        presigned: "0698bc9e4f7f9139065ba2909c0e99da257e8e2a42492a097bcd46d792391fed",
        ..POST
    },
    Case {
        name: "post-vanilla-query",
        query: "Param1=value1",
        by_header: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        presigned: "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682",
        ..POST
    },
    Case {
        name: "post-x-www-form-urlencoded",
        headers: &[("content-length", "13"), ("content-type", FORM), FORM_SHA256],
        body: "Param1=value1",
        by_header: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        presigned: "89a40deed0f26f9461242825a082d2222717248abc7ab41f552ad84a94ad46e9",
        ..POST
    },
    Case {
        name: "post-x-www-form-urlencoded-parameters",
        headers: &[
            ("content-length", "13"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            FORM_SHA256,
        ],
        body: "Param1=value1",
        by_header: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        presigned: "0dbeb9b026c7b6675f266b8427efec9b4fa8b1f6ef1477d717aea231106eab4d",
        ..POST
    },
];

impl Case {
    fn headers(&self, by_header: bool) -> (HeaderMap, String) {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("example.amazonaws.com"));
        for (name, value) in self.headers.iter().filter(|(name, _)| by_header || !name.starts_with("x-amz-")) {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if by_header {
            map.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        }
        let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let names = names.join(";");
        (map, names)
    }

    fn verify(&self, query: &str, headers: &HeaderMap) -> Result<(), Error> {
        let head = RequestHead { method: self.method, path: self.path, query, headers };
        let claim = parse(&head, Dialect::Service)?.unwrap();
        let policy = Policy { regions: &["us-east-1"], services: &["service"], skew: MAX_SKEW };
        let now = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let secret = Secret::new(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let body = Body::Whole(self.body.as_bytes());
        verify(&claim, &head, body, &secret, now, &policy, &SigningKeys::new()).map(drop)
    }
}

#[test]
fn by_header() {
    for case in CASES {
        let (mut map, names) = case.headers(true);
        let text =
            format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={names}, Signature={}", case.by_header);
        map.insert("authorization", text.parse().unwrap());
        if let Err(error) = case.verify(case.query, &map) {
            panic!("{}: {error:?}", case.name);
        }
    }
}

#[test]
fn presigned() {
    for case in CASES {
        let (map, names) = case.headers(false);
        let query = format!(
            "{}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders={}&X-Amz-Expires=3600&X-Amz-Signature={}",
            case.query,
            CREDENTIAL.replace('/', "%2F"),
            names.replace(';', "%3B"),
            case.presigned
        );
        if let Err(error) = case.verify(&query, &map) {
            panic!("{}: {error:?}", case.name);
        }
    }
}
