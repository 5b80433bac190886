//! The words of a text, and where they stand in it.

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is compared: in small letters, without the signs behind it.
    pub said: String,
    /// As it was written.
    pub written: &'a str,
    /// Where it begins, in bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// All words of a text, in order.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let start = text.as_ptr() as usize;
    let place = |written: &str| written.as_ptr() as usize - start;
    let all = text.split_whitespace().map(|written| Word {
        said: plain(written),
        written,
        from: place(written),
        to: place(written) + written.len(),
    });
    all.collect()
}

fn plain(written: &str) -> String {
    let word = written.trim_end_matches([',', ';', ':', '!', '?']);
    let is_dotted = word.trim_end_matches('.').contains('.');
    let ends_in_digit = word
        .trim_end_matches('.')
        .ends_with(|c: char| c.is_ascii_digit());
    let word = if is_dotted || ends_in_digit {
        word
    } else {
        word.trim_end_matches('.')
    };
    word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain_and_know_their_place() {
        let text = "At 5 P.M., on Friday.  24.12. Ünder!";
        let found = words(text);
        let said: Vec<&str> = found.iter().map(|word| word.said.as_str()).collect();
        assert_eq!(said, ["at", "5", "p.m.", "on", "friday", "24.12.", "ünder"]);
        for word in &found {
            assert_eq!(&text[word.from..word.to], word.written);
        }
    }
}
