//! The `.env` file of the working folder, taken as it is written: what docker compose reads from an `env_file`, without
//! its substitutions. dotenvy puts the result into the environment, but alters `$` and `\` in values when it parses, so
//! the parsing is done here.

use std::{collections::BTreeMap, path::Path};

use super::{ConfigError, misspelled, wrong};

/// A setting as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    line: usize,
    value: String,
}

/// Reads `.env` in the working folder, if there is one, into the environment; what is set already, and not empty, stays.
/// Tells what looks like a mistake and need not be one: a name that is almost one of the known.
///
/// # Errors
/// When the file is there but cannot be read or understood: a sentence that names the line, never its content.
pub fn load_dotenv(known: &[String]) -> Result<Vec<String>, ConfigError> {
    // By its path: by name alone one would look for it in the folders above, too.
    load_env_file(Path::new(".env"), known)
}

/// The same for a file that lies elsewhere.
///
/// # Errors
/// As [`load_dotenv`].
pub fn load_env_file(path: &Path, known: &[String]) -> Result<Vec<String>, ConfigError> {
    let file = path.display().to_string();
    // Before it is opened: a pipe would be waited for, and some devices never end.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return wrong(format!(
            "{file} is a pipe, a device or a socket, which is not read: make it a file, or take it away."
        ));
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if path.symlink_metadata().is_ok() {
                return wrong(format!(
                    "{file} is a link to what is not there: mount or make that, or take the link away."
                ));
            }
            return Ok(Vec::new());
        }
        Err(error) => {
            return wrong(format!(
                "{file} is there, but cannot be read ({error}): check that it is a file, its owner and its mode."
            ));
        }
    };
    let mut notes = Vec::new();
    let entries = parse(decode(&bytes, &file)?, &file, &mut notes)?;
    for (name, entry) in &entries {
        if let Some(meant) = misspelled::meant_in_file(name, known) {
            notes.push(format!(
                "{file} sets {name} in line {}, which is no setting of Parlour: {meant} is.",
                entry.line
            ));
        }
    }
    let is_set =
        |name: &str| std::env::var_os(name).is_some_and(|value| !misspelled::is_blank(&value));
    let lines: Vec<String> = entries
        .iter()
        .filter(|(name, _)| !is_set(name))
        .map(|(name, entry)| format!("{name}=\"{}\"\n", escaped(&entry.value)))
        .collect();
    let text = lines.concat();
    dotenvy::from_read_override(text.as_bytes())
        .map_err(|_| ConfigError(format!("{file} cannot be put into the environment.")))?;
    Ok(notes)
}

/// So that dotenvy yields exactly this value.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\\' | '"' | '$' => text.extend(['\\', c]),
            other => text.push(other),
        }
    }
    text
}

fn decode<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, ConfigError> {
    let utf16 = || {
        wrong(format!(
            "{file} is written in UTF-16, as some editors and PowerShell do: save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)."
        ))
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return utf16();
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let line_of = |at: usize| bytes[..at].split(|&byte| byte == b'\n').count();
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        let every_other = bytes.get(at.wrapping_add(2)) == Some(&0);
        return if at < 2 && every_other {
            utf16()
        } else {
            wrong(format!(
                "Line {} of {file} holds a NUL byte: is it a text file?",
                line_of(at)
            ))
        };
    }
    std::str::from_utf8(bytes).map_err(|error| {
        ConfigError(format!(
            "Line {} of {file} is not UTF-8 (it may be Latin-1): save the file as UTF-8.",
            line_of(error.valid_up_to())
        ))
    })
}

fn parse(
    text: &str,
    file: &str,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Entry>, ConfigError> {
    let mut entries = BTreeMap::<String, Entry>::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (this, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = this.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            (rest, line) = (after, line + 1);
            continue;
        }
        let (name, from) = name_of(this).ok_or_else(|| {
            ConfigError(format!(
                "Line {line} of {file} is not of the form NAME=value."
            ))
        })?;
        let (value, used) = value_of(&rest[from..], file, line)?;
        let lines = rest[..from + used].matches('\n').count();
        rest = rest[from + used..].strip_prefix('\n').unwrap_or("");
        let entry = Entry { line, value };
        line += lines + 1;
        if let Some(before) = entries.insert(name.to_owned(), entry) {
            notes.push(format!(
                "{file} sets {name} more than once, first in line {}: the last one counts.",
                before.line
            ));
        }
    }
    Ok(entries)
}

/// The name of a line `NAME=`, perhaps behind `export`, and where its value begins.
fn name_of(line: &str) -> Option<(&str, usize)> {
    let (before, _) = line.split_once('=')?;
    let name = before.trim();
    let name = name
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .map_or(name, str::trim);
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on_well = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    (begins_well && goes_on_well).then_some((name, before.len() + 1))
}

