//! The documents about the interface, for people (`/docs`, `/redoc`) and for programs (`/openapi.json`,
//! `/asyncapi.json`), all from this binary: none of these pages loads anything from an outside host.

use std::{borrow::Cow, sync::Arc};

use actix_web::web::ServiceConfig;
use bytes::Bytes;
use utoipa::openapi::OpenApi;

use super::{assets::Asset, asyncapi};
use crate::error::{Error, Result};

/// Both pages put style elements into themselves while they run, and show images that they carry inside.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// `ReDoc` searches in a worker that it makes from a blob.
const REDOC_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data:; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The documents, made once at start and shared by all workers.
#[derive(Debug, Clone)]
pub struct Documents {
    files: Arc<[(&'static str, Asset)]>,
}

impl Documents {
    /// Gathers the documents around the description of the REST tree.
    ///
    /// # Errors
    /// When the description cannot be written as JSON, or a file is missing from the binary.
    pub fn new(openapi: &OpenApi) -> Result<Self> {
        let openapi = openapi.to_json().map_err(Error::internal)?;
        let redoc = include_bytes!("assets/redoc.standalone.js.gz").as_slice();
        let swagger_css = swagger_file("swagger-ui.css")?;
        let swagger_js = swagger_file("swagger-ui-bundle.js")?;
        let files = [
            ("/openapi.json", Asset::json(openapi)),
            ("/asyncapi.json", Asset::json(asyncapi::document()?)),
            (
                "/docs",
                Asset::page(DOCS_POLICY, include_str!("assets/docs.html")),
            ),
            (
                "/docs/start.js",
                Asset::script(include_str!("assets/docs.js")),
            ),
            (
                "/docs/swagger-ui.css",
                Asset::style(swagger_css.0).gzipped(swagger_css.1),
            ),
            (
                "/docs/swagger-ui-bundle.js",
                Asset::script(swagger_js.0).gzipped(swagger_js.1),
            ),
            (
                "/redoc",
                Asset::page(REDOC_POLICY, include_str!("assets/redoc.html")),
            ),
            (
                "/redoc/start.js",
                Asset::script(include_str!("assets/redoc.js")),
            ),
            (
                "/redoc/redoc.standalone.js",
                Asset::script(redoc).gzipped(true),
            ),
        ];
        Ok(Self {
            files: files.into(),
        })
    }

    /// Serves them.
    pub fn routes(&self, cfg: &mut ServiceConfig) {
        for (path, asset) in self.files.iter() {
            cfg.service(asset.clone().at(path));
            if !path.contains('.') {
                // The pages name what they need from the root, so that they work under both spellings.
                cfg.service(asset.clone().at(&format!("{path}/")));
            }
        }
    }
}

/// A file of Swagger UI, and whether its bytes are gzip (a feature of the crate that carries it decides that).
fn swagger_file(name: &str) -> Result<(Bytes, bool)> {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config)
        .map_err(Error::internal)?
        .ok_or_else(|| Error::internal(format!("{name} of Swagger UI is not in this binary")))?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok((bytes, file.gzpipped))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, io::Read as _};

    use actix_web::{
        App,
        http::{StatusCode, header},
        test as probe,
    };
    use flate2::bufread::GzEncoder;
    use serde_json::Value;
    use utoipa::OpenApi as _;

    use super::*;
    use crate::http::ApiDoc;
    use crate::protocol::{
        close,
        code::Code,
        command::{self, COMMAND_TYPES},
        event::Event,
    };

    fn asyncapi() -> Value {
        serde_json::from_str(&asyncapi::document().expect("a document")).expect("JSON")
    }

