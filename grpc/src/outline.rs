//! The methods and messages of a schema, for whoever holds something against them before any call is made.
//!
//! Not here: making calls (`calls`), and messages as JSON (`message`).

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};

use crate::Schema;
use crate::message::{Json, from_json};

/// A method.
#[derive(Debug, Clone)]
pub struct Method(MethodDescriptor);

/// The type of a message.
#[derive(Debug, Clone)]
pub struct MessageType(MessageDescriptor);

/// A field of a message.
#[derive(Debug, Clone)]
pub struct Field(FieldDescriptor);

/// What a field holds; of a list, each of its items; of a map, its values.
#[derive(Debug, Clone)]
pub enum FieldKind {
    /// An integer, or a number with a fraction.
    Number,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// Bytes, which JSON writes in base64.
    Bytes,
    /// One of these names.
    Enum(Vec<String>),
    /// A message.
    Message(MessageType),
    /// A well-known message, which JSON writes in a way of its own.
    WellKnown,
}

/// A key that maps of texts and of numbers can have.
const KEY: &str = "1";

impl Schema {
    /// The method of a name.
    pub fn outline(&self, method: &str) -> Option<Method> {
        self.method(method).map(Method)
    }
}

impl Method {
    /// Whether a client sends it a stream: then it has no form as lines.
    pub fn takes_stream(&self) -> bool {
        self.0.is_client_streaming()
    }

    /// Whether it answers with a stream.
    pub fn gives_stream(&self) -> bool {
        self.0.is_server_streaming()
    }

    /// What it takes.
    pub fn request(&self) -> MessageType {
        MessageType(self.0.input())
    }

    /// What it answers with, once or in each item.
    pub fn reply(&self) -> MessageType {
        MessageType(self.0.output())
    }
}

impl MessageType {
    /// Its full name.
    pub fn name(&self) -> &str {
        self.0.full_name()
    }

    /// The names of its fields, in the order of the file.
    pub fn fields(&self) -> impl Iterator<Item = String> {
        self.0.fields().map(|field| field.name().to_owned()).collect::<Vec<_>>().into_iter()
    }

    /// The field of that name; `said`: in camel case, too, which a line may say and never hears.
    pub fn field(&self, name: &str, said: bool) -> Option<Field> {
        let found = self.0.get_field_by_name(name);
        found.or_else(|| self.0.get_field_by_json_name(name).filter(|_| said)).map(Field)
    }
}

impl Field {
    /// Its name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.0.is_list()
    }

    /// Whether it is a map, and so an object of any members.
    pub fn is_map(&self) -> bool {
        self.0.is_map()
    }

    /// What it holds.
    pub fn kind(&self) -> FieldKind {
        let kind = match self.0.kind() {
            Kind::Message(entry) if self.is_map() => entry.map_entry_value_field().kind(),
            kind => kind,
        };
        match kind {
            Kind::Bool => FieldKind::Flag,
            Kind::String => FieldKind::Text,
            Kind::Bytes => FieldKind::Bytes,
            Kind::Enum(of) if of.full_name().starts_with("google.protobuf.") => FieldKind::WellKnown,
            Kind::Enum(of) => FieldKind::Enum(of.values().map(|value| value.name().to_owned()).collect()),
            Kind::Message(of) if of.full_name().starts_with("google.protobuf.") => FieldKind::WellKnown,
            Kind::Message(of) => FieldKind::Message(MessageType(of)),
            _ => FieldKind::Number,
        }
    }

    /// Whether a line can say this value in it.
    pub fn takes(&self, value: &Value) -> bool {
        self.message_with(value).is_some()
    }

    /// Whether a line can be heard with this value in it.
    pub fn tells(&self, value: &Value) -> bool {
        let heard = self.message_with(value).and_then(|message| serde_json::to_value(Json::of(message)).ok());
        let Some(mut heard) = heard.and_then(|mut heard| heard.get_mut(self.0.name()).map(Value::take)) else {
            return false;
        };
        let one = if self.is_list() {
            heard.get_mut(0)
        } else if self.is_map() {
            heard.get_mut(KEY)
        } else {
            Some(&mut heard)
        };
        one.is_some_and(|one| match (one.as_f64(), value.as_f64()) {
            (Some(heard), Some(value)) => heard == value,
            _ => one == value,
        })
    }

    /// A message with this value, or an item of this value, and nothing else.
    fn message_with(&self, value: &Value) -> Option<DynamicMessage> {
        let value = match value {
            one if self.is_list() => json!([one]),
            one if self.is_map() => json!({ (KEY): one }),
            one => one.clone(),
        };
        from_json(self.0.parent_message().clone(), json!({ (self.0.name()): value })).ok()
    }
}
