//! Reading XML: a strict pull reader over `quick-xml`.
//!
//! Elements alone count: an attribute is skipped (`xmlns`, `xsi:type`), a namespace prefix too, as AWS reads them. Everything else that
//! XML knows (DTDs, entities but the five, processing instructions) is refused, so nothing expands and nothing is fetched.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The deepest nesting of any request is 4 (`AccessControlPolicy/AccessControlList/Grant/Grantee/ID` is 5).
pub(crate) const DEPTH_LIMIT: usize = 8;
/// The most elements: CompleteMultipartUpload with 10,000 parts of PartNumber, ETag and a checksum, and room for each part's whitespace.
pub(crate) const ELEMENT_LIMIT: usize = 50_000;
/// The longest text of one element in bytes: a key of 1,024 bytes with each byte written as a six-byte reference.
pub(crate) const TEXT_LIMIT: usize = 8_192;

/// `MalformedXML`: the document is not of the shape expected. What exactly was wrong is for a debugger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed XML: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// A document being read: a cursor that stands within one element at a time.
pub(crate) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    /// An `<a/>` was met: its end is owed.
    empty: bool,
    depth: usize,
    elements: usize,
}

impl<'a> Document<'a> {
    /// Reads a whole document whose root is `root`. `child` is called for each element in the root with its local name, and must consume it
    /// with [`Document::text`] or [`Document::children`].
    pub(crate) fn read(
        bytes: &'a [u8],
        root: &str,
        child: impl FnMut(&mut Document<'a>, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))?;
        let mut document = Document {
            reader: Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
            empty: false,
            depth: 0,
            elements: 0,
        };
        document.reader.config_mut().enable_all_checks(true);
        let Some(start) = document.next_start(true)? else { return Err(Malformed("no root element")) };
        if local_name(&start) != root {
            return Err(Malformed("another root element"));
        }
        document.children(child)?;
        match document.next_start(true)? {
            None => Ok(()),
            Some(_) => Err(Malformed("a second root element")),
        }
    }

    /// Consumes the current element, which holds elements alone.
    pub(crate) fn children(
        &mut self,
        mut child: impl FnMut(&mut Document<'a>, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let outer = self.depth;
        while let Some(start) = self.next_start(false)? {
            child(self, local_name(&start))?;
            if self.depth != outer {
                return Err(Malformed("an element was left half read"));
            }
        }
        Ok(())
    }

    /// Consumes the current element, which holds text alone.
    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => text.push(match reference.resolve_char_ref() {
                    Ok(Some(char)) => char,
                    Ok(None) => predefined(&reference).ok_or(Malformed("an unknown entity"))?,
                    Err(_) => return Err(Malformed("a bad character reference")),
                }),
                Event::Comment(_) => {}
                Event::End(_) => return Ok(text),
                _ => return Err(Malformed("an element within text")),
            }
            if text.len() > TEXT_LIMIT {
                return Err(Malformed("text too long"));
            }
        }
    }

    /// Consumes the current element, whatever is in it, calling `child` for each element.
    pub(crate) fn mixed(&mut self, child: fn(&mut Document<'a>) -> Result<(), Malformed>) -> Result<(), Malformed> {
        loop {
            match self.event()? {
                Event::Start(_) => child(self)?,
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(Malformed("unexpected end")),
                _ => {}
            }
        }
    }

    /// [`Document::text`] as `true` or `false` (XML Schema also knows 1 and 0).
    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.text()?.trim() {
            "true" | "1" | "TRUE" | "True" => Ok(true),
            "false" | "0" | "FALSE" | "False" => Ok(false),
            _ => Err(Malformed("not a boolean")),
        }
    }

    /// [`Document::text`] as a number without a sign.
    pub(crate) fn number<N: std::str::FromStr>(&mut self) -> Result<N, Malformed> {
        let text = self.text()?;
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().ok_or(Malformed("not a number"))
    }

    /// The next child's start, or `None` at the end of the current element (`outermost`: of the document).
    fn next_start(&mut self, outermost: bool) -> Result<Option<BytesStart<'a>>, Malformed> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some(start)),
                Event::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
                Event::Comment(_) => {}
                Event::Decl(_) if outermost && self.elements == 0 => {}
                Event::End(_) | Event::Eof => return Ok(None),
                _ => return Err(Malformed("text between elements")),
            }
        }
    }

    /// The next event; an empty element becomes a start and an end.
    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        if std::mem::take(&mut self.empty) {
            self.depth -= 1;
            return Ok(Event::End(quick_xml::events::BytesEnd::new("")));
        }
        let event = self.reader.read_event().map_err(|_| Malformed("not well-formed"))?;
        match event {
            Event::Start(start) => {
                self.enter()?;
                Ok(Event::Start(start))
            }
            Event::Empty(start) => {
                self.enter()?;
                self.empty = true;
                Ok(Event::Start(start))
            }
            Event::End(end) => {
                self.depth = self.depth.checked_sub(1).ok_or(Malformed("an end without a start"))?;
                Ok(Event::End(end))
            }
            Event::Eof if self.depth > 0 => Err(Malformed("unexpected end")),
            Event::DocType(_) => Err(Malformed("a document type")),
            Event::PI(_) => Err(Malformed("a processing instruction")),
            other => Ok(other),
        }
    }

    fn enter(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > DEPTH_LIMIT || self.elements > ELEMENT_LIMIT {
            return Err(Malformed("too deep or too many elements"));
        }
        Ok(())
    }
}

