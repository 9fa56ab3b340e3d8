//! A message of the schema: from and to JSON, and from and to protobuf. What stands around it in a line is `line`'s.

use bytes::Buf;
use prost_reflect::prost::Message;
use prost_reflect::{
    Cardinality, DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage,
    SerializeOptions, Value,
};
use serde::{Serialize, Serializer};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// The message that a JSON object means: names as in the `.proto` or in camel case, and what is absent has its default.
///
/// # Errors
/// A name that the message lacks, or a value that does not fit; in words.
pub(crate) fn from_json(message: MessageDescriptor, json: serde_json::Value) -> Result<DynamicMessage, String> {
    if json.is_null() {
        return Ok(DynamicMessage::new(message));
    }
    let name = message.full_name().to_owned();
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(message, json, &options)
        .map_err(|error| format!("no message of type {name}: {error}"))
}

/// A message as a JSON object in which every plain field is present. Absent stay only messages, and members of a oneof.
#[derive(Debug)]
pub(crate) struct Json(DynamicMessage);

impl Json {
    pub(crate) fn of(mut message: DynamicMessage) -> Json {
        fill(&mut message);
        Json(message)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new()
            .skip_default_fields(false)
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

/// Gives `optional` fields that were not sent their default: the JSON of a message knows no other way to show them.
fn fill(message: &mut DynamicMessage) {
    let fields: Vec<FieldDescriptor> = message.descriptor().fields().collect();
    for field in fields {
        if message.has_field(&field) {
            fill_inside(message.get_field_mut(&field));
        } else if is_plain_optional(&field) {
            message.set_field(&field, field.default_value());
        }
    }
}

fn fill_inside(value: &mut Value) {
    match value {
        Value::Message(message) => fill(message),
        Value::List(items) => items.iter_mut().for_each(fill_inside),
        Value::Map(entries) => entries.values_mut().for_each(fill_inside),
        _ => {}
    }
}

fn is_plain_optional(field: &FieldDescriptor) -> bool {
    field.supports_presence()
        && field.cardinality() != Cardinality::Repeated
        && !matches!(field.kind(), Kind::Message(_))
        && field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic())
}

/// Protobuf of messages whose type is known at run time. `incoming` is the type of what is decoded.
#[derive(Debug, Clone)]
pub(crate) struct DynamicCodec {
    pub(crate) incoming: MessageDescriptor,
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicCodec;
    type Decoder = DynamicCodec;

    fn encoder(&mut self) -> DynamicCodec {
        self.clone()
    }

    fn decoder(&mut self) -> DynamicCodec {
        self.clone()
    }
}

impl Encoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(message.encoded_len());
        message.encode(out).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = bytes.copy_to_bytes(bytes.remaining());
        let name = self.incoming.full_name().to_owned();
        DynamicMessage::decode(self.incoming.clone(), bytes)
            .map(Some)
            .map_err(|error| Status::internal(format!("no message of type {name}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;
    use serde_json::json;

    const PROTO: &str = "syntax = \"proto3\"; package p; enum Colour { NONE = 0; RED = 1; }
        message Inner { string text = 1; optional int32 count = 2; }
        message M { string some_text = 1; int64 big = 2; uint64 huge = 3; bytes raw = 4; Colour colour = 5; bool yes = 6;
            repeated Inner items = 7; optional string error = 8; Inner inner = 9; oneof pick { string a = 10; int32 b = 11; }
            map<string, int64> counts = 12; double ratio = 13; }
        service S { rpc Ask(M) returns (M); }";

    fn type_of_m() -> MessageDescriptor {
        Schema::parse("x.proto", PROTO).expect("it is right").method("Ask").expect("it is declared").input()
    }

    fn json_of(message: DynamicMessage) -> serde_json::Value {
        serde_json::to_value(Json::of(message)).expect("a message is JSON")
    }

    #[test]
    fn what_was_not_sent_is_heard_with_its_default() {
        assert_eq!(
            json_of(DynamicMessage::new(type_of_m())),
            json!({"some_text": "", "big": 0, "huge": 0, "raw": "", "colour": "NONE", "yes": false, "items": [],
                   "error": "", "counts": {}, "ratio": 0.0})
        );
    }

    #[test]
    fn every_kind_of_value_comes_back_as_it_was_spoken() {
        let spoken = json!({"some_text": "ü\n", "big": i64::MIN, "huge": u64::MAX, "raw": "AP8=", "colour": "RED",
            "yes": true, "items": [{"text": "x", "count": 0}], "error": "", "inner": {"text": "", "count": 3}, "b": 0,
            "counts": {"k": -1}, "ratio": 0.5});
        let message = from_json(type_of_m(), spoken.clone()).expect("it fits");
        let bytes = message.encode_to_vec();
        assert_eq!(json_of(DynamicMessage::decode(type_of_m(), bytes.as_slice()).expect("it is one")), spoken);
    }

    #[test]
    fn what_does_not_fit_is_told_in_words() {
        let refused = |json| from_json(type_of_m(), json).expect_err("it does not fit");
        assert!(refused(json!({"some_txt": ""})).contains("some_txt"));
        assert!(refused(json!({"big": "many"})).contains("type p.M"));
        assert!(refused(json!({"colour": "BLUE"})).contains("BLUE"));
        assert!(refused(json!([])).contains("p.M"));
        assert!(from_json(type_of_m(), json!(null)).is_ok());
    }
}
