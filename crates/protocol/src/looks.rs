//! How names look: which ones people take for each other, and which read like a word that is kept for something else.

/// How a name looks at a glance: the same for two names that people take for each other. It is the skeleton of UTS 39, of
/// the characters that a name may have, as it is written: a capital `I`, an `l` and a `1` are one (a small `i` is none of
/// them: `Lia` is not `Ila`). It goes further: so are `vv` and `w`, and `_` and `-`.
#[must_use]
pub fn at_a_glance(name: &str) -> String {
    let looks = super::room_names::looks(&name.replace('I', "l"));
    looks.replace('w', "vv").replace('_', "-")
}

/// Whether people can read a name as this word: as it looks, or with digits for letters (`h3re`). Only words that are kept
/// for something else are compared so: among names it would make one of `q4` and `qa`.
#[must_use]
pub fn reads_as(name: &str, word: &str) -> bool {
    let wide = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.replace('m', "rn").replace('w', "vv")
    };
    let (name, meant) = (wide(name), wide(word));
    // In a short word a letter more or less is another name: Ali is not all.
    let is_long = word.len() > 3;
    name.len() == meant.len()
        && name
            .chars()
            .zip(meant.chars())
            .all(|(shown, meant)| shown == meant || is_read(shown, meant, is_long))
}

fn is_read(shown: char, meant: char, is_long: bool) -> bool {
    match shown {
        '0' => meant == 'o',
        '1' => matches!(meant, 'i' | 'l'),
        '3' => meant == 'e',
        '4' => meant == 'a',
        '5' => meant == 's',
        '7' => meant == 't',
        '8' => meant == 'b',
        '9' => meant == 'g',
        'i' | 'l' => is_long && matches!(meant, 'i' | 'l'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_each_other_look_alike() {
        for (one, other) in [
            ("general", "genera1"),
            ("general", "GeneraI"),
            ("west", "vvest"),
            ("wow", "vvovv"),
            ("corner", "comer"),
            ("modern", "rnodem"),
            ("tool", "t00l"),
            ("maria-clara", "maria_clara"),
            ("bill", "bi1l"),
            ("bill", "BiIl"),
            ("lia", "Iia"),
            ("alice", "aIice"),
            ("I0", "lO"),
            ("owl", "0vv1"),
        ] {
            assert_eq!(at_a_glance(one), at_a_glance(other), "{one} {other}");
        }
        for (one, other) in [
            ("q4", "qa"),
            ("west", "vest"),
            ("tea", "ted"),
            ("user1", "user2"),
            ("user10", "user11"),
            ("ab", "a-b"),
            ("anna", "hanna"),
            ("Lia", "Ila"),
            ("mail", "mall"),
            ("main", "maln"),
            ("corn", "corm"),
            ("3d", "ed"),
        ] {
            assert_ne!(at_a_glance(one), at_a_glance(other), "{one} {other}");
        }
    }

    /// In a database it is made out of what is stored, a character at a time: so no two may make a third.
    #[test]
    fn how_a_name_looks_is_made_a_character_at_a_time() {
        let all: Vec<_> = ('a'..='z')
            .chain('A'..='Z')
            .chain('0'..='9')
            .chain(['_', '-'])
            .collect();
        for one in &all {
            for other in &all {
                let apart = [one, other].map(|c| at_a_glance(&c.to_string())).concat();
                assert_eq!(at_a_glance(&format!("{one}{other}")), apart);
            }
        }
    }

    #[test]
    fn a_word_is_read_with_digits_for_letters() {
        for (name, word) in [
            ("adm1n", "admin"),
            ("ADMlN", "admin"),
            ("adrnin", "admin"),
            ("4dm1n", "admin"),
            ("3v3ry0n3", "everyone"),
            ("a11", "all"),
            ("8ot", "bot"),
            ("vvvvvv", "www"),
        ] {
            assert!(reads_as(name, word), "{name} {word}");
        }
        for (name, word) in [
            ("ali", "all"),
            ("ail", "all"),
            ("admins", "admin"),
            ("bat", "bot"),
        ] {
            assert!(!reads_as(name, word), "{name} {word}");
        }
    }
}
