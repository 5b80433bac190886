//! One change of a person after the other, so that what is told last is what was stored last.

use std::time::Duration;

use crate::{
    db::conn::TIMEOUT,
    error::{Error, Result},
    gate::{Place, Places},
};

/// How long one waits for a turn: as long as for the database. Whoever has waited for so long is told so, and nothing was begun.
const LONGEST_WAIT: Duration = TIMEOUT;

/// A lane for each person, in which they wait in the order in which they came.
#[derive(Default)]
pub struct Lanes(Places<i64>);

impl Lanes {
    /// Waits for this person's turn, which lasts until what is returned is dropped.
    ///
    /// # Errors
    /// 503 when those before take too long: the store is slow, or not there.
    pub(super) async fn turn(&self, user_id: i64) -> Result<Place> {
        self.turn_within(user_id, LONGEST_WAIT).await
    }

    async fn turn_within(&self, user_id: i64, longest: Duration) -> Result<Place> {
        tokio::time::timeout(longest, self.turn_at_last(user_id))
            .await
            .unwrap_or_else(|_| Err(Error::store_unavailable()))
    }

    /// The same, for what has to be told whenever that is.
    ///
    /// # Errors
    /// Never, by what is known.
    pub(super) async fn turn_at_last(&self, user_id: i64) -> Result<Place> {
        self.0.enter(user_id, 1).await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_too_long_is_told_and_keeps_nobody_else() {
        let lanes = Lanes::default();
        let held = lanes.turn(1).await.expect("it is free");
        assert!(lanes.turn(65).await.is_ok(), "it is another person's");
        let late = lanes.turn_within(1, Duration::from_millis(10)).await;
        assert_eq!(late.map(drop), Err(Error::store_unavailable()));
        drop(held);
        assert!(lanes.turn(1).await.is_ok(), "whoever gave up holds nothing");
    }
}
