//! Whatever a stranger sends as a policy: parsing never panics, a verdict has its reason, and a deny wins beside anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Caller, ContextMap, Document, Kind, RequestContext, Verdict, evaluate};
use std::sync::LazyLock;

static DENY: LazyLock<Document> = LazyLock::new(|| {
    let text = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;
    Document::parse(text, Kind::Bucket).expect("a policy")
});

fuzz_target!(|input: (u8, &str, &str)| {
    let (kind, text, value) = input;
    let kind = [Kind::Identity, Kind::Key, Kind::Bucket, Kind::Trust][usize::from(kind) % 4];
    // What nobody would guess stands ready: a whole statement around a condition.
    let framed = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"s3:*","Resource":"arn:*","Condition":{text}}}}}"#
    );
    for (kind, text) in [(kind, text), (Kind::Identity, &framed)] {
        let Ok(document) = Document::parse(text, kind) else { continue };
        let context = ContextMap::new()
            .with("aws:username", value)
            .with("aws:SourceIp", value)
            .with("aws:CurrentTime", value)
            .with_many("aws:TagKeys", [value, "a"]);
        let names = ["arn:aws:iam::111122223333:user/a"];
        let caller = Caller::Aws { account: "111122223333", names: &names, canonical_user: None };
        let request = RequestContext { caller, action: "s3:GetObject", resource: value, context: &context };
        let documents = [&document, &*DENY];
        let decision = evaluate(&documents[..1], &request);
        assert_eq!(decision.statement.is_none(), decision.verdict == Verdict::ImplicitDeny);
        assert_eq!(evaluate(&documents, &request).verdict, Verdict::ExplicitDeny);
    }
});
