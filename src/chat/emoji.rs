//! Emoji, as people react with them. One that can be written in several ways is one and the same reaction.

use crate::{
    error::{Error, Result},
    protocol::views::FieldError,
};

/// No emoji has more bytes.
const MAX_BYTES: usize = 64;

/// The form of an emoji in which alike ones are one: that which Unicode calls fully qualified.
///
/// # Errors
/// 422 for what is not exactly one emoji.
pub fn normalize(text: &str) -> Result<&'static str> {
    let known = (text.len() <= MAX_BYTES).then(|| emojis::get(text));
    known.flatten().map(emojis::Emoji::as_str).ok_or_else(|| {
        let msg = "`emoji` must be one emoji.";
        Error::invalid(vec![FieldError::path("emoji", msg)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_the_same_however_it_is_written() {
        for (written, same) in [
            ("👍", "👍"),
            ("👍🏽", "👍🏽"),
            ("\u{2639}", "\u{2639}\u{fe0f}"),
            ("\u{2764}", "\u{2764}\u{fe0f}"),
            ("\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}"),
            ("1\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("#\u{fe0f}\u{20e3}", "#\u{fe0f}\u{20e3}"),
            ("🇩🇪", "🇩🇪"),
            ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
            ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
            ("🧑🏿‍🤝‍🧑🏻", "🧑🏿‍🤝‍🧑🏻"),
            ("👁\u{200d}🗨", "👁\u{fe0f}\u{200d}🗨\u{fe0f}"),
            ("🕵🏽\u{200d}♀", "🕵🏽\u{200d}♀\u{fe0f}"),
            ("©", "©\u{fe0f}"),
        ] {
            assert_eq!(normalize(written).expect(written), same);
        }
    }

    #[test]
    fn what_is_not_one_emoji_is_refused() {
        let long = "👍".repeat(2_500);
        for text in [
            "",
            " ",
            "a",
            "1",
            "#",
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "\u{0}",
            "\u{fe0f}",
            "\u{200d}",
            "🇩",
            "🇩🇩",
            "é",
            "中",
            ":+1:",
            "👨\u{200d}",
            "\u{1f468}\u{200d}\u{1f34c}",
            &long,
        ] {
            assert!(normalize(text).is_err(), "{text:?}");
        }
    }
}