/// Stores a value that may stand once.
pub(crate) fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Malformed> {
    if slot.replace(value).is_some() { Err(Malformed("an element twice")) } else { Ok(()) }
}

fn local_name<'s>(start: &'s BytesStart<'_>) -> &'s str {
    let name: &'s str = start.name().into_inner();
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn texts(xml: &str) -> Result<Vec<String>, Malformed> {
        let mut found = Vec::new();
        Document::read(xml.as_bytes(), "R", |document, name| match name {
            "T" => {
                found.push(document.text()?);
                Ok(())
            }
            "E" => document.children(|document, _| {
                found.push(document.text()?);
                Ok(())
            }),
            _ => Err(Malformed("unknown")),
        })?;
        Ok(found)
    }

    #[test]
    fn elements_text_references_and_namespaces() {
        let xml = "<?xml version=\"1.0\"?>\n<a:R xmlns:a=\"x\"> <a:T>1 &amp;&#x41;<![CDATA[<]]></a:T><T/><!-- c --><E><X>2</X></E></a:R>\n";
        assert_eq!(texts(xml).unwrap(), ["1 &A<", "", "2"]);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("<R><T>{}</T></R>", "<T>".repeat(100_000));
        let bomb = "<!DOCTYPE R [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><R><T>&b;</T></R>";
        let long = format!("<R><T>{}</T></R>", "x".repeat(TEXT_LIMIT + 1));
        let many = format!("<R>{}</R>", "<T/>".repeat(ELEMENT_LIMIT + 1));
        let external = "<!DOCTYPE R SYSTEM \"file:///etc/passwd\"><R/>";
        for xml in [
            &deep,
            bomb,
            &long,
            &many,
            external,
            "",
            "<R>",
            "<R><T></R></T>",
            "<R/><R/>",
            "<R>x</R>",
            "<Q/>",
            "<R><T>&x;</T></R>",
        ] {
            assert!(texts(xml).is_err(), "{}", &xml[..xml.len().min(60)]);
        }
        for xml in [
            "<R><T>&#0;</T></R>",
            "<R><T>&#xd800;</T></R>",
            "</R>",
            "<R><T>a<T/></T></R>",
            "<?evil?><R/>",
            "<R",
            "<R><U/></R>",
            "x<R/>",
            "<R/>x",
        ] {
            assert!(texts(xml).is_err(), "{xml}");
        }
        assert!(Document::read(b"<R>\xff</R>", "R", |_, _| Ok(())).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in "[\u{1}-\u{ff}]{0,40}") {
            let xml = super::super::write::Writer::document("R", |xml| xml.text("T", &text));
            prop_assert_eq!(texts(&xml).unwrap(), [text]);
        }

        #[test]
        fn no_input_panics(xml in "[<>/A-Z&;! \\[\\]?-]{0,60}") {
            let _ = texts(&xml);
        }
    }
}
