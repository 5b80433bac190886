//! What rooms may be called, and what a topic may hold.

use super::{
    limits::{MAX_ROOM_NAME, MAX_TOPIC},
    looks::reads_as,
};

/// Names that mean something else: the room that is always there, words of addresses, and what addresses everybody.
const RESERVED: [&str; 6] = ["general", "directory", "here", "room", "all", "everyone"];

/// Names by which a room that everyone finds would speak for whoever runs the server.
const OFFICIAL: [&str; 11] = [
    "admin",
    "admins",
    "administrator",
    "administrators",
    "moderator",
    "moderators",
    "official",
    "owner",
    "parlour",
    "root",
    "system",
];

/// Whether a public room may not have this name, which a private one may: it reads like that of whoever runs the server.
#[must_use]
pub fn is_official(name: &str) -> bool {
    OFFICIAL.iter().any(|word| is_read_as(name, word))
}

/// Whether people can read a name as this word, also with separators in it (`gene-ral`) or letters twice (`generall`).
fn is_read_as(name: &str, word: &str) -> bool {
    let once = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.dedup();
        letters.into_iter().collect::<String>()
    };
    let name = name.replace(['-', '_'], "");
    reads_as(&name, word) || (name.len() > word.len() && reads_as(&once(&name), &once(word)))
}

/// The form in which a name is kept: without the `#` and the space around it that people write, in small letters.
///
/// # Errors
/// Why no room may have this name, in a sentence.
pub fn read(text: &str) -> Result<String, String> {
    let name = text.trim();
    let name = name.strip_prefix('#').unwrap_or(name).to_ascii_lowercase();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > MAX_ROOM_NAME || !name.chars().all(allowed) {
        return Err(format!(
            "The name of a room must have 1 to {MAX_ROOM_NAME} characters: letters a to z, digits, _ and -."
        ));
    }
    if !name.contains(|c: char| c.is_ascii_lowercase()) {
        return Err(
            "The name of a room must hold a letter: digits alone are taken for a room's key."
                .into(),
        );
    }
    if name.starts_with(['_', '-']) || name.ends_with(['_', '-']) {
        return Err("The name of a room must begin and end with a letter or a digit.".into());
    }
    if RESERVED.iter().any(|word| is_read_as(&name, word)) {
        return Err("This name is reserved, or looks like one that is; choose another one.".into());
    }
    Ok(name)
}

/// The form of a name by which a public room has it for itself: the skeleton of UTS 39, of the characters that a name may
/// have, in small letters. It is stored, and never changes. What looks alike beyond that is in [`super::looks`].
#[must_use]
pub fn looks(name: &str) -> String {
    let mut looks = String::with_capacity(name.len());
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            '0' => looks.push('o'),
            '1' => looks.push('l'),
            'm' => looks.push_str("rn"),
            other => looks.push(other),
        }
    }
    looks
}

/// A topic as it is kept: without the space around it, and without the characters that turn the direction of what
/// follows, which could make a line say something else than it holds.
///
/// # Errors
/// Why no room may have this topic, in a sentence.
pub fn read_topic(text: &str) -> Result<String, String> {
    let is_turning = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = text.chars().filter(|c| !is_turning(*c)).collect();
    let topic = kept.trim();
    if topic.chars().count() > MAX_TOPIC {
        return Err(format!(
            "The topic of a room may have at most {MAX_TOPIC} characters."
        ));
    }
    // Also around it: what trims is for those who type, not for those who hide.
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(
            "The topic of a room is one line, without tabs and other control characters.".into(),
        );
    }
    if super::names::is_blank(topic) {
        return Ok(String::new());
    }
    Ok(topic.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_in_small_letters() {
        for (text, name) in [
            ("garden", "garden"),
            ("Garden", "garden"),
            (" #Garden ", "garden"),
            ("a", "a"),
            ("2026-plans", "2026-plans"),
            ("x_-x", "x_-x"),
            ("generals", "generals"),
            ("hereford", "hereford"),
            ("h3r3ford", "h3r3ford"),
            ("q4", "q4"),
            ("ail", "ail"),
            ("generally", "generally"),
            ("al", "al"),
            ("rome", "rome"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(name), "{text}");
        }
        assert_eq!(read(&"a".repeat(64)), Ok("a".repeat(64)));
    }

    #[test]
    fn a_name_that_speaks_for_whoever_runs_the_server_is_told_from_others() {
        for name in [
            "admin",
            "adm1n",
            "ad-min",
            "addmin",
            "system",
            "moderators",
            "0wner",
        ] {
            assert!(is_official(name) && read(name).is_ok(), "{name}");
        }
        for name in [
            "admins-only",
            "administration",
            "team",
            "support",
            "help",
            "garden",
            "rooot",
        ] {
            assert_eq!(is_official(name), name == "rooot", "{name}");
        }
    }

    #[test]
    fn what_can_be_no_name_or_means_something_else_is_refused() {
        for text in [
            "",
            " ",
            "#",
            "##x",
            "7",
            "1-2_3",
            "a b",
            "gärten",
            "а",
            "a\0",
            "a/b",
            "a.b",
            "General",
            "genera1",
            "generai",
            "GeneraI",
            "direct0ry",
            "_x",
            "-x",
            "x_",
            "x-",
            "#-x",
            "directory",
            "HERE",
            "room",
            "r00m",
            "roorn",
            "all",
            "a11",
            "everyone",
            "gener4l",
            "9en3ra1",
            "d1rectory",
            "direc7ory",
            "h3re",
            "4ll",
            "3v3ry0n3",
            "generall",
            "geeneerall",
            "gene-ral",
            "g-e-n-e-r-a-l",
            "gener4ll",
            "alll",
            "a-ll",
            "rooom",
            "direct_ory",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read(&"a".repeat(65)).is_err());
    }

    /// The whole table of confusable characters is not needed for those that a name may have.
    #[test]
    fn names_look_alike_as_unicode_has_it() {
        let of_unicode = |text: &str| {
            let skeleton: String = unicode_security::skeleton(text).collect();
            skeleton.to_ascii_lowercase()
        };
        let all = ('a'..='z').chain('0'..='9').chain(['_', '-']);
        for c in all {
            assert_eq!(looks(&c.to_string()), of_unicode(&c.to_string()), "{c}");
        }
        for (one, other) in [("com", "corn"), ("a1l", "all"), ("go0d", "good")] {
            assert_eq!(looks(one), looks(other));
        }
        assert_ne!(looks("tea"), looks("coffee"));
    }

    #[test]
    fn a_topic_is_one_line_that_says_what_it_holds() {
        assert_eq!(
            read_topic(" tea & 蛋糕 🍰 ").as_deref(),
            Ok("tea & 蛋糕 🍰")
        );
        assert_eq!(read_topic("a\u{202e}cba\u{2069}").as_deref(), Ok("acba"));
        for blank in ["", " \u{200b}", "\u{202e}"] {
            assert_eq!(read_topic(blank).as_deref(), Ok(""));
        }
        for wrong in [
            "a\nb",
            "a\n",
            "\u{84}",
            "a\tb",
            "a\0b",
            "a\u{1b}[31mb",
            "a\u{2028}b",
        ] {
            assert!(read_topic(wrong).is_err(), "{wrong:?}");
        }
        assert!(read_topic(&"é".repeat(MAX_TOPIC)).is_ok());
        assert!(read_topic(&"é".repeat(MAX_TOPIC + 1)).is_err());
    }
}
