//! How large messages are in an answer, about: what a page of them is bounded by.

use crate::protocol::message::{Message, Reaction};

/// What a message has around its content, as JSON, about.
pub(super) const AROUND_CONTENT: usize = 400;

/// What an emoji among its reactions has around the names, about.
const AROUND_REACTION: usize = 80;

/// What one who has reacted has around the name, about.
const AROUND_NAME: usize = 40;

/// Leaves out what lies farthest from where the reader looks, so that the rest fits; tells whether there was any.
pub(super) fn trim(messages: &mut Vec<Message>, is_backwards: bool, most_bytes: usize) -> bool {
    let mut bytes = 0;
    let fits = |message: &&Message| {
        bytes += weight(message);
        bytes <= most_bytes
    };
    let count = if is_backwards {
        messages.iter().rev().take_while(fits).count()
    } else {
        messages.iter().take_while(fits).count()
    };
    let over = messages.len().saturating_sub(count.max(1));
    if is_backwards {
        messages.drain(..over);
    } else {
        messages.truncate(count.max(1));
    }
    over > 0
}

/// Bytes of a message as JSON, about.
pub(super) fn weight(message: &Message) -> usize {
    let named = |reaction: &Reaction| {
        let names = reaction.users.iter().map(|user| user.username.len());
        AROUND_REACTION + names.map(|name| AROUND_NAME + name).sum::<usize>()
    };
    let reactions: usize = message.reactions.iter().map(named).sum();
    let under = message.replies.iter().chain(&message.thread_replies);
    let people = under.flat_map(|replies| &replies.users);
    let replies: usize = people.map(|user| AROUND_NAME + user.username.len()).sum();
    let mentions = message.mentions.len() * AROUND_NAME;
    AROUND_CONTENT + json_length(&message.content) + reactions + replies + mentions
}

/// Bytes of a text as JSON, without its quotes.
pub(super) fn json_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_text_is_that_of_its_json() {
        for text in [
            "plain",
            "\u{1}\u{1f}\u{7f}\u{80}",
            "\"\\\n\r\t\u{8}\u{c}/é😀",
        ] {
            let json = serde_json::to_string(text).expect("JSON");
            assert_eq!(json_length(text), json.len() - 2, "{text:?}");
        }
    }
}
