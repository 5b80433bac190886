//! `.env.example` names every setting of the program, with the default that the program has.

use std::{collections::BTreeMap, fs};

use crate::support::{root, run};

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

/// Every setting that `parlour serve` and `parlour tui` tell of, by the name of its variable, with its default.
pub fn settings_of_the_program() -> BTreeMap<String, Option<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = BTreeMap::new();
    for command in ["serve", "tui"] {
        let help = run(&[command, "--help"], &[], folder.path()).stdout;
        let (_, options) = help.split_once("Options:").expect("options");
        for option in each_option(options) {
            let is_help = option.contains("--help");
            let Some((_, from_name)) = option.split_once("[env: ") else {
                assert!(is_help, "the environment cannot set this: {option}");
                continue;
            };
            let (variable, behind) = from_name.split_once(']').expect("an end");
            let name = variable.split('=').next().unwrap_or_default();
            let default = behind
                .strip_prefix(" [default: ")
                .and_then(|rest| rest.split_once(']'))
                .map(|(default, _)| default.to_owned());
            settings.insert(name.to_owned(), default);
        }
    }
    settings
}

/// What the help says of each option, on one line.
fn each_option(help: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for line in help.lines().map(str::trim) {
        let is_first = line.starts_with("--") || (line.starts_with('-') && line.contains(", --"));
        match options.last_mut() {
            Some(option) if !is_first => {
                option.push(' ');
                option.push_str(line);
            }
            _ => options.push(line.to_owned()),
        }
    }
    let words = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    options
        .iter()
        .map(words)
        .filter(|option| !option.is_empty())
        .collect()
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let path = root().join(".env.example");
    let text = fs::read_to_string(path).expect("a .env.example");
    let lines = lines_of(&text);
    let settings = settings_of_the_program();
    assert!(settings.len() > 20, "{settings:?}");
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
    let path = root().join(".env.example");
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
