use keys::operation::tag::{ListResourceTagsRequest, Tag, TagResourceRequest, UntagResourceRequest};
use serde_json::json;

use crate::fixture::{Fixture, checked, code};

fn tag(key: &str, value: &str) -> Tag {
    Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }
}

async fn set(f: &Fixture, key: &str, tags: Vec<Tag>) -> &'static str {
    code(f.keys.tag_resource(&f.me, TagResourceRequest { key_id: key.to_owned(), tags }).await)
}

async fn listed(f: &Fixture, key: &str) -> Vec<Tag> {
    let request = ListResourceTagsRequest { key_id: key.to_owned(), ..Default::default() };
    f.keys.list_resource_tags(&f.me, request).await.unwrap().tags
}

#[tokio::test]
async fn tags_are_set_replaced_and_removed() {
    let f = Fixture::new().await;
    let key = f.key().await;
    assert_eq!(set(&f, &key, vec![tag("b", "1"), tag("a", "")]).await, "ok");
    assert_eq!(set(&f, &key, vec![tag("b", "2")]).await, "ok");
    assert_eq!(listed(&f, &key).await, [tag("a", ""), tag("b", "2")]);
    let request = UntagResourceRequest { key_id: key.clone(), tag_keys: vec!["a".to_owned(), "none".to_owned()] };
    assert_eq!(code(f.keys.untag_resource(&f.me, request).await), "ok");
    assert_eq!(listed(&f, &key).await, [tag("b", "2")]);
}

#[tokio::test]
async fn tags_are_checked() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for (tags, expected) in [
        (vec![tag("aws:x", "")], "TagException"),
        (vec![tag("AWS:x", "")], "TagException"),
        (vec![tag("a", "1"), tag("a", "2")], "TagException"),
        (vec![tag(&"k".repeat(128), &"v".repeat(256))], "ok"),
        ((0..51).map(|n| tag(&n.to_string(), "")).collect(), "TagException"),
        ((0..49).map(|n| tag(&n.to_string(), "")).collect(), "ok"),
        (vec![tag("one more", "")], "TagException"),
        (vec![tag("0", "new")], "ok"),
    ] {
        assert_eq!(set(&f, &key, tags.clone()).await, expected, "{tags:?}");
    }
    assert_eq!(listed(&f, &key).await.len(), 50);
    for (tag, expected) in [
        (json!({ "TagKey": "", "TagValue": "" }), "ValidationException"),
        (json!({ "TagKey": "k".repeat(129), "TagValue": "" }), "ValidationException"),
        (json!({ "TagKey": "k", "TagValue": "v".repeat(257) }), "ValidationException"),
        (json!({ "TagKey": "k" }), "ValidationException"),
        (json!({ "TagKey": "k".repeat(128), "TagValue": "v".repeat(256) }), "ok"),
    ] {
        assert_eq!(checked::<TagResourceRequest>(&json!({ "KeyId": key, "Tags": [tag] })), expected);
    }
}

#[tokio::test]
async fn tags_are_listed_in_pages() {
    let f = Fixture::new().await;
    let key = f.key().await;
    set(&f, &key, (0..5).map(|n| tag(&n.to_string(), "")).collect()).await;
    let (mut seen, mut marker) = (0, None);
    loop {
        let request = ListResourceTagsRequest { key_id: key.clone(), limit: Some(2), marker };
        let page = f.keys.list_resource_tags(&f.me, request).await.unwrap();
        seen += page.tags.len();
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, 5);
}
