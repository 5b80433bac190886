//! One of the company who has no socket: reads what has changed page by page, while the keeper takes them out and in.

use std::rc::Rc;

use super::Shared;
use crate::verify::{
    check::rooms::{Heard, Shown},
    crowd::Identity,
    rng::Rng,
};

/// Reads forever.
pub async fn read(shared: Rc<Shared>, mut identity: Identity, mut rng: Rng) {
    let book = &shared.book;
    let mut places: Vec<(usize, u64)> = (0..book.rooms.len())
        .map(|room| (book.open(room, identity.user(), Heard::Connected(None)), 0))
        .collect();
    loop {
        for (room, (view, cursor)) in book.rooms.iter().zip(&mut places) {
            let asked = book.now();
            // Each time from a little further back: what was read may have changed, and what was deleted is gone.
            let since = cursor.saturating_sub(rng.next() % 20);
            if let Some(page) = identity.changes(&room.key, since).await {
                let last = page.iter().map(|message| message.seq).max();
                *cursor = last.unwrap_or(since);
                let page = page.iter().map(Shown::of).collect();
                let number = book.find(&room.key).unwrap_or_default();
                book.hear(number, *view, Heard::Page(asked, page));
            }
        }
        identity.stay_logged_in().await;
        tokio::time::sleep(rng.millis(200, 600)).await;
    }
}
