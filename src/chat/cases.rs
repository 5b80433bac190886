//! The cases in `tests/fixtures/parsing.tsv`, which tests read.

/// The fields of all lines of this kind, as they are meant.
pub fn of_kind(kind: &str) -> Vec<Vec<String>> {
    let lines = include_str!("../../tests/fixtures/parsing.tsv").lines();
    let fields = lines.map(|line| line.split('\t'));
    let of_kind = fields.filter_map(|mut fields| {
        let is_so = fields.next() == Some(kind);
        is_so.then(|| fields.map(unescape).collect())
    });
    of_kind.collect()
}

fn unescape(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        plain.push(match chars.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('\\') => '\\',
            Some('u') => {
                let number: String = chars.by_ref().take_while(|c| *c != '}').skip(1).collect();
                let number = u32::from_str_radix(&number, 16).expect("a number");
                char::from_u32(number).expect("a character")
            }
            other => panic!("no such escape: {other:?} in {text:?}"),
        });
    }
    plain
}
