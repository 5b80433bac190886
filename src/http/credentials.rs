//! What a request shows to say who sends it: an access token or a ticket. Whether that is right is for `chat` to say.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};
use url::form_urlencoded;

use crate::error::{Code, Error, Result};

/// The parameters of the query by which a client may show who it is, where a path takes them.
pub const TOKEN: &str = "token";
pub const TICKET: &str = "ticket";

/// What a client shows to say who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    /// A ticket, and no access token.
    pub is_ticket: bool,
    /// Shown in the address, and not in a header.
    pub is_in_address: bool,
}

/// What a request shows to say who sends it: `Authorization: Bearer …`, or one of these parameters of the query.
///
/// # Errors
/// 400 when it shows two things, even the same thing twice: a proxy before us and we could each go by another one.
pub fn shown(request: &HttpRequest, parameters: &[&str]) -> Result<Option<Shown>> {
    let two = || {
        Error::bad_request(
            Code::AmbiguousLogin,
            "Show who you are once: in one `Authorization` header, or in one parameter of the address.",
        )
    };
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (first, second) = (headers.next(), headers.next());
    if second.is_some() {
        return Err(two());
    }
    let bearer = first.and_then(bearer).map(|text| Shown {
        text: text.into(),
        is_ticket: false,
        is_in_address: false,
    });
    let in_query = form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(name, _)| parameters.contains(&&**name))
        .map(|(name, text)| Shown {
            text: text.into_owned(),
            is_ticket: name == TICKET,
            is_in_address: true,
        });
    let mut all = bearer.into_iter().chain(in_query);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(two()),
        (one, None) => Ok(one),
    }
}

/// The token of `Bearer …`.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn who_sends_a_request_is_shown_once() {
        let (token, ticket) = ("token=b", "ticket=c");
        let both = [token, ticket].join("&");
        let none: &[&str] = &[];
        for (headers, query, expected) in [
            (none, "", Ok(None)),
            (&["Bearer a"], "", Ok(Some("a"))),
            (&["bearer  a"], "limit=1&limit=2", Ok(Some("a"))),
            (none, token, Ok(Some("b"))),
            (none, ticket, Ok(Some("c"))),
            (none, "token=b%20c", Ok(Some("b c"))),
            // What is shown to somebody else, such as a proxy, is not shown to us.
            (&["Basic abc"], "", Ok(None)),
            (&["Basic abc"], token, Ok(Some("b"))),
            (&["Bearer a"], "other=x&other=y", Ok(Some("a"))),
            // Twice, be it the same.
            (&["Bearer a", "Bearer b"], "", Err(400)),
            (&["Bearer a", "Bearer a"], "", Err(400)),
            (&["Bearer a", "Basic abc"], "", Err(400)),
            (&["Basic abc", "Bearer a"], "", Err(400)),
            (&["Bearer a"], token, Err(400)),
            (&["Bearer a"], ticket, Err(400)),
            (none, "token=b&token=b", Err(400)),
            (none, "token=b&token=", Err(400)),
            (none, "ticket=b&ticket=c", Err(400)),
            (none, "tok%65n=b&token=c", Err(400)),
            (none, &both, Err(400)),
        ] {
            let request = headers.iter().fold(
                TestRequest::with_uri(&format!("/x?{query}")),
                |request, value| request.append_header((header::AUTHORIZATION, *value)),
            );
            let seen = shown(&request.to_http_request(), &[TOKEN, TICKET]);
            let seen = seen.map(|shown| shown.map(|shown| shown.text));
            let seen = seen.map_err(|error| error.status());
            let expected = expected.map(|text| text.map(ToOwned::to_owned));
            assert_eq!(seen, expected, "{headers:?} {query}");
        }
        let request = TestRequest::with_uri("/x?token=b&ticket=c").to_http_request();
        let seen = shown(&request, &[TOKEN]).expect("one that this path takes");
        assert!(seen.is_some_and(|shown| shown.text == "b" && !shown.is_ticket));
        assert_eq!(shown(&request, &[]), Ok(None));
    }
}