    /// The messages of an operation, by the `name` that each carries.
    fn messages(document: &Value, operation: &str) -> Vec<Value> {
        document["operations"][operation]["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|reference| {
                let pointer = reference["$ref"].as_str().expect("a reference");
                let channel = document.pointer(&pointer[1..]).expect("it leads somewhere");
                let pointer = channel["$ref"].as_str().expect("a reference");
                let message = document.pointer(&pointer[1..]).expect("it leads somewhere");
                message.clone()
            })
            .collect()
    }

    fn names(messages: &[Value]) -> BTreeSet<&str> {
        messages
            .iter()
            .filter_map(|message| message["name"].as_str())
            .collect()
    }

    fn examples(messages: &[Value]) -> impl Iterator<Item = &Value> {
        messages.iter().flat_map(|message| {
            let examples = message["examples"].as_array().expect("examples");
            assert!(!examples.is_empty(), "{} has no example", message["name"]);
            examples.iter().map(|example| &example["payload"])
        })
    }

    #[test]
    fn each_frame_and_code_is_told_in_the_documents_for_people() {
        let page = include_str!("../../docs/API.md");
        let document = asyncapi();
        let said = messages(&document, "say");
        assert_eq!(names(&said), COMMAND_TYPES.iter().copied().collect());
        let heard = messages(&document, "hear");
        assert!(names(&heard).len() > 7, "{:?}", names(&heard));
        for name in names(&said).union(&names(&heard)) {
            let frame = format!("`{{\"type\":\"{name}\"");
            assert!(
                page.contains(&frame),
                "docs/API.md does not tell of {frame}"
            );
        }
        let openapi = serde_json::to_value(ApiDoc::openapi()).expect("JSON");
        let codes = &openapi["components"]["schemas"]["Code"]["enum"];
        let codes: Vec<Code> = serde_json::from_value(codes.clone()).expect("a list of codes");
        let mut known = <Code as strum::VariantArray>::VARIANTS.to_vec();
        known.retain(|code| *code != Code::Unknown);
        assert_eq!(codes, known, "the OpenAPI document");
        for code in known {
            let row = format!("`{code}`");
            assert!(page.contains(&row), "docs/API.md does not tell of {row}");
        }
    }

    #[test]
    fn the_examples_of_the_document_are_what_the_server_speaks() {
        let document = asyncapi();
        for example in examples(&messages(&document, "say")) {
            command::parse(&example.to_string())
                .unwrap_or_else(|error| panic!("{example}: {error:?}"));
        }
        for example in examples(&messages(&document, "hear")) {
            let event: Event = serde_json::from_value(example.clone())
                .unwrap_or_else(|error| panic!("{example}: {error}"));
            // Written again it must be the same: an example with a field that is never sent would mislead.
            let again: Value = serde_json::from_str(&event.to_json()).expect("JSON");
            assert_eq!(&again, example);
        }
    }

    #[test]
    fn the_document_of_the_socket_tells_every_close_code() {
        let document = asyncapi();
        let told = document["channels"]["chat"]["x-close-codes"]
            .as_object()
            .expect("a table");
        for (code, _) in close::MEANINGS {
            assert!(told.contains_key(&code.to_string()), "{code} is not told");
        }
    }

    #[actix_web::test]
    async fn every_document_is_served_with_its_type_and_loads_nothing_from_outside() {
        let openapi: OpenApi = serde_json::from_str(
            r#"{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{}}"#,
        )
        .expect("a document");
        let documents = Documents::new(&openapi).expect("documents");
        let app = probe::init_service(App::new().configure(|cfg| documents.routes(cfg))).await;
        for (path, _) in documents.files.iter() {
            let request = probe::TestRequest::get().uri(path).to_request();
            let response = probe::call_service(&app, request).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let header = |name| {
                let value = response.headers().get(name).expect("a header");
                value.to_str().expect("text").to_owned()
            };
            assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
            assert!(!policy.contains("http"), "{path}: {policy}");
            let is_script = header(header::CONTENT_TYPE).starts_with("text/javascript");
            assert_eq!(is_script, path.rsplit('.').next() == Some("js"), "{path}");
        }
    }

    #[actix_web::test]
    async fn a_client_gets_the_coding_that_it_takes() {
        let script = "let x = 'a script that is kept compressed';";
        let mut packed = GzEncoder::new(script.as_bytes(), flate2::Compression::fast());
        let mut gzip = Vec::new();
        packed.read_to_end(&mut gzip).expect("packs");
        let asset = Asset::script(gzip.clone()).gzipped(true);
        let plain = Asset::script(script);
        let app = App::new().service(asset.at("/x.js"));
        let app = probe::init_service(app.service(plain.at("/plain.js"))).await;
        for (accept, packed, unpacked) in [
            (Some("gzip, br"), Some(true), Some(false)),
            (Some("*"), Some(true), Some(false)),
            (Some("gzip;q=0.5"), Some(true), Some(false)),
            (Some("identity;q=0, *"), Some(true), None),
            (Some("*;q=0, gzip"), Some(true), None),
            (Some("gzip;q=0, br"), Some(false), Some(false)),
            (Some("br"), Some(false), Some(false)),
            (Some("identity"), Some(false), Some(false)),
            (Some("identity, gzip;q=0.5"), Some(false), Some(false)),
            (Some("*;q=0, identity"), Some(false), Some(false)),
            (Some(""), Some(false), Some(false)),
            (None, Some(false), Some(false)),
            (Some("identity;q=0"), None, None),
            (Some("*;q=0"), None, None),
            (Some("gzip;q=0, identity;q=0"), None, None),
        ] {
            for (path, expected) in [("/x.js", packed), ("/plain.js", unpacked)] {
                let mut request = probe::TestRequest::get().uri(path);
                if let Some(accept) = accept {
                    request = request.insert_header((header::ACCEPT_ENCODING, accept));
                }
                let response = probe::call_service(&app, request.to_request()).await;
                let status = response.status();
                let coding = response.headers().contains_key(header::CONTENT_ENCODING);
                let body = probe::read_body(response).await;
                let seen = (status == StatusCode::OK).then_some(coding);
                assert_eq!(seen, expected, "{path} {accept:?}");
                match seen {
                    Some(true) => assert_eq!(body, gzip),
                    Some(false) => assert_eq!(body, script),
                    None => assert_eq!(status, StatusCode::NOT_ACCEPTABLE),
                }
            }
        }
    }
}
