//! S3's XML: read into a small tree, and text escaped to be written.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting that is read; no answer has more than 5.
const DEPTH: usize = 8;

/// Most elements: a page of 1,000 objects with a dozen members each, twice over.
const ELEMENTS: usize = 30_000;

/// An element: its name without a prefix, the text directly in it, and the elements in it. Attributes do not count.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root of a document. `None` for what is not well-formed, nests too deep, or has what S3 never sends: document types, processing
    /// instructions, entities but the five of XML.
    pub(super) fn parse(bytes: &[u8]) -> Option<Element> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().enable_all_checks(true);
        // The first is the document itself.
        let mut open = vec![Element::default()];
        let mut count = 0;
        loop {
            let event = reader.read_event().ok()?;
            if let Event::Start(start) | Event::Empty(start) = &event {
                count += 1;
                if count > ELEMENTS || open.len() > DEPTH {
                    return None;
                }
                open.push(Element { name: local_name(start), ..Element::default() });
            }
            match event {
                Event::Empty(_) | Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(part) => open.last_mut()?.text.push_str(&part.xml10_content()),
                Event::CData(part) => open.last_mut()?.text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => {
                    open.last_mut()?.text.push(match reference.resolve_char_ref().ok()? {
                        Some(character) => character,
                        None => predefined(&reference)?,
                    })
                }
                Event::Start(_) | Event::Comment(_) | Event::Decl(_) => {}
                Event::Eof => break,
                Event::DocType(_) | Event::PI(_) => return None,
            }
        }
        let [mut document] = <[Element; 1]>::try_from(open).ok()?;
        (document.children.len() == 1).then(|| document.children.pop())?
    }

    /// The elements of a name in this one.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of a name in this one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.trim())
    }

    /// The same, spaces and all.
    pub(super) fn verbatim(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str())
    }
}

fn local_name(start: &BytesStart<'_>) -> String {
    let name = start.name().into_inner();
    name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned()
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Appends text that stands between tags. A line end is written by its number, for a parser would change it; so is what XML 1.0 cannot
/// say, which S3 takes so all the same.
pub(super) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            character if character.is_control() => out.push_str(&format!("&#x{:X};", u32::from(character))),
            character => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn anything_ends_and_text_survives(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,50}") {
            let _ = Element::parse(&bytes);
            let _ = Element::parse(&[b"<a>", &bytes[..], b"</a>"].concat());
            let mut document = "<a><k>".to_owned();
            escape(&mut document, &text);
            document.push_str("</k></a>");
            let root = Element::parse(document.as_bytes()).unwrap();
            prop_assert_eq!(root.verbatim("k"), Some(&*text));
        }
    }

    #[test]
    fn elements_texts_and_references() {
        let root = Element::parse(
            b"<?xml version=\"1.0\"?>\n<s:R xmlns:s=\"x\"><K>a &amp;&#x41;<![CDATA[<]]> </K><E/><L><I>1</I></L><L><I>2</I></L></s:R>\n",
        )
        .unwrap();
        assert_eq!((&*root.name, root.get("K"), root.verbatim("K")), ("R", Some("a &A<"), Some("a &A< ")));
        assert_eq!((root.get("E"), root.get("X")), (Some(""), None));
        assert_eq!(root.all("L").filter_map(|item| item.get("I")).collect::<String>(), "12");
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(1_000_000);
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS));
        for text in [
            "",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<a>&e;</a>",
            "<?x y?><a/>",
            &deep,
            &wide,
        ] {
            assert!(Element::parse(text.as_bytes()).is_none(), "{}", &text[..text.len().min(60)]);
        }
        assert!(Element::parse(b"<a>\xff</a>").is_none());
    }

    #[test]
    fn what_is_escaped_reads_as_it_was() {
        let mut text = "<a><k>".to_owned();
        escape(&mut text, "a<&>\"'\r\n\t b");
        text.push_str("</k></a>");
        assert_eq!(Element::parse(text.as_bytes()).unwrap().verbatim("k"), Some("a<&>\"'\r\n\t b"));
    }
}
