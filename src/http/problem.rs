//! Errors as answers: `application/problem+json` (RFC 9457).

use actix_web::{
    HttpResponse, ResponseError,
    body::BoxBody,
    http::{StatusCode, header},
};

use crate::{
    error::{Code, Error, Kind},
    protocol::views::Problem,
};

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The head of the answer. The body is written by [`super::observe`], which knows the request's id.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self.kind {
            Kind::Unauthenticated => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Kind::UpgradeRequired => {
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
                response.insert_header((header::UPGRADE, "websocket"));
            }
            _ => {}
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up (RFC 9110, 10.2.3).
            response.insert_header((
                header::RETRY_AFTER,
                wait.as_millis().div_ceil(1000).max(1).to_string(),
            ));
        }
        let response = response.finish();
        let mut response = response;
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// The answer to a method that a path does not know.
pub fn method_not_allowed(allow: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, allow))
        .finish()
}

/// The error that a bare status stands for, where the framework has answered by itself.
pub fn of_status(status: StatusCode) -> Error {
    match status.as_u16() {
        404 => Error::new(
            Kind::NotFound,
            Code::NotFound,
            "There is nothing at this address.",
        ),
        405 => Error::new(
            Kind::BadRequest,
            Code::MethodNotAllowed,
            "This address does not know this method; `Allow` says which it knows.",
        ),
        408 => Error::new(
            Kind::TooSlow,
            Code::RequestTimeout,
            "The request took too long to arrive.",
        ),
        431 => Error::new(
            Kind::BadRequest,
            Code::HeadTooLarge,
            "The address and the headers of a request may have at most 32 kB together, and 96 lines.",
        ),
        413 => Error::new(Kind::TooLarge, Code::TooLarge, "The request is too large."),
        code if code >= 500 => Error::new(
            Kind::Internal,
            Code::InternalError,
            "Something went wrong on our side; the log of the server says more.",
        ),
        _ => Error::new(
            Kind::BadRequest,
            Code::BadRequest,
            "The request is not understood.",
        ),
    }
}

/// The body of an error's answer.
pub fn body(error: &Error, status: StatusCode, request_id: &str) -> Problem {
    Problem {
        kind: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("Error").into(),
        status: status.as_u16(),
        detail: error.detail.clone().into_owned(),
        code: error.code,
        request_id: request_id.into(),
        errors: error.fields.clone(),
        room: error.room.as_ref().map(|(key, _)| key.clone()),
        room_kind: error.room.as_ref().map(|(_, kind)| *kind),
    }
}
