//! Slash commands of a socket: each becomes what another frame would have asked for.

use std::sync::Arc;

use super::{ChatSession, Context, commands::Owed};
use crate::{
    chat::slash::{Asked, Meaning, parse, status_sentence},
    protocol::slash::SendCommand,
};

impl ChatSession {
    /// Has a slash command carried out.
    pub(super) fn run_command(
        &mut self,
        reference: Option<String>,
        SendCommand { room, command }: SendCommand,
        ctx: &mut Context,
    ) {
        match parse::read(&room, command) {
            Err(error) => self.send_error(reference, &error),
            Ok(Asked {
                meaning: Meaning::Deed(deed),
                note,
            }) => {
                let owed = Owed {
                    reference,
                    note: Some(note),
                };
                self.perform_owed(owed, deed, ctx);
            }
            Ok(Asked {
                meaning: Meaning::Status(wish),
                ..
            }) => {
                let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
                let setting = async move {
                    let status = app.slash.set_status(&caller, &room, wish).await?;
                    Ok(Some(status_sentence(&status)))
                };
                self.run_for_people(reference, setting, ctx);
            }
            Ok(Asked {
                meaning: Meaning::Remind(reminder),
                ..
            }) => {
                let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
                let keeping = async move {
                    let kept = app.slash.remind(&caller, &room, reminder).await?;
                    Ok(Some(kept.sentence()))
                };
                self.run_for_people(reference, keeping, ctx);
            }
        }
    }
}
