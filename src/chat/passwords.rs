//! Checking passwords so that the time of the answer does not reveal whether the account exists; and hashing them, again
//! where `BCRYPT_COST` has changed.

use std::sync::{Mutex, PoisonError};

use crate::{
    crypto::{
        keyed::KeyedHash,
        password::{self, Form},
    },
    db::{
        Db,
        users::{self, User},
    },
    error::{Error, Result},
    gate::{Asker, Gate, Urgency},
    protocol::views::{ChangePassword, Login},
};

/// The bcrypt costs of the hashes in the database. After `BCRYPT_COST` was lowered, accounts whose owners have not logged in
/// since still take longer than a new one would. So that they do not stand out, the same share of the names without an
/// account takes as long, always the same names.
#[derive(Debug)]
pub struct HashCosts {
    names: Option<KeyedHash>,
    /// Costs, and how many accounts have a hash of each.
    known: Mutex<Vec<(u32, u64)>>,
}

impl HashCosts {
    /// Nothing is known yet. `secret` decides which names stand for which cost.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self {
            names: KeyedHash::new(secret, "cost of an unknown name"),
            known: Mutex::default(),
        }
    }

    fn set(&self, mut known: Vec<(u32, u64)>) {
        // Those are not checked, so no name stands for them.
        known.retain(|(cost, _)| *cost <= password::MAX_COST);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// The cost for a name without an account: `least`, or a higher one that stored hashes have.
    fn of_unknown(&self, name: &str, least: u32) -> u32 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all: u64 = known.iter().map(|(_, count)| count).sum();
        let Some(names) = self.names.as_ref().filter(|_| all > 0) else {
            return least;
        };
        let [a, b, c, d, ..] = names.bytes(name);
        // A place between 0 and `all`, evenly spread; the costliest lie at its beginning, so that names change to a
        // lower cost one after the other as accounts do.
        let mut place = u64::from(u32::from_be_bytes([a, b, c, d])).wrapping_mul(all) >> 32;
        for (cost, count) in known.iter().rev() {
            if place < *count {
                return least.max(*cost);
            }
            place -= count;
        }
        least
    }
}

/// Checks and hashes passwords.
pub struct Passwords {
    /// Where the hashes are stored.
    pub db: Db,
    /// Where the work is done.
    pub gate: Gate,
    /// What the stored hashes cost.
    pub costs: HashCosts,
    /// What a new one costs.
    pub cost: u32,
}

impl Passwords {
    /// Looks up the costs of the hashes in the database. To be called at the start, and regularly.
    pub async fn count_costs(&self) {
        match self.db.read(users::count_costs).await {
            Ok(known) => self.costs.set(known),
            Err(error) => log::debug!("the costs of the hashes were not counted: {}", error.code),
        }
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// 503.
    pub async fn hash(&self, password: String, asker: Asker) -> Result<String> {
        let cost = self.cost;
        self.gate
            .run_for(asker, Urgency::Urgent, move || {
                password::hash(&password, cost)
            })
            .await?
            .map_err(Error::internal)
    }

    /// The hash of a new password, for a user who gives the old one, too; `None` when the old one is wrong.
    ///
    /// # Errors
    /// 503.
    pub async fn replace(
        &self,
        user: &User,
        change: ChangePassword,
        asker: Asker,
    ) -> Result<Option<String>> {
        let (cost, hash) = (self.cost, checkable_hash(user, self.cost));
        let work = move || {
            password::verify(&change.current, &hash, cost)
                .is_some()
                .then(|| password::hash(&change.new, cost))
        };
        let hash = self.gate.run_for(asker, Urgency::Urgent, work).await?;
        hash.transpose().map_err(Error::internal)
    }

    /// Whether the password of a login is that of the account, and in which form. Takes as long where there is no account.
    ///
    /// # Errors
    /// 503.
    pub async fn check(
        &self,
        login: &Login,
        user: Option<&User>,
        asker: Asker,
    ) -> Result<Option<Form>> {
        let least = self.cost;
        let hash = user.map_or_else(
            || {
                let key = users::key_of(&login.username);
                dummy_hash(self.costs.of_unknown(&key, least))
            },
            |user| checkable_hash(user, least),
        );
        let password = login.password.clone();
        self.gate
            .run_for(asker, Urgency::Urgent, move || {
                password::verify(&password, &hash, least)
            })
            .await
    }

    /// Hashes a password that was right once more, if its hash is of another cost than the configured one or of a password
    /// that was not composed. In the background: the login does not wait for it.
    pub fn hash_again_if_outdated(&self, user: &User, password: String, form: Form, asker: Asker) {
        let cost = self.cost;
        if form == Form::Composed && password::cost_of(&user.password_hash) == Some(cost) {
            return;
        }
        let (gate, db) = (self.gate.clone(), self.db.clone());
        let (id, old) = (user.id, user.password_hash.clone());
        tokio::spawn(async move {
            let hashing = gate.run_for(asker, Urgency::CanWait, move || {
                password::hash(&password, cost)
            });
            match hashing.await {
                Ok(Ok(new)) => {
                    let stored = db.write(move |conn| users::update_hash(conn, id, &old, &new));
                    if let Err(error) = stored.await {
                        log::debug!("a new hash was not stored: {}", error.code);
                    }
                }
                // The old one keeps working; the next login tries again.
                Ok(Err(error)) => log::debug!("a password was not hashed again: {error}"),
                Err(error) => log::debug!("a password was not hashed again: {}", error.code),
            }
        });
    }
}

/// The hash of a user's password, or, where checking that would take the time of all other logins, one that nothing
/// matches.
fn checkable_hash(user: &User, least: u32) -> String {
    if !password::is_too_costly(&user.password_hash) {
        return user.password_hash.clone();
    }
    log::warn!(
        "the password of {} is not checked, so it counts as wrong: its hash has a cost above {}, which Parlour never makes. Give the account another with `parlour users set-password`.",
        user.username,
        password::MAX_COST
    );
    dummy_hash(least)
}

/// A well-formed hash of this cost that no password matches.
fn dummy_hash(cost: u32) -> String {
    format!("$2b${cost:02}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_takes_its_time_and_matches_nothing() {
        assert_eq!(password::cost_of(&dummy_hash(4)), Some(4));
        assert_eq!(password::verify("password", &dummy_hash(4), 4), None);
    }

    #[test]
    fn unknown_names_cost_what_accounts_cost() {
        let costs = HashCosts::new("a secret of the test, long enough to be one");
        let of_all = || -> Vec<u32> {
            (0..1_000)
                .map(|n| costs.of_unknown(&format!("name{n}"), 10))
                .collect()
        };
        assert!(of_all().iter().all(|cost| *cost == 10), "nothing is known");
        // Those below the configured cost take as long as one of that cost.
        costs.set(vec![(8, 30), (10, 30), (12, 40)]);
        let before = of_all();
        assert_eq!(before, of_all(), "a name keeps its cost");
        let dear = before.iter().filter(|cost| **cost == 12).count();
        assert!((300..500).contains(&dear), "{dear} of 1000 cost 12");
        assert!(before.iter().all(|cost| [10, 12].contains(cost)));
        // As accounts are hashed again, names follow, and none goes the other way.
        costs.set(vec![(10, 80), (12, 20)]);
        assert!(before.iter().zip(of_all()).all(|(old, new)| new <= *old));
        costs.set(vec![(10, 100)]);
        assert!(of_all().iter().all(|cost| *cost == 10));
        // What is not checked is not waited for either.
        costs.set(vec![(10, 1), (31, 100)]);
        assert!(of_all().iter().all(|cost| *cost == 10));
    }
}
