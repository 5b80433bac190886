//! The bytes that fuzzing begins with, and those it has found something with: whatever comes, no panic, and the
//! promises of each reader hold. `scripts/fuzz` goes on from here.

use std::{fs, path::Path};

#[path = "../../../../fuzz/src/promises.rs"]
mod promises;

/// What the promises are about, from the program itself. (The fuzz targets build the same files on their own.)
mod subject {
    pub use crate::{
        protocol::{body, command, limits, names, views},
        ws::frames::{FrameDecoder, Inbound, Violation},
    };
}

/// A reader's folder under `fuzz/corpus`, and what is promised of the reader.
type Reader = (&'static str, fn(&[u8]));

const READERS: [Reader; 6] = [
    ("frames", promises::frames),
    ("commands", promises::commands),
    ("register", promises::register),
    ("login", promises::login),
    ("refresh", promises::refresh),
    ("message", promises::message),
];

#[test]
fn every_reader_keeps_its_promises_on_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (reader, check) in READERS {
        let target = fuzz.join("fuzz_targets").join(reader).with_extension("rs");
        assert!(target.is_file(), "nothing fuzzes {reader}");
        let folder = fuzz.join("corpus").join(reader);
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file");
            // On failure this line says which file it was.
            println!("{}", path.display());
            // As it is, and broken off everywhere.
            for end in 0..=bytes.len() {
                check(&bytes[..end]);
            }
            count += 1;
        }
        assert!(count >= 5, "{reader}: only {count} files");
    }
    let targets = fs::read_dir(fuzz.join("fuzz_targets"))
        .expect("targets")
        .count();
    assert_eq!(
        targets,
        READERS.len(),
        "a fuzz target whose corpus is not tested"
    );
}
