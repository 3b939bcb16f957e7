//! Rendering XML: elements and text alone, as S3's answers are made of nothing else.

use std::fmt::{Display, Write};

/// The namespace of every answer but errors.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document being written.
pub(crate) struct Writer(String);

impl Writer {
    /// `<?xml ...?>` and the root element in S3's namespace, filled by `content`.
    pub(crate) fn document(root: &str, content: impl FnOnce(&mut Writer)) -> String {
        Writer::with_root(root, &format!(" xmlns=\"{NAMESPACE}\""), content)
    }

    /// The same without a namespace: error bodies.
    pub(crate) fn bare_document(root: &str, content: impl FnOnce(&mut Writer)) -> String {
        Writer::with_root(root, "", content)
    }

    fn with_root(root: &str, attributes: &str, content: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer(String::with_capacity(512));
        writer.put(format_args!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}{attributes}>"));
        content(&mut writer);
        writer.put(format_args!("</{root}>"));
        writer.0
    }

    /// `<name>...</name>`, filled by `content`.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Writer)) {
        self.put(format_args!("<{name}>"));
        content(self);
        self.put(format_args!("</{name}>"));
    }

    /// The same with attributes, written as they stand.
    pub(crate) fn element_with(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Writer)) {
        self.put(format_args!("<{name} {attributes}>"));
        content(self);
        self.put(format_args!("</{name}>"));
    }

    /// `<name>text</name>`, escaped.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.put(format_args!("<{name}>"));
        escape(&mut self.0, text);
        self.put(format_args!("</{name}>"));
    }

    /// Text of the current element, escaped.
    pub(crate) fn content(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// [`Writer::text`] of what is there, nothing otherwise.
    pub(crate) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// `<name>value</name>` for what needs no escaping: numbers and booleans.
    pub(crate) fn value(&mut self, name: &str, value: impl Display) {
        self.put(format_args!("<{name}>{value}</{name}>"));
    }

    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.0.write_fmt(arguments).expect("writing to a String cannot fail");
    }
}

/// The five entities, and character references for what a parser would drop or normalise. Control characters that XML 1.0 cannot hold
/// become references too, as at AWS: a parser may refuse them, and `encoding-type=url` is the way out that AWS offers.
pub(crate) fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) =
        rest.find(|char: char| matches!(char, '&' | '<' | '>' | '"' | '\'' | '\u{fffe}' | '\u{ffff}') || char < ' ')
    {
        let (clean, special) = rest.split_at(at);
        out.push_str(clean);
        let mut chars = special.chars();
        match chars.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\'') => out.push_str("&#39;"),
            Some(control) => write!(out, "&#x{:x};", u32::from(control)).expect("writing to a String cannot fail"),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_nests_and_escapes() {
        let text = Writer::document("Root", |xml| {
            xml.element("A", |xml| xml.text("Key", "a<b>&\"c\"'\r\n\u{1}ä"));
            xml.value("Size", 3);
            xml.optional("None", None);
        });
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><A><Key>a&lt;b&gt;&amp;&quot;c&quot;&#39;&#xd;&#xa;&#x1;ä</Key></A><Size>3</Size></Root>"
        );
    }
}
