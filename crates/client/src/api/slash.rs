//! The calls about slash commands.

use awc::http::Method;

use super::{Api, Failure, read};
use crate::protocol::slash::{CommandDone, NewCommand, SlashCommand};

impl Api {
    /// The slash commands that the server has.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn commands(&self, bearer: &str) -> Result<Vec<SlashCommand>, Failure> {
        let request = self.request(Method::GET, &["api", "commands"]);
        read(self, request.bearer_auth(bearer).send()).await
    }

    /// Has a slash command carried out that was typed in this room. With a `client_id` it can be sent again when its answer
    /// was lost.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn run_command(
        &self,
        bearer: &str,
        room: &str,
        command: &NewCommand,
    ) -> Result<CommandDone, Failure> {
        let request = self.request(Method::POST, &["api", "rooms", room, "commands"]);
        read(self, request.bearer_auth(bearer).send_json(command)).await
    }
}
