//! What the user says of themselves: a name, pronouns, a few words.

use parlour_client::{api::Ask, effect::Effect};

use super::{
    commands::Action,
    state::{About, State},
    telling,
};
use crate::protocol::people::{Profile, ProfilePatch};

/// Says something else of the user; `-` takes away what is said.
#[must_use]
pub fn set(action: Action, rest: &str) -> Vec<Effect> {
    let text = Some(if rest == "-" { "" } else { rest }.to_owned());
    let patch = match action {
        Action::Name => ProfilePatch {
            display_name: text,
            ..ProfilePatch::default()
        },
        Action::Pronouns => ProfilePatch {
            pronouns: text,
            ..ProfilePatch::default()
        },
        _ => ProfilePatch {
            bio: text,
            ..ProfilePatch::default()
        },
    };
    vec![Effect::Ask(Ask::Profile(patch))]
}

/// It is said.
pub fn is_set(state: &mut State, patch: &ProfilePatch, profile: &Profile) {
    let about = &profile.about;
    let told = if patch.display_name.is_some() {
        match &about.display_name {
            Some(name) => format!("Others see you as {name}."),
            None => format!("Others see you as {}.", profile.username),
        }
    } else if patch.pronouns.is_some() {
        match &about.pronouns {
            Some(pronouns) => format!("Your pronouns are {pronouns}."),
            None => "You tell no pronouns any more.".to_owned(),
        }
    } else if patch.bio.is_some() {
        match &about.bio {
            Some(_) => format!("Others read it: /whois {} shows it.", profile.username),
            None => "You say nothing of yourself any more.".to_owned(),
        }
    } else {
        return telling::is_set(state, profile);
    };
    state.hint(About::Typed, told);
}
