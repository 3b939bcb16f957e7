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
        cpu_of(&self.read("stat")?).ok_or_else(|| Error::Failed(format!("/proc/{}/stat cannot be read", self.0)))
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

/// User and system time of this thread, in seconds, to 10 ms.
pub(crate) fn thread_cpu_seconds() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/stat")?;
    cpu_of(&text).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

fn cpu_of(stat: &str) -> Option<f64> {
    // The name in parentheses may hold anything; the fields that count come after the last one.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    // utime and stime are fields 14 and 15 of the line, 11 and 12 after the name.
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
