//! The `AsyncAPI` document of the socket, made from the declarations of its frames: their shapes, their comments, and an
//! example of each.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    error::{Error, Result},
    protocol::{
        close,
        command::{Command, Request},
        event::Event,
        examples,
    },
};

/// The document: <https://www.asyncapi.com/docs/reference/specification/v3.0.0>.
///
/// # Errors
/// When a declaration has a form that this does not know.
pub fn document() -> Result<String> {
    let mut document: Value =
        serde_json::from_str(include_str!("assets/asyncapi.json")).map_err(Error::internal)?;
    let codes = close::MEANINGS
        .iter()
        .map(|(code, meaning)| (code.to_string(), (*meaning).into()));
    document["channels"]["chat"]["x-close-codes"] = Value::Object(codes.collect());
    let mut schemas = Map::new();
    // `ref` is the envelope's, and every command may carry it.
    let reference = properties::<Request>()["ref"].take();
    let said = frames::<Command, _>(&examples::commands(), &mut schemas)?;
    let heard = frames::<Event, _>(&examples::events(), &mut schemas)?;
    let mut messages = Map::new();
    for (operation, frames) in [("say", said), ("hear", heard)] {
        let mut names = Vec::new();
        for mut frame in frames {
            let kind = frame["name"].as_str().unwrap_or_default().to_owned();
            // Both sides say `message`.
            let name = format!("{operation}.{kind}");
            if operation == "say" {
                frame["payload"]["properties"]["ref"] = reference.clone();
            }
            names.push(json!({"$ref": format!("#/channels/chat/messages/{name}")}));
            document["channels"]["chat"]["messages"][&name] =
                json!({"$ref": format!("#/components/messages/{name}")});
            messages.insert(name, frame);
        }
        document["operations"][operation]["messages"] = names.into();
    }
    document["components"]["messages"] = messages.into();
    document["components"]["schemas"] = schemas.into();
    serde_json::to_string(&document).map_err(Error::internal)
}

/// The properties of a shape.
fn properties<T: JsonSchema>() -> Value {
    let schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>();
    schema.get("properties").cloned().unwrap_or_default()
}

/// The frames of an enum, each with its name, its comment, its shape and its examples; what they share goes into `schemas`.
fn frames<T: JsonSchema, E: Serialize>(
    examples: &[(&str, E)],
    schemas: &mut Map<String, Value>,
) -> Result<Vec<Value>> {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let schema = T::json_schema(&mut generator);
    schemas.extend(generator.take_definitions(true));
    let variants = schema.get("oneOf").and_then(Value::as_array);
    let variants = variants.ok_or_else(|| Error::internal("the frames are no enum"))?;
    variants
        .iter()
        .map(|variant| frame(variant.clone(), examples))
        .collect()
}

fn frame<E: Serialize>(mut payload: Value, examples: &[(&str, E)]) -> Result<Value> {
    let kind = payload["properties"]["type"]["const"].clone();
    if !kind.is_string() {
        return Err(Error::internal("a frame has no type"));
    }
    let comment = payload
        .as_object_mut()
        .and_then(|payload| payload.remove("description"))
        .unwrap_or_default();
    let mut shown = Vec::new();
    for (name, example) in examples {
        let example = serde_json::to_value(example).map_err(Error::internal)?;
        if example["type"] == kind {
            shown.push(json!({"name": name, "payload": example}));
        }
    }
    Ok(json!({
        "name": kind,
        "summary": comment,
        "payload": payload,
        "examples": shown,
    }))
}
