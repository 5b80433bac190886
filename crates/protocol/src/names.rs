//! Which names people may take, and which texts show nothing at all.

use std::borrow::Cow;

use super::{limits::NAME, looks::reads_as};

/// The beginning of the names under which the messages of deleted accounts are shown.
pub const DELETED: &str = "deleted-user-";

/// Names that others would take for the server or for whoever runs it, also with a number behind them. In lower case and
/// without separators.
const OFFICIAL: [&str; 39] = [
    // whoever runs this
    "admin",
    "admins",
    "administrator",
    "administrators",
    "root",
    "sysadmin",
    "superuser",
    "operator",
    "operators",
    "owner",
    "owners",
    "moderator",
    "moderators",
    "mod",
    "mods",
    "staff",
    "team",
    "support",
    "help",
    "helpdesk",
    "security",
    "abuse",
    "postmaster",
    "hostmaster",
    "webmaster",
    "info",
    "contact",
    "official",
    // the server
    "parlour",
    "system",
    "server",
    "service",
    "daemon",
    "bot",
    "robot",
    "noreply",
    "api",
    "www",
    "localhost",
];

/// Names that others would take for all who are there, also with a number behind them. In lower case and without separators.
const EVERYBODY: [&str; 5] = ["everyone", "everybody", "here", "channel", "general"];

/// Names that others would take for everybody or nobody, and those that programs in some languages stumble over. In lower
/// case and without separators.
const RESERVED: [&str; 18] = [
    // everybody, or nobody
    "all",
    "room",
    "rooms",
    "directory",
    "online",
    "nobody",
    "anonymous",
    "guest",
    "unknown",
    "deleted",
    "user",
    "users",
    "you",
    // what clients call the room of one's own notes
    "yourself",
    // words of programs
    "null",
    "undefined",
    "constructor",
    "prototype",
];

/// Whether an account may have this name, also an old one.
#[must_use]
pub fn is_username(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    NAME.contains(&text.chars().count()) && text.chars().all(allowed)
}

/// Why nobody may take this name, in a sentence; `None` when somebody may. Accounts that have such a name keep it.
#[must_use]
pub fn fault(name: &str) -> Option<Cow<'static, str>> {
    if !is_username(name) {
        let (least, most) = (NAME.start(), NAME.end());
        let text = format!(
            "A username must have {least} to {most} characters: letters A to Z, digits, _ and -."
        );
        Some(text.into())
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("A username must begin with a letter or a digit.".into())
    } else if !name.contains(|c: char| c.is_ascii_alphabetic()) {
        Some(
            "A username must hold a letter: digits alone are taken for an account's number.".into(),
        )
    } else if is_reserved(name) {
        Some("This username is reserved; choose another one.".into())
    } else {
        None
    }
}

/// Whether a name reads like one that is reserved: `SYSTEM-` and `ad_min` do, and so do `admin1` and `adm1n`.
fn is_reserved(name: &str) -> bool {
    let bare = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let (name, deleted) = (bare(name), bare(DELETED));
    let reads_as_one = |name: &str, words: &[&str]| words.iter().any(|word| reads_as(name, word));
    // Digits at the end may be a number, or stand for letters: `mod5` is both.
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = word != name && RESERVED.contains(&word);
    let mut parts = (word.len()..=name.len()).map(|end| &name[..end]);
    parts.any(|part| reads_as_one(part, &OFFICIAL) || reads_as_one(part, &EVERYBODY))
        // `user5` is a user with a number, and not `users`.
        || (!is_numbered && reads_as_one(&name, &RESERVED))
        || name
            .get(..deleted.len())
            .is_some_and(|start| reads_as(start, &deleted))
}

/// Whether a text shows nothing: it holds only white space, control characters, and characters that have no width and no
/// ink (Unicode's `Default_Ignorable_Code_Point`, and the blank Braille pattern).
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '\u{ad}'
                    | '\u{34f}'
                    | '\u{61c}'
                    | '\u{115f}'..='\u{1160}'
                    | '\u{17b4}'..='\u{17b5}'
                    | '\u{180b}'..='\u{180f}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{2800}'
                    | '\u{3164}'
                    | '\u{fe00}'..='\u{fe0f}'
                    | '\u{feff}'
                    | '\u{ffa0}'
                    | '\u{fff0}'..='\u{fffb}'
                    | '\u{1bca0}'..='\u{1bca3}'
                    | '\u{1d173}'..='\u{1d17a}'
                    | '\u{e0000}'..='\u{e0fff}'
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mislead_are_refused() {
        for name in [
            "admin",
            "Admin",
            "SYSTEM",
            "everyone",
            "here",
            "Yourself",
            "all",
            "room",
            "root",
            "parlour",
            "moderator",
            "support",
            "__proto__",
            "constructor",
            "prototype",
            "-rf",
            "--help",
            "_x_",
            "123",
            "1-2_3",
            "deleted-user-7",
            "Deleted-User-x",
            "deleted_user_7",
            "Parlour_",
            "SYSTEM-",
            "admin1",
            "ad-min",
            "a_d_m_i_n-007",
            "no-reply",
            "every-one",
            "De1eted-user-3",
            "deIeted-user-3",
            "d3l3t3d_us3r_3",
            "adm1n",
            "4dm1n",
            "admln",
            "adrnin",
            "adm1n7",
            "r00t",
            "5ystem",
            "supp0rt",
            "m0derator",
            "mods5",
            "b0t",
            "everyone1",
            "every0ne",
            "here2",
            "channe1",
            "genera1",
            "generai",
            "nul1",
            "us3r",
            "ab",
            "a b",
            "alice.",
        ] {
            assert!(fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_names_of_people_are_not() {
        for name in [
            "alice",
            "A-b_9",
            "9lives",
            "4-ever",
            "adminton",
            "hereford",
            "deleted-scenes",
            "rob",
            "ok-",
            "user1",
            "user5",
            "room5",
            "guest-7",
            "room101",
            "1admin",
            // thirty ordinary ones
            "ali",
            "gail",
            "neil",
            "eli",
            "lia",
            "mila",
            "emil",
            "will",
            "wilhelmina",
            "marion",
            "martin",
            "tim",
            "omar",
            "robin",
            "rob3rt",
            "l33t",
            "maria-2",
            "adam",
            "admiral",
            "roomba",
            "rooter",
            "bottom",
            "modesto",
            "staffan",
            "hereward",
            "teamster",
            "supporter9",
            "infojunkie",
            "allan",
            "user-friendly",
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
        assert!(
            (OFFICIAL.iter().chain(&EVERYBODY).chain(&RESERVED))
                .all(|word| is_username(word) || word.len() < 3)
        );
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in [
            "",
            " \t\n",
            "\u{200b}",
            "\u{2060}\u{feff}",
            "\u{fe0f}",
            "\u{e0041}\u{e007f}",
            "\u{2003}\u{3000}",
            "\u{3164}",
            "\u{202e}",
            "\u{ad}",
            "\u{2800}",
            "\u{85}\u{1b}",
            "\u{2028}\u{200d}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in [
            "a",
            "\u{200b}a",
            "👩\u{200d}🚀",
            "\u{301}",
            "。",
            "\u{fffd}",
            "‎.",
            "☃\u{fe0f}",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
