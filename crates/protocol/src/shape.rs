//! What is wrong with the shape of JSON, in words that do not repeat what was sent: it may be long, or secret.

/// serde's sentence about a value, without the value and without the place.
pub(super) fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let without_place = |text: &str| {
        text.rsplit_once(" at line ")
            .map_or(text, |(text, _)| text)
            .to_owned()
    };
    // `invalid type: string "…", expected u64 at line 1 column 9`: whatever the value says, the last one is serde's.
    let Some((found, expected)) = text.rsplit_once(", expected ") else {
        return without_place(&text);
    };
    let kind_ends = found.find(['"', '`']).unwrap_or(found.len());
    let kind = found.get(..kind_ends).unwrap_or_default().trim_end();
    let expected = without_place(expected);
    let expected = match expected.as_str() {
        "u64" | "u32" => "a whole number from 0 on",
        // One of a few words, which could be an object to serde.
        "string or map" => "a string",
        expected => expected,
    };
    format!("{kind}, expected {expected}")
}

/// Whether it is about a number that no computer holds, such as 1e999. That is JSON, though serde says it is none.
pub(super) fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_not_repeated() {
        let told = |json: &str| {
            let error = serde_json::from_str::<Vec<u64>>(json).expect_err("is no list of numbers");
            let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
            let without_place =
                serde_json::from_value::<Vec<u64>>(value).expect_err("is no list of numbers");
            assert_eq!(sentence(&error), sentence(&without_place));
            sentence(&error)
        };
        for (json, expected) in [
            (
                r#"["my \" secret, expected u8 at line 9"]"#,
                "invalid type: string, expected a whole number from 0 on",
            ),
            (
                "[-5]",
                "invalid value: integer, expected a whole number from 0 on",
            ),
            ("null", "invalid type: null, expected a sequence"),
        ] {
            assert_eq!(told(json), expected);
        }
    }
}
