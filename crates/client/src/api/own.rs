//! The calls about what is of the user alone: what is unread, the threads that they follow, what they have begun to write,
//! what they have saved and what is to be said later.

use super::{Answer, Api, Ask, Failure, ThreadsPage, read};
use crate::protocol::{
    kept::{Draft, NewDraft},
    limits::MAX_PAGE,
};
use awc::http::Method;

impl Api {
    /// Asks something about the user's own.
    pub(super) async fn ask_own(&self, bearer: &str, ask: &Ask) -> Result<Answer, Failure> {
        let call = |method, path: &[&str]| self.request(method, path).bearer_auth(bearer);
        match ask {
            Ask::Unread { room, .. } => {
                let request = call(Method::GET, &["api", "rooms", room]);
                let room = read(self, request.send()).await?;
                Ok(Answer::Room(Box::new(room)))
            }
            Ask::Threads { cursor, .. } => {
                let mut url = self.url(&["api", "threads"]);
                url.query_pairs_mut()
                    .append_pair("limit", &MAX_PAGE.to_string());
                if let Some(cursor) = cursor {
                    url.query_pairs_mut().append_pair("cursor", cursor);
                }
                let (threads, next) = self.list(url, bearer).await?;
                Ok(Answer::Threads(ThreadsPage { threads, next }))
            }
            Ask::Follow { room, id, on } => {
                let id = id.to_string();
                let path = ["api", "rooms", room, "messages", &id, "follow"];
                self.done(call(put_or_delete(*on), &path).send()).await
            }
            Ask::Draft { room, thread } => {
                let request = self.draft(Method::GET, bearer, room, *thread);
                let draft = read(self, request.send()).await?;
                Ok(Answer::Draft(draft))
            }
            Ask::PutDraft {
                room,
                thread,
                content,
            } => {
                let request = self.draft(Method::PUT, bearer, room, *thread);
                let new = NewDraft {
                    content: content.clone(),
                };
                let draft: Draft = read(self, request.send_json(&new)).await?;
                Ok(Answer::Draft(draft))
            }
            Ask::Commands => self.commands(bearer).await.map(Answer::Commands),
            Ask::Saved => {
                let mut url = self.url(&["api", "saved"]);
                url.query_pairs_mut()
                    .append_pair("limit", &MAX_PAGE.to_string());
                let (saved, next) = self.list(url, bearer).await?;
                Ok(Answer::Saved(saved, next.is_some()))
            }
            Ask::Save { room, id, on } => {
                let request = call(put_or_delete(*on), &["api", "saved", room, &id.to_string()]);
                self.done(request.send()).await
            }
            Ask::Scheduled => {
                let mut url = self.url(&["api", "scheduled"]);
                url.query_pairs_mut()
                    .append_pair("limit", &MAX_PAGE.to_string());
                let (scheduled, next) = self.list(url, bearer).await?;
                Ok(Answer::Scheduled(scheduled, next.is_some()))
            }
            Ask::ChangeScheduled(id, patch) => {
                let request = call(Method::PATCH, &["api", "scheduled", &id.to_string()]);
                let changed = read(self, request.send_json(patch)).await?;
                Ok(Answer::Later(Box::new(changed)))
            }
            Ask::CancelScheduled(id) => {
                let request = call(Method::DELETE, &["api", "scheduled", &id.to_string()]);
                self.done(request.send()).await
            }
            _ => Err(Failure::Unusable("This is not of the user's own.".into())),
        }
    }

    fn draft(
        &self,
        method: Method,
        bearer: &str,
        room: &str,
        thread: Option<u64>,
    ) -> awc::ClientRequest {
        let mut url = self.url(&["api", "rooms", room, "draft"]);
        if let Some(thread) = thread {
            url.query_pairs_mut()
                .append_pair("thread", &thread.to_string());
        }
        self.client
            .request(method, url.as_str())
            .bearer_auth(bearer)
    }
}

fn put_or_delete(on: bool) -> Method {
    if on { Method::PUT } else { Method::DELETE }
}
