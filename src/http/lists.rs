//! Lists: each is read page by page, counts among the answers that its caller has under way, and leads on by `Link`.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header};
use serde::Serialize;
use url::form_urlencoded;

use super::{
    Shared,
    extract::parameter,
    messages::{begin, read_number},
};
use crate::{
    chat::{
        Caller,
        cursors::{Listed, Wanted},
    },
    error::Result,
    protocol::limits::DEFAULT_PAGE,
};

/// An answer with a page of a list, which was begun.
pub(super) struct ListAnswer<'a> {
    request: &'a HttpRequest,
    response: HttpResponseBuilder,
    /// Which page it is.
    pub wanted: Wanted,
}

impl<'a> ListAnswer<'a> {
    /// Reads which page is wanted, and waits until this caller may have one more answer under way.
    ///
    /// # Errors
    /// 422, 429.
    pub async fn begin(app: &Shared, caller: &Caller, request: &'a HttpRequest) -> Result<Self> {
        Self::begin_of(app, caller, request, DEFAULT_PAGE).await
    }

    /// The same, with this many on a page unless the caller says how many.
    ///
    /// # Errors
    /// 422, 429.
    pub async fn begin_of(
        app: &Shared,
        caller: &Caller,
        request: &'a HttpRequest,
        usual: i64,
    ) -> Result<Self> {
        let limit = read_number(request, "limit")?.unwrap_or(usual);
        let wanted = Wanted::new(limit, parameter(request, "cursor")?)?;
        let response = begin(app, caller.into(), request).await?;
        Ok(Self {
            request,
            response,
            wanted,
        })
    }

    /// The page, and where the list goes on (RFC 8288). `kept`: what else was asked for.
    pub fn with<T: Serialize>(
        mut self,
        listed: &Listed<T>,
        kept: Option<(&str, &str)>,
    ) -> HttpResponse {
        if let Some(next) = &listed.next {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("limit", &self.wanted.limit.to_string())
                .append_pair("cursor", next)
                .finish();
            let link = format!("<{}?{query}>; rel=\"next\"", self.request.path());
            self.response.insert_header((header::LINK, link));
        }
        self.response.json(&listed.items)
    }
}
