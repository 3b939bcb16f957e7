//! What a synchronization has to do: pure, over what is on both sides.

use std::collections::BTreeMap;

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// Bytes that AES-GCM adds.
const TAG: u64 = 16;

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalFile {
    /// In bytes.
    pub(super) length: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i128,
}

/// An object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RemoteObject {
    /// Of what is stored, in bytes.
    pub(super) sealed_length: u64,
    /// When it was stored: nanoseconds since 1970.
    pub(super) stored: i128,
}

impl RemoteObject {
    /// Whether a file of this length may be in it. AES-CBC, of old clients, pads to whole blocks.
    fn may_hold(self, length: u64) -> bool {
        self.sealed_length == length + TAG || self.sealed_length == (length / 16 + 1) * 16
    }
}

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// What is to be done with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes over.
    Transfer,
    /// The lengths are the same and the times do not tell: over, unless the object was made of a file of this very time.
    TransferUnlessOf(i128),
    /// It is on the target alone.
    Extra,
}

/// The steps, by name. What is the same on both sides has none.
pub(super) fn steps(
    direction: Direction,
    files: &BTreeMap<String, LocalFile>,
    objects: &BTreeMap<String, RemoteObject>,
) -> BTreeMap<String, Step> {
    let mut steps = BTreeMap::new();
    let (from_files, from_objects) = (direction == Direction::Up, direction == Direction::Down);
    for (name, file) in files {
        let step = match objects.get(name) {
            Some(object) => compared(direction, *file, *object),
            None => Some(if from_files { Step::Transfer } else { Step::Extra }),
        };
        steps.extend(step.map(|step| (name.clone(), step)));
    }
    for name in objects.keys().filter(|name| !files.contains_key(*name)) {
        steps.insert(name.clone(), if from_objects { Step::Transfer } else { Step::Extra });
    }
    steps
}

fn compared(direction: Direction, file: LocalFile, object: RemoteObject) -> Option<Step> {
    if !object.may_hold(file.length) {
        return Some(Step::Transfer);
    }
    // A service may tell its times in whole seconds in one place, and more precisely in another.
    let newer = match direction {
        Direction::Up => file.modified > whole(object.stored),
        Direction::Down => whole(object.stored) > whole(file.modified),
    };
    newer.then_some(Step::TransferUnlessOf(file.modified))
}

fn whole(time: i128) -> i128 {
    time.div_euclid(SECOND) * SECOND
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn file(length: u64, modified: i128) -> LocalFile {
        LocalFile { length, modified: modified * SECOND }
    }

    fn object(sealed_length: u64, stored: i128) -> RemoteObject {
        RemoteObject { sealed_length, stored: stored * SECOND }
    }

    fn step(direction: Direction, file: LocalFile, object: RemoteObject) -> Option<Step> {
        let (files, objects) = (BTreeMap::from([("a".to_owned(), file)]), BTreeMap::from([("a".to_owned(), object)]));
        steps(direction, &files, &objects).remove("a")
    }

    #[test]
    fn another_length_goes_over_whatever_the_times() {
        for direction in [Direction::Up, Direction::Down] {
            assert_eq!(step(direction, file(100, 5), object(117, 5)), Some(Step::Transfer));
            assert_eq!(step(direction, file(100, 5), object(116, 5)), None);
            assert_eq!(step(direction, file(100, 5), object(112, 5)), None, "AES-CBC");
        }
    }

    #[test]
    fn what_is_newer_goes_over_unless_it_is_the_same_after_all() {
        let ask = |at: i128| Some(Step::TransferUnlessOf(at * SECOND));
        assert_eq!(step(Direction::Up, file(100, 6), object(116, 5)), ask(6));
        assert_eq!(step(Direction::Up, file(100, 4), object(116, 5)), None);
        assert_eq!(step(Direction::Down, file(100, 4), object(116, 5)), ask(4));
        assert_eq!(step(Direction::Down, file(100, 6), object(116, 5)), None);
    }

    #[test]
    fn parts_of_seconds_decide_for_files_alone() {
        let half = SECOND / 2;
        let late = LocalFile { length: 100, modified: 5 * SECOND + half };
        assert_eq!(step(Direction::Up, late, object(116, 5)), Some(Step::TransferUnlessOf(5 * SECOND + half)));
        let precise = RemoteObject { sealed_length: 116, stored: 5 * SECOND + half };
        assert_eq!(step(Direction::Down, file(100, 5), precise), None, "it has the time of a download's header");
    }

    #[test]
    fn what_is_on_one_side_alone_goes_over_or_is_extra() {
        let files = BTreeMap::from([("here".to_owned(), file(1, 1))]);
        let objects = BTreeMap::from([("there".to_owned(), object(17, 1))]);
        let pair = |direction| steps(direction, &files, &objects).into_values().collect::<Vec<_>>();
        assert_eq!(pair(Direction::Up), [Step::Transfer, Step::Extra]);
        assert_eq!(pair(Direction::Down), [Step::Extra, Step::Transfer]);
    }
}
