//! Where statements stand in the text of a document, as the policy simulator counts.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A place in a text: both numbers from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// From where to where a statement stands.
///
/// AWS's simulator tells where its reader stood when it began the statement, which is behind the bracket or comma before it, or behind
/// the opening brace of a statement that stands alone; and where it stood when it ended, which is behind the closing brace. (AWS CLI
/// reference, examples of simulate-custom-policy; what it answers for AdministratorAccess: line 3, column 17 to line 8, column 6.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Behind its last character.
    pub end: Position,
}

#[derive(Deserialize)]
struct Statements<'t> {
    #[serde(rename = "Statement", borrow)]
    statement: &'t RawValue,
}

/// The places of a document's statements, in their order; empty for a text that is no policy.
pub fn statement_spans(text: &str) -> Vec<Span> {
    let Ok(Statements { statement }) = serde_json::from_str(text) else { return Vec::new() };
    let offset = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
    let span = |start: usize, end: usize| Span { start: position(text, start), end: position(text, end) };
    match serde_json::from_str::<Vec<&RawValue>>(statement.get()) {
        Ok(elements) => {
            let place = |element: &&RawValue| {
                let start = offset(element.get());
                let before = text.get(..start).unwrap_or_default().trim_end();
                span(before.len(), start + element.get().len())
            };
            elements.iter().map(place).collect()
        }
        Err(_) => {
            let start = offset(statement.get());
            vec![span(start + 1, start + statement.get().len())]
        }
    }
}

/// The place of a byte.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<[usize; 4]> {
        let numbers = |Span { start, end }| [start.line, start.column, end.line, end.column];
        statement_spans(text).into_iter().map(numbers).collect()
    }

    #[test]
    fn places_are_those_that_aws_tells() {
        let alone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
        assert_eq!(places(alone), [[1, 38, 1, 167]]);
        let administrator = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        assert_eq!(places(administrator), [[3, 17, 8, 6]]);
    }

    #[test]
    fn the_second_statement_begins_behind_the_comma() {
        assert_eq!(places(r#"{"Statement":[{},{"é":"x"}, {}]}"#), [[1, 15, 1, 17], [1, 18, 1, 27], [1, 28, 1, 31]]);
        assert_eq!(places("[]"), Vec::<[usize; 4]>::new());
    }
}
