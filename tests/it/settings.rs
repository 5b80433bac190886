//! `.env.example` names every setting of the program, with the default that the program has.

use std::{collections::BTreeMap, fs, path::Path};

use clap::Args as _;
use parlour::config::Settings;
use parlour_tui::settings::ClientSettings;

/// A line `#NAME=value` of the file.
struct Line {
    value: String,
    /// The block that it stands in says that there is no default.
    no_default: bool,
}

fn lines_of(text: &str) -> BTreeMap<String, Line> {
    let mut lines = BTreeMap::new();
    for block in text.split("\n\n") {
        let no_default = block.to_lowercase().contains("no default");
        for line in block.lines().map(str::trim) {
            let Some((name, value)) = line.strip_prefix('#').and_then(|l| l.split_once('=')) else {
                continue;
            };
            if name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            {
                let value = value.to_owned();
                let before = lines.insert(name.to_owned(), Line { value, no_default });
                assert!(before.is_none(), "{name} stands there twice");
            }
        }
    }
    lines
}

fn settings_of_the_program() -> BTreeMap<String, Option<String>> {
    let server = Settings::augment_args(clap::Command::new("serve"));
    let client = ClientSettings::augment_args(clap::Command::new("tui"));
    server
        .get_arguments()
        .chain(client.get_arguments())
        .map(|arg| {
            let name = arg
                .get_env()
                .unwrap_or_else(|| panic!("--{} cannot be set by the environment", arg.get_id()));
            let default = arg
                .get_default_values()
                .first()
                .map(|value| value.to_string_lossy().into_owned());
            (name.to_string_lossy().into_owned(), default)
        })
        .collect()
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".env.example");
    let text = fs::read_to_string(path).expect("a .env.example");
    let lines = lines_of(&text);
    let settings = settings_of_the_program();
    for (name, default) in &settings {
        let line = lines
            .get(name)
            .unwrap_or_else(|| panic!(".env.example does not name {name}"));
        match default {
            Some(default) => assert_eq!(&line.value, default, "{name} has another default"),
            None => assert!(
                line.no_default,
                "{name} has no default, and .env.example does not say so"
            ),
        }
    }
    for name in lines.keys() {
        assert!(
            settings.contains_key(name),
            ".env.example names {name}, which the program does not know"
        );
    }
}

#[test]
fn the_example_file_can_be_used_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".env.example");
    let text = fs::read_to_string(path).expect("a .env.example");
    let set: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(
        set,
        Vec::<&str>::new(),
        "everything is commented out, so that a copy changes nothing"
    );
}
