//! Migrations run in the order of their names, once in each database: their numbers only ever grow.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::files;
use crate::support::root;

/// What is wrong with the migrations, each the name of its folder and the files in it. A number that is taken twice, or that is
/// below one that has run somewhere, is a migration that one database has and another has not.
fn migration_faults(migrations: &[(&str, &[&str])]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last: Option<u32> = None;
    let mut all = migrations.to_vec();
    all.sort_unstable();
    for (folder, files) in all {
        // 2026-11-22-000001_first
        let number = folder
            .split_once('_')
            .filter(|(version, name)| version.len() == 17 && !name.is_empty())
            .and_then(|(version, _)| version.rsplit_once('-'))
            .and_then(|(_, number)| number.parse().ok());
        let Some(number) = number else {
            faults.push(format!("migrations/{folder} is no day, number and name"));
            continue;
        };
        if last.is_some_and(|last| last >= number) {
            faults.push(format!(
                "migrations/{folder} has a number that is not above that of the one before it: give it the next that is free"
            ));
        }
        last = Some(number);
        for file in ["up.sql", "down.sql"] {
            if !files.contains(&file) {
                faults.push(format!("migrations/{folder} has no {file}"));
            }
        }
    }
    faults
}

/// Two who work side by side each take the next number.
#[test]
fn migrations_are_numbered_one_after_the_other_and_can_be_taken_back() {
    let mut all = Vec::new();
    files(&root().join("migrations"), &[], &mut all);
    let names = |path: &PathBuf| {
        let name = |path: Option<&Path>| {
            let name = path.and_then(Path::file_name).unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let text = fs::read_to_string(path).expect("a migration that can be read");
        (!text.trim().is_empty()).then(|| (name(path.parent()), name(Some(path))))
    };
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (folder, file) in all.iter().filter_map(names) {
        found.entry(folder).or_default().push(file);
    }
    assert!(found.len() > 10, "the migrations are not where they were");
    let files: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|(folder, files)| (folder.as_str(), files.iter().map(String::as_str).collect()))
        .collect();
    let migrations: Vec<(&str, &[&str])> = files
        .iter()
        .map(|(folder, files)| (*folder, files.as_slice()))
        .collect();
    let faults = migration_faults(&migrations);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));

    let both: &[&str] = &["down.sql", "up.sql"];
    let first = ("2026-11-22-000001_first", both);
    for (second, expected) in [
        (("2026-11-22-000001_other", both), "not above"),
        (("2026-11-27-000001_other", both), "not above"),
        (("2026-11-27-2_other", both), "is no day"),
        (("2026-11-27-000002", both), "is no day"),
        (("2026-11-27-000002_other", &both[..1]), "no up.sql"),
        (("2026-11-27-000002_other", &both[1..]), "no down.sql"),
    ] {
        let faults = migration_faults(&[first, second]);
        assert!(
            faults.len() == 1 && faults[0].contains(expected),
            "{second:?} gave {faults:?}"
        );
    }
}
