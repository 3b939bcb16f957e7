//! How far it is, on a terminal and nowhere else.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two drawings.
const PAUSE: Duration = Duration::from_millis(200);

/// A line on standard error that is drawn over again and again, and is gone at the end.
pub(super) struct Progress {
    label: String,
    /// 0: not known.
    total: AtomicU64,
    begun: Instant,
    done: AtomicU64,
    /// When it was drawn last, if it is shown at all.
    drawn: Option<Mutex<Instant>>,
}

impl Progress {
    /// Of so many bytes, if that is known.
    pub(super) fn new(label: &str, total: Option<u64>, quiet: bool) -> Self {
        let begun = Instant::now();
        let shown = !quiet && io::stderr().is_terminal();
        // A name may hold anything, also what a terminal obeys.
        let label = label.escape_default().to_string();
        Self {
            label,
            total: AtomicU64::new(total.unwrap_or(0)),
            begun,
            done: AtomicU64::new(0),
            drawn: shown.then(|| Mutex::new(begun)),
        }
    }

    /// How many there will be, once that is known.
    pub(super) fn expect(&self, total: Option<u64>) {
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
    }

    /// So many bytes more.
    pub(super) fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Some(drawn) = &self.drawn else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.duration_since(*drawn) >= PAUSE {
            *drawn = now;
            let line =
                line(&self.label, done, Some(self.total.load(Ordering::Relaxed)), now.duration_since(self.begun));
            // Nobody minds a line that does not come.
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(label: &str, done: u64, total: Option<u64>, passed: Duration) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a rate for the eye")]
    let rate = done as f64 / passed.as_secs_f64().max(0.001);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for the eye")]
    let rate_bytes = rate as u64;
    let mut line = format!("{label}  {}", size(done));
    if let Some(total) = total.filter(|total| *total > 0 && *total >= done) {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds for the eye"
        )]
        let left = ((total - done) as f64 / rate.max(1.0)) as u64;
        let percent = u128::from(done) * 100 / u128::from(total);
        line +=
            &format!(" of {}  {percent} %  {}/s  {}:{:02} left", size(total), size(rate_bytes), left / 60, left % 60);
    } else {
        line += &format!("  {}/s", size(rate_bytes));
    }
    line
}

/// Bytes for people: three digits, or four, and a unit.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = usize::try_from(bytes.ilog2() / 10).unwrap_or(1);
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (20 << 30, "20.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_line_tells_what_is_known() {
        let second = Duration::from_secs(1);
        assert_eq!(line("a", 1 << 20, None, second), "a  1.0 MiB  1.0 MiB/s");
        assert_eq!(line("a", 1 << 20, Some(91 << 20), second), "a  1.0 MiB of 91.0 MiB  1 %  1.0 MiB/s  1:30 left");
        assert_eq!(line("a", 5, Some(4), second), "a  5 B  5 B/s", "a file that grew");
    }
}
