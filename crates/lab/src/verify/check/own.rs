//! What someone sets for themselves, and no one else does: how far they have read, a draft, what they have saved, what they
//! follow, their status. Each of these has one hand that changes it, one act after the other; so what it is told to be, by
//! whatever road and after whatever fault, is what was acked last, or what is under way.

use super::Verdict;

/// What is set; `None`: nothing.
pub type Value = Option<String>;

/// What happened to it, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is to be this.
    Begun(Value),
    /// No one knows what became of an attempt. It is tried again.
    Unknown,
    /// It is this now.
    Acked,
    /// It is what it was.
    Refused,
    /// It was told to be this, by this road.
    Seen(&'static str, Value),
}

/// One thing that someone sets.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// What it is, and whose.
    pub what: String,
    /// All that happened to it.
    pub steps: Vec<Step>,
}

/// What it can be.
#[derive(Default)]
struct State {
    /// `None` as long as nothing is known of it.
    possible: Option<Vec<Value>>,
    /// What it is to be, and whether some attempt ended without anyone knowing how.
    wish: Option<(Value, bool)>,
    /// What it was to be in such attempts: one that was held up somewhere may still arrive.
    late: Vec<Value>,
}

/// Judges one.
pub fn check(register: &Register, verdict: &mut Verdict) {
    let mut state = State::default();
    for step in &register.steps {
        match step {
            Step::Begun(value) => state.wish = Some((value.clone(), false)),
            Step::Unknown => {
                if let Some((value, is_unknown)) = &mut state.wish {
                    *is_unknown = true;
                    state.late.push(value.clone());
                }
            }
            Step::Acked => {
                if let Some((value, _)) = state.wish.take() {
                    state.possible = Some(vec![value]);
                }
            }
            Step::Refused => state.wish = None,
            Step::Seen(road, value) => {
                if !state.allows(value) {
                    tell(register, (road, value), verdict);
                    state.possible = None;
                }
                if state.wish.is_none() && state.possible.is_none() {
                    state.possible = Some(vec![value.clone()]);
                }
            }
        }
    }
}

impl State {
    fn allows(&self, value: &Value) -> bool {
        let is_possible = self.possible.as_ref().is_none_or(|all| all.contains(value));
        let is_wished = self.wish.as_ref().is_some_and(|(wish, _)| wish == value);
        is_possible || is_wished || self.late.contains(value)
    }
}

fn tell(register: &Register, (road, value): (&str, &Value), verdict: &mut Verdict) {
    let was_set = register.steps.iter().any(|step| match step {
        Step::Begun(wish) => wish == value,
        Step::Seen(..) | Step::Unknown | Step::Acked | Step::Refused => false,
    });
    if was_set || value.is_none() {
        verdict.counts.lost += 1;
    } else {
        verdict.counts.phantom += 1;
    }
    let what = &register.what;
    let value = value.as_deref().unwrap_or("nothing");
    verdict.example(|| format!("{what} is {value} by {road}, and that is not what was acked"));
}

#[cfg(test)]
mod tests {
    use super::{super::Counts, Step::*, *};

    fn text(value: &str) -> String {
        value.to_owned()
    }

    fn counts(steps: &[Step]) -> Counts {
        let register = Register {
            what: "ann's marker".into(),
            steps: steps.to_vec(),
        };
        let mut verdict = Verdict::default();
        check(&register, &mut verdict);
        assert_eq!(verdict.counts.is_clean(), verdict.examples.is_empty());
        verdict.counts
    }

    fn lost() -> Counts {
        Counts {
            lost: 1,
            ..Counts::default()
        }
    }

    #[test]
    fn what_was_acked_is_there() {
        let set = [Begun(Some(text("5"))), Acked, Begun(Some(text("9"))), Acked];
        let seen = |value: Value| counts(&[&set[..], &[Seen("a page", value)]].concat());
        assert!(seen(Some(text("9"))).is_clean());
        // It has moved back by itself, or is gone.
        assert_eq!(seen(Some(text("5"))), lost());
        assert_eq!(seen(None), lost());
        let phantom = Counts {
            phantom: 1,
            ..Counts::default()
        };
        assert_eq!(seen(Some(text("7"))), phantom);
    }

    #[test]
    fn what_was_seen_first_is_what_it_was() {
        let seen = |value: &str| Seen("a page", Some(text(value)));
        assert!(counts(&[seen("4"), seen("4")]).is_clean());
        assert_eq!(counts(&[seen("4"), seen("3")]).phantom, 1);
        assert_eq!(
            counts(&[seen("4"), Begun(Some(text("5"))), Acked, seen("4")]).phantom,
            1
        );
    }

    #[test]
    fn what_is_under_way_may_be_there_or_not() {
        let begun = [Begun(Some(text("5"))), Acked, Begun(Some(text("9")))];
        for value in ["5", "9"] {
            let seen = [Seen("a page", Some(text(value)))];
            assert!(counts(&[&begun[..], &seen[..]].concat()).is_clean());
            let unknown = [&begun[..], &[Unknown], &seen[..]].concat();
            assert!(counts(&unknown).is_clean());
        }
        let acked = [
            &begun[..],
            &[Unknown, Acked, Seen("a page", Some(text("5")))],
        ]
        .concat();
        assert_eq!(counts(&acked), lost());
    }

    #[test]
    fn what_was_refused_is_not_there() {
        let steps = |last: &str| {
            let seen = Seen("a page", Some(text(last)));
            [
                Begun(Some(text("5"))),
                Acked,
                Begun(Some(text("9"))),
                Refused,
                seen,
            ]
        };
        assert!(counts(&steps("5")).is_clean());
        assert_eq!(counts(&steps("9")), lost());
    }

    #[test]
    fn what_was_held_up_may_arrive_late() {
        let steps = [
            Begun(Some(text("5"))),
            Unknown,
            Acked,
            Begun(Some(text("9"))),
            Acked,
            Seen("a page", Some(text("5"))),
        ];
        assert!(counts(&steps).is_clean());
    }
}
