//! A request's XML document as JSON, as records of S3 show it: elements by their names, those of one name as a list.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::json::{Object, text};

/// Writes the document's root as a member. What is no XML, or too deep, is left out.
pub(crate) fn write(document: &[u8], parameters: &mut Object<'_>) {
    let Some(root) = parse(document) else { return };
    if let [(name, element)] = &root.children[..] {
        element.write(parameters.member(name));
    }
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
        Object::write(out, |object| {
            for (index, (name, element)) in self.children.iter().enumerate() {
                let alike = || self.children.iter().filter(|(other, _)| other == name).map(|(_, element)| element);
                if self.children[..index].iter().any(|(earlier, _)| earlier == name) {
                    continue;
                }
                let place = object.member(name);
                if alike().count() == 1 {
                    element.write(place);
                    continue;
                }
                place.push(b'[');
                for (index, element) in alike().enumerate() {
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
        assert_eq!(shown("<a><b>1</b></a>"), r#"{"a":{"b":"1"}}"#);
        for bad in ["", "no", "<a>", "<a><b></a>", &"<a>".repeat(40)] {
            assert_eq!(shown(bad), "{}", "{bad}");
        }
    }
}
