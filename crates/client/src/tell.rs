//! For tests alone.

use std::io::Write;

/// For whoever reads the output of the tests.
pub(crate) fn tell(text: &str) {
    // Past the capture of `print!` and its like: what a test counted stands in the output of those that pass, too.
    let _ = writeln!(std::io::stderr(), "{text}");
}
