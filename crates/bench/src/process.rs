//! What the kernel says of another process: CPU time and memory, from proc(5).

use crate::Error;

/// Clock ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux architecture that Rust serves.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// User and system time since its start, in seconds, to 10 ms.
    pub(crate) fn cpu_seconds(self) -> Result<f64, Error> {
        let text = self.read("stat")?;
        // The name in parentheses may hold anything; the fields that count come after the last one.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
        // utime and stime are fields 14 and 15 of the line, 11 and 12 after the name and state.
        match (ticks(11), ticks(12)) {
            (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
            _ => Err(Error::Failed(format!("/proc/{}/stat cannot be read", self.0))),
        }
    }

    /// Resident memory now, in MiB.
    pub(crate) fn resident_mib(self) -> Result<f64, Error> {
        self.status_mib("VmRSS:")
    }

    /// The most resident memory since the last [`Process::reset_peak`], in MiB.
    pub(crate) fn peak_mib(self) -> Result<f64, Error> {
        self.status_mib("VmHWM:")
    }

    /// Starts a new measurement of the peak; a kernel that refuses leaves the old one running.
    pub(crate) fn reset_peak(self) {
        // "5" resets the high water mark: proc_pid_clear_refs(5).
        drop(std::fs::write(format!("/proc/{}/clear_refs", self.0), "5"));
    }

    fn status_mib(self, name: &str) -> Result<f64, Error> {
        let text = self.read("status")?;
        let kib = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| Error::Failed(format!("/proc/{}/status has no {name}", self.0)))
    }

    fn read(self, file: &str) -> Result<String, Error> {
        let path = format!("/proc/{}/{file}", self.0);
        std::fs::read_to_string(&path).map_err(|error| Error::Io(path, error))
    }
}
