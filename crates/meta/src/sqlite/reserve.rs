//! Room set aside for the day the disk is full, so that what frees room can still be committed.
//!
//! On a full disk the log can neither grow nor be carried over into a main file that has to grow for it: without a reserve not
//! even a deletion would find room, and nobody could free any. So a file of zeros lies beside the database. When room has
//! run out the committer removes it, and from then on takes deletions alone until there is room for the file again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes set aside: the log between two checkpoints (4 MiB) carried over, and as much again for deletions.
pub(super) const SIZE: usize = 8 * 1024 * 1024;

/// How often the committer looks whether there is room again.
const RETRY: Duration = Duration::from_secs(1);

/// Bytes written at once.
static CHUNK: [u8; 65_536] = [0; 65_536];

/// The file, or its absence.
pub(super) struct Reserve {
    path: PathBuf,
    spent: bool,
    tried: Option<Instant>,
}

impl Reserve {
    /// Sets the room aside if there is as much; otherwise it counts as spent.
    pub(super) fn new(path: PathBuf) -> Reserve {
        let mut reserve = Reserve { path, spent: true, tried: None };
        reserve.is_spent();
        reserve
    }

    /// Whether the room is needed; tries to set it aside again every [`RETRY`].
    pub(super) fn is_spent(&mut self) -> bool {
        if self.spent && self.tried.is_none_or(|tried| tried.elapsed() >= RETRY) {
            self.tried = Some(Instant::now());
            match self.fill() {
                Ok(()) => self.spent = false,
                Err(error) => {
                    let _ = fs::remove_file(&self.path);
                    tracing::warn!(%error, "no room for the metadata store's reserve: only deletions are taken");
                }
            }
        }
        self.spent
    }

    /// Gives the room up. Returns whether there was any to give.
    pub(super) fn spend(&mut self) -> bool {
        if self.spent {
            return false;
        }
        self.spent = true;
        self.tried = Some(Instant::now());
        fs::remove_file(&self.path).is_ok()
    }

    /// Zeros are written, not a hole: blocks are taken when they are written. Not synced, for a crash may lose the file.
    fn fill(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() == SIZE as u64) {
            return Ok(());
        }
        let mut file = File::create(&self.path)?;
        for _ in 0..SIZE / CHUNK.len() {
            file.write_all(&CHUNK)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn it_is_set_aside_spent_once_and_set_aside_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reserve");
        let mut reserve = Reserve::new(path.clone());
        assert_eq!(fs::metadata(&path).unwrap().len(), SIZE as u64);
        assert!(reserve.spend() && !reserve.spend());
        assert!(!path.exists() && reserve.is_spent(), "not at once, or it would take the room that was just given");
        reserve.tried = None;
        assert!(!reserve.is_spent() && path.exists());
    }

    #[test]
    fn where_there_is_no_room_it_counts_as_spent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Reserve::new(folder.path().join("no/reserve")).is_spent());
    }
}
