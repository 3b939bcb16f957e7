//! A request's XML document as JSON, as records of S3 show it: elements by their names, those of one name as a list.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::json::{Object, text};
use super::limit::{self, LIMIT};

/// Writes the document's root as a member, unless its name is none that a document of S3 could have. What is no XML, or too deep, is
/// left out; what is longer than [`LIMIT`] is told of without being looked at.
pub(crate) fn write(document: &[u8], parameters: &mut Object<'_>) {
    if document.len() > LIMIT {
        return limit::omitted(parameters.member("document"), document.len());
    }
    let Some(root) = parse(document) else { return };
    if let [(name, element)] = &root.children[..]
        && is_root(name)
    {
        element.write(parameters.member(name));
    }
}

/// `Tagging`, but nothing that could stand for another parameter.
fn is_root(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    letters && name.starts_with(|first: char| first.is_ascii_uppercase()) && name != "Host"
}

#[derive(Default)]
struct Element {
    text: String,
    children: Vec<(String, Element)>,
}

fn parse(document: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_reader(document);
    let mut open = vec![(String::new(), Element::default())];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() > DEPTH {
                    return None;
                }
                open.push((start.local_name().as_ref().to_owned(), Element::default()));
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                open.last_mut()?.1.children.push((name, Element::default()));
            }
            Event::Text(piece) => open.last_mut()?.1.text.push_str(&piece.xml10_content()),
            Event::CData(piece) => open.last_mut()?.1.text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let text = &mut open.last_mut()?.1.text;
                match reference.resolve_char_ref().ok()? {
                    Some(char) => text.push(char),
                    None => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?),
                }
            }
            Event::End(_) => {
                let (name, element) = open.pop()?;
                open.last_mut()?.1.children.push((name, element));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    (open.len() == 1).then(|| open.pop())?.map(|(_, root)| root)
}

impl Element {
    fn write(&self, out: &mut Vec<u8>) {
        if self.children.is_empty() {
            return text(out, self.text.trim());
        }
        // The places of each name, in the order of the first.
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(self.children.len());
        let mut groups: Vec<(&str, Vec<&Element>)> = Vec::new();
        for (name, element) in &self.children {
            let place = *places.entry(name).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, alike)) => alike.push(element),
                None => groups.push((name, vec![element])),
            }
        }
        Object::write(out, |object| {
            for (name, alike) in groups {
                let place = object.member(name);
                if let [only] = alike[..] {
                    only.write(place);
                    continue;
                }
                place.push(b'[');
                for (index, element) in alike.into_iter().enumerate() {
                    if index > 0 {
                        place.push(b',');
                    }
                    element.write(place);
                }
                place.push(b']');
            }
        });
    }
}

/// Deeper than any document of S3.
const DEPTH: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn shown(document: &str) -> String {
        let mut out = Vec::new();
        Object::write(&mut out, |object| write(document.as_bytes(), object));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn documents_become_json() {
        let document = "<?xml version=\"1.0\"?><Tagging xmlns=\"x\"><TagSet><Tag><Key>a&amp;b</Key><Value/></Tag>\
                        <Tag><Key>c</Key><Value>&#100;</Value></Tag></TagSet></Tagging>";
        assert_eq!(
            shown(document),
            r#"{"Tagging":{"TagSet":{"Tag":[{"Key":"a&b","Value":""},{"Key":"c","Value":"d"}]}}}"#
        );
        assert_eq!(shown("<A><b>1</b></A>"), r#"{"A":{"b":"1"}}"#);
        for bad in ["", "no", "<a>", "<a><b></a>", &"<a>".repeat(40)] {
            assert_eq!(shown(bad), "{}", "{bad}");
        }
    }

    #[test]
    fn a_document_is_no_other_parameter() {
        for name in ["bucketName", "key", "Host", "X-Amz-Date"] {
            assert_eq!(shown(&format!("<{name}>x</{name}>")), "{}", "{name}");
        }
    }

    #[test]
    fn many_elements_cost_no_more_than_their_bytes() {
        let many: String = (0..12_000).map(|index| format!("<a{index}/>")).collect();
        let document = format!("<Tagging>{many}</Tagging>");
        assert!(document.len() <= LIMIT);
        let started = std::time::Instant::now();
        let json: serde_json::Value = serde_json::from_str(&shown(&document)).unwrap();
        assert_eq!(json["Tagging"].as_object().unwrap().len(), 12_000);
        let taken = started.elapsed();
        assert!(taken.as_millis() < 1_000, "{taken:?}");
        let longer = format!("<Tagging>{}</Tagging>", "<a/>".repeat(LIMIT / 4));
        let json: serde_json::Value = serde_json::from_str(&shown(&longer)).unwrap();
        assert_eq!(json["document"]["omitted"], true);
        assert_eq!(json["document"]["originalSize"], longer.len());
    }
}
