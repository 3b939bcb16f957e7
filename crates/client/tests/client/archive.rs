//! The public vectors, which lie beside the project and not in it; and as much of ZIP (APPNOTE 6.3) as their archives need.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

/// For whoever reads the output of the tests.
pub(crate) fn tell(text: &str) {
    // Past the capture of `print!` and its like: what a test counted stands in the output of those that pass, too.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A file of the folder of vectors; nothing, said loudly, if there is no such folder.
pub(crate) fn vectors(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if !folder.is_dir() {
        tell(&format!("\n*** NOT TESTED: {} is missing, and {name} with it ***\n", folder.display()));
        return None;
    }
    Some(std::fs::read(folder.join(name)).unwrap())
}

/// The files of an archive by their names.
pub(crate) fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let (count, mut at) = (short(archive, end + 10), long(archive, end + 16));
    let mut files = BTreeMap::new();
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (method, packed, plain) = (short(archive, at + 10), long(archive, at + 20), long(archive, at + 24));
        let (name, extra, comment) = (short(archive, at + 28), short(archive, at + 30), short(archive, at + 32));
        let local = long(archive, at + 42);
        let data = local + 30 + short(archive, local + 26) + short(archive, local + 28);
        let data = &archive[data..data + packed];
        let file = match method {
            0 => data.to_vec(),
            8 => miniz_oxide::inflate::decompress_to_vec_with_limit(data, plain).unwrap(),
            other => panic!("compression {other}"),
        };
        assert_eq!(file.len(), plain);
        let path = std::str::from_utf8(&archive[at + 46..at + 46 + name]).unwrap();
        files.insert(path.to_owned(), file);
        at += 46 + name + extra + comment;
    }
    files
}

fn short(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()).into()
}

fn long(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}