/// A value and how many bytes it takes, up to the end of its (last) line.
fn value_of(text: &str, file: &str, line: usize) -> Result<(String, usize), ConfigError> {
    let end_of_line = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at);
    let start = text.len() - text.trim_start_matches([' ', '\t']).len();
    let body = &text[start..];
    match body.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let (value, used) = quoted(body, quote).ok_or_else(|| {
                ConfigError(format!(
                    "The quote that opens in line {line} of {file} is not closed."
                ))
            })?;
            let end = end_of_line(start + used);
            let behind = text[start + used..end].trim();
            if behind.is_empty() || behind.starts_with('#') {
                Ok((value, end))
            } else {
                wrong(format!(
                    "Line {line} of {file} goes on behind the closing quote: put all of the value into one pair of quotes."
                ))
            }
        }
        Some('\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}') => wrong(format!(
            "The value in line {line} of {file} stands in typographic quotes: use plain ones, or none."
        )),
        _ => {
            let end = end_of_line(0);
            let value = &text[..end];
            // A # begins a comment only behind a space.
            let comment = value
                .match_indices('#')
                .map(|(at, _)| at)
                .find(|&at| value[..at].ends_with([' ', '\t']) || value[..at].is_empty());
            let value = comment.map_or(value, |at| &value[..at]);
            Ok((value.trim().to_owned(), end))
        }
    }
}

/// What stands between a pair of quotes, and how many bytes that takes with them. Single quotes keep everything;
/// between double ones a backslash makes `\n`, `\r`, `\t`, and lets through quotes, backslashes and `$`.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value.replace("\r\n", "\n"), at + 1)),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                literal @ ('"' | '\\' | '$' | '\'') => value.push(literal),
                other => value.extend(['\\', other]),
            },
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        let mut notes = Vec::new();
        let entries = decode(bytes, ".env").and_then(|text| parse(text, ".env", &mut notes));
        entries
            .map(|all| {
                all.into_iter()
                    .map(|(name, entry)| (name, entry.value))
                    .collect()
            })
            .map_err(|error| error.0)
    }

    #[test]
    fn a_value_is_taken_as_it_is_written() {
        for (text, expected) in [
            ("A=b", "b"),
            ("A=", ""),
            ("A= ", ""),
            ("  A = b  ", "b"),
            ("export A=b", "b"),
            ("export\tA=b", "b"),
            ("A=b\r\n", "b"),
            ("A=$HOME/${X}$$y$", "$HOME/${X}$$y$"),
            ("A=\"$HOME\"", "$HOME"),
            ("A='$HOME'", "$HOME"),
            ("A=a\\b\\n", "a\\b\\n"),
            ("A='a\\nb'", "a\\nb"),
            ("A=\"a\\nb\\t\\\"c\\\\d\\$e\\f\"", "a\nb\t\"c\\d$e\\f"),
            ("A=two words", "two words"),
            ("A=a#b", "a#b"),
            ("A=a #b", "a"),
            ("A= # nothing", ""),
            ("A=#nothing", ""),
            ("A='a # b' # c", "a # b"),
            ("A=\"a # b\"\r\n", "a # b"),
            ("A=a\"b\"c'd", "a\"b\"c'd"),
            ("A=a=b==", "a=b=="),
            ("A='one\ntwo'", "one\ntwo"),
            ("A=\"one\r\ntwo\"\r\n", "one\ntwo"),
            ("A=\u{e9}\u{1f600}", "\u{e9}\u{1f600}"),
            ("\u{feff}A=b", "b"),
            ("A=one\nA=two", "two"),
            ("\n# A=no\n\nA=b\n\n", "b"),
        ] {
            let expected = Ok(vec![("A".to_owned(), expected.to_owned())]);
            assert_eq!(values(text.as_bytes()), expected, "{text:?}");
        }
        let several = values(b"A='x\ny'\nB=2\n#\nC=\"3\"");
        assert_eq!(several.map(|all| all.len()), Ok(3));
    }

    #[test]
    fn what_dotenvy_gets_is_what_it_gives_back() {
        for value in [
            "", "a b", "$HOME", "a\\nb", "\"'", "one\ntwo", "# no", " edge ", "\u{e9}", "a\tb",
            "\r",
        ] {
            let text = format!("A=\"{}\"\n", escaped(value));
            let read: Vec<_> = dotenvy::from_read_iter(text.as_bytes()).flatten().collect();
            assert_eq!(read, [("A".to_owned(), value.to_owned())], "{value:?}");
        }
    }

    #[test]
    fn a_line_that_is_not_right_is_told_by_its_number_and_without_its_content() {
        let utf16: Vec<u8> = "A=hunter2\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let with_mark = [&[0xff, 0xfe], utf16.as_slice()].concat();
        for (bytes, words) in [
            (&b"A=b\nhunter2\n"[..], "Line 2 of .env"),
            (b"# a\n\nA: hunter2", "Line 3 of .env"),
            (b"A=b\n=hunter2", "Line 2 of .env"),
            (b"A-B=hunter2", "Line 1 of .env"),
            (b"1A=hunter2", "Line 1 of .env"),
            (b"A hunter2=1", "Line 1 of .env"),
            (b"A=b\nB=\"hunter2\nC=1\n", "opens in line 2"),
            (b"A='x\ny'\nB='hunter2", "opens in line 3"),
            (b"A='hunter2' hunter2", "Line 1 of .env goes on"),
            ("A=\u{201c}hunter2\u{201d}".as_bytes(), "typographic"),
            (b"A=b\nB=hunter2\xe9", "Line 2 of .env is not UTF-8"),
            (b"A=b\nB=hunter2\0", "Line 2 of .env holds a NUL"),
            (&utf16, "UTF-16"),
            (&with_mark, "UTF-16"),
        ] {
            let said = values(bytes).expect_err("it is not right");
            assert!(said.contains(words), "{}: {said}", bytes.escape_ascii());
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
