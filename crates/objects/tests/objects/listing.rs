//! Listings of objects and uploads against a naive model, page by page.

use crate::support::{Way, World};
use objects::{ListUploads, Listing, UploadId};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A page as the model sees it: names (or name and upload) and prefixes, in the order in which a walk meets them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown<T> {
    Item(T),
    Prefix(String),
}

/// What S3 shows of sorted items: everything with the prefix and behind the marker, rolled up at the delimiter.
fn model<T: Clone>(
    items: &[T],
    name: impl Fn(&T) -> &str,
    prefix: &str,
    delimiter: Option<&str>,
    behind: impl Fn(&T) -> bool,
    marker: Option<&str>,
) -> Vec<Shown<T>> {
    let rolled = |name: &str| {
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = name.strip_prefix(prefix)?;
        rest.find(delimiter).map(|at| name[..prefix.len() + at + delimiter.len()].to_owned())
    };
    let passed = marker.and_then(rolled);
    let mut shown: Vec<Shown<T>> = Vec::new();
    for item in items.iter().filter(|item| name(item).starts_with(prefix)) {
        match rolled(name(item)) {
            Some(common) => {
                let before = marker.is_some_and(|marker| common.as_str() <= marker) || passed.as_ref() == Some(&common);
                let known = shown.iter().any(|shown| matches!(shown, Shown::Prefix(other) if *other == common));
                if !known && !before {
                    shown.push(Shown::Prefix(common));
                }
            }
            None if behind(item) => shown.push(Shown::Item(item.clone())),
            None => {}
        }
    }
    shown
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    let name = proptest::collection::vec(
        prop_oneof![Just("a"), Just("b"), Just("/"), Just("ä"), Just("\u{10ffff}"), Just("-")],
        1..6,
    );
    proptest::collection::btree_set(name.prop_map(|parts| parts.concat()), 0..25)
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("/"), Just("ä"), Just("b")], 0..3)
        .prop_map(|parts| parts.concat())
}

fn delimiters() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some("/")), Just(Some("a")), Just(Some("ä")), Just(Some("//")), Just(Some(""))]
        .prop_map(|delimiter| delimiter.map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn objects_as_the_model_lists_them(
        names in names(),
        requests in proptest::collection::vec((text(), delimiters(), proptest::option::of(text()), 1_usize..6), 24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let other = world.objects.create_bucket(&world.principal, &objects::BucketName::parse("other-bucket").unwrap()).await.unwrap();
            for name in &names {
                world.put(name, Way::SseS3, name.as_bytes()).await.unwrap();
            }
            let all: Vec<String> = names.into_iter().collect();
            for (prefix, delimiter, marker, size) in requests {
                let expected = model(
                    &all,
                    String::as_str,
                    &prefix,
                    delimiter.as_deref(),
                    |name| marker.as_ref().is_none_or(|marker| name > marker),
                    marker.as_deref(),
                );
                let request = Listing { prefix, delimiter, after: marker, max_keys: size };
                let found = pages(&world, request.clone()).await;
                assert_eq!(found, expected, "{request:?} of {all:?}");
            }
            assert!(world.objects.list_objects(&other, &Listing { max_keys: 9, ..Listing::default() }).await.unwrap().entries.is_empty());
        });
    }

    #[test]
    fn uploads_as_the_model_lists_them(
        names in names(),
        twice in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        requests in proptest::collection::vec((text(), delimiters(), proptest::option::of(text()), any::<prop::sample::Index>(), any::<bool>(), 1_usize..6), 24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let names: Vec<String> = names.into_iter().collect();
            let again: Vec<String> = twice.iter().filter(|_| !names.is_empty()).map(|index| index.get(&names).clone()).collect();
            let mut all = Vec::new();
            for name in names.iter().chain(&again) {
                all.push((name.clone(), world.create(name, Way::SseS3).await));
            }
            all.sort();
            for (prefix, delimiter, marker, which, with_upload, size) in requests {
                // Half of the markers name an upload that exists.
                let (after_name, after_upload) = if with_upload && !all.is_empty() {
                    let (name, id) = which.get(&all).clone();
                    (Some(name), Some(id))
                } else {
                    (marker, None)
                };
                let behind = |(name, id): &(String, UploadId)| match (&after_name, after_upload) {
                    (Some(after), Some(upload)) => (name, *id) > (after, upload),
                    (Some(after), None) => name > after,
                    (None, _) => true,
                };
                let expected = model(&all, |(name, _)| name.as_str(), &prefix, delimiter.as_deref(), behind, after_name.as_deref());
                let request = ListUploads { prefix, delimiter, after_name: after_name.clone(), after_upload, max_uploads: size };
                let found = upload_pages(&world, request.clone()).await;
                assert_eq!(found, expected, "{request:?} of {all:?}");
            }
        });
    }
}

/// The uploads of one name come in the order in which they began.
#[tokio::test]
async fn uploads_of_one_name_by_age() {
    let world = World::new().await;
    let mut begun = Vec::new();
    for _ in 0..5 {
        begun.push(Shown::Item(("name".to_owned(), world.create("name", Way::SseS3).await)));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let request = ListUploads { max_uploads: 2, ..ListUploads::default() };
    assert_eq!(upload_pages(&world, request).await, begun);
}

#[tokio::test]
async fn an_empty_page_for_a_limit_of_nothing() {
    let world = World::new().await;
    world.put("object", Way::SseS3, b"").await.unwrap();
    world.create("upload", Way::SseS3).await;
    let page = world.objects.list_objects(&world.bucket, &Listing::default()).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_none());
    let page = world.objects.list_uploads(&world.bucket, &ListUploads::default()).await.unwrap();
    assert!(page.uploads.is_empty() && page.next.is_none());
}

/// A prefix with thousands of names costs one line, wherever the page ends.
#[tokio::test]
async fn large_prefixes_are_skipped() {
    let world = World::new().await;
    for folder in ["a", "b", "c"] {
        for index in 0..600 {
            world.put(&format!("{folder}/{index:04}"), Way::SseS3, b"").await.unwrap();
        }
    }
    let request = Listing { delimiter: Some("/".to_owned()), max_keys: 2, ..Listing::default() };
    let expected = ["a/", "b/", "c/"].map(|prefix| Shown::Prefix(prefix.to_owned()));
    assert_eq!(pages(&world, request).await, expected);
    let request = Listing { prefix: "b/".to_owned(), max_keys: 1_000, ..Listing::default() };
    assert_eq!(pages(&world, request).await.len(), 600);
}

/// All pages, put back into one order.
async fn pages(world: &World, mut request: Listing) -> Vec<Shown<String>> {
    let mut all = Vec::new();
    loop {
        let page = world.objects.list_objects(&world.bucket, &request).await.unwrap();
        assert!(page.entries.len() + page.common_prefixes.len() <= request.max_keys);
        let mut shown: Vec<_> = page
            .entries
            .iter()
            .map(|entry| Shown::Item(entry.name.as_str().to_owned()))
            .chain(page.common_prefixes.into_iter().map(Shown::Prefix))
            .collect();
        shown.sort_by(|one, other| text_of(one).cmp(text_of(other)));
        if page.next.is_some() {
            assert_eq!(shown.len(), request.max_keys);
            assert_eq!(page.next.as_deref(), shown.last().map(text_of));
        }
        all.extend(shown);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return all,
        }
    }
}

fn text_of(shown: &Shown<String>) -> &str {
    match shown {
        Shown::Item(text) | Shown::Prefix(text) => text,
    }
}

async fn upload_pages(world: &World, mut request: ListUploads) -> Vec<Shown<(String, UploadId)>> {
    let mut all = Vec::new();
    loop {
        let page = world.objects.list_uploads(&world.bucket, &request).await.unwrap();
        assert!(page.uploads.len() + page.common_prefixes.len() <= request.max_uploads);
        let mut shown: Vec<_> = page
            .uploads
            .iter()
            .map(|upload| Shown::Item((upload.name.as_str().to_owned(), upload.id)))
            .chain(page.common_prefixes.into_iter().map(Shown::Prefix))
            .collect();
        shown.sort_by_key(|shown| match shown {
            Shown::Item((name, id)) => (name.clone(), Some(*id)),
            Shown::Prefix(prefix) => (prefix.clone(), None),
        });
        all.extend(shown);
        match page.next {
            Some((name, upload)) => (request.after_name, request.after_upload) = (Some(name), upload),
            None => return all,
        }
    }
}
