//! A gRPC dialect held against the messages of its service: methods, fields, and what stands in them.
//!
//! What does not fit would never reach the server, or never come from it, and every verdict on it would be false. So it
//! is a mistake in the dialect, drawn at its line. Not here: where the messages come from (`drive::wire`).

use std::sync::Arc;

use grpc::{Field, FieldKind, MessageType, Method, STATUSES, Schema};
use serde_json::Value;
use spec::codec::{Call, Form, Looks, Member};
use spec::dialect::Grpc;
use spec::error::{Diagnostic, Diagnostics, Place};
use spec::source::File;

/// Holds every message of a dialect against the schema. What does not fit is added to `found`.
pub(crate) fn hold(grpc: &Grpc, schema: &Schema, found: &mut Diagnostics) {
    for call in &grpc.calls {
        let looker = Looker { schema, service: &grpc.service, is_said: call.is_said };
        for mistake in looker.call(call) {
            // Steps that are written once and used often have the same mistakes.
            if !found.0.contains(&mistake) {
                found.push(mistake);
            }
        }
    }
}

/// Reads the text of a dialect's .proto. Its mistakes, and a service that it lacks, are added to `found`.
pub(crate) fn read(grpc: &Grpc, path: &str, text: String, found: &mut Diagnostics) -> Option<Schema> {
    let file = Arc::new(File { path: path.to_owned(), text });
    let schema = match Schema::parse(path, &file.text) {
        Ok(schema) => schema,
        Err(error) => {
            let at = offset(&file.text, error.line, error.column);
            found.push(Diagnostic::new(&Place { file, span: at..at }, error.message));
            return None;
        }
    };
    let services: Vec<String> = schema.services().collect();
    match (schema.with_service(&grpc.service), &grpc.places.1) {
        (Ok(schema), _) => Some(schema),
        (Err(error), place) => {
            let nowhere = Place { file, span: 0..0 };
            let mistake = Diagnostic::new(place.as_ref().unwrap_or(&nowhere), error.message);
            found.push(mistake.suggest(&grpc.service, services.iter().map(String::as_str)));
            None
        }
    }
}

/// Where a line and a column, from 1 on, stand in a text.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let begins = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let inside = text[begins..].chars().take(column - 1).map(char::len_utf8).sum::<usize>();
    begins + inside
}

struct Looker<'a> {
    schema: &'a Schema,
    service: &'a str,
    is_said: bool,
}

impl Looker<'_> {
    fn call(&self, call: &Call) -> Vec<Diagnostic> {
        let methods: Vec<Method> = match (call.member("method"), call.method()) {
            (Some(member), Some(name)) => match self.method(member, name) {
                Ok(method) => vec![method],
                Err(mistake) => return vec![mistake],
            },
            (None, _) if self.is_said => {
                return vec![Diagnostic::new(&call.place, "a call names its `method`").label("in this map")];
            }
            _ => call.asked.iter().filter_map(|name| self.schema.outline(name)).collect(),
        };
        let mut mistakes = Vec::new();
        if let Some(member) = call.member("request") {
            mistakes.extend(nearest(&methods, |method| self.message(&member.form, &method.request())));
        }
        if let Some(member) = call.member("reply") {
            mistakes.extend(nearest(&methods, |method| self.message(&member.form, &method.reply())));
        }
        if let Some(Member { form: Form { looks: Looks::Is(status), place }, .. }) = call.member("status")
            && !STATUSES.iter().any(|known| status == known)
        {
            let word = words(status);
            mistakes.push(Diagnostic::new(place, format!("gRPC has no status `{word}`")).suggest(&word, STATUSES));
        }
        let has_end = call.member("end").is_some_and(|end| end.form.looks == Looks::Is(Value::Bool(true)));
        if let (true, Some(end), [method]) = (has_end, call.member("end"), methods.as_slice())
            && !method.gives_stream()
        {
            mistakes.push(Diagnostic::new(&end.place, "only a stream ends, and this method answers once"));
        }
        mistakes
    }

    fn method(&self, member: &Member, name: &str) -> Result<Method, Diagnostic> {
        let place = &member.form.place;
        match self.schema.outline(name) {
            Some(method) if method.takes_stream() => {
                Err(Diagnostic::new(place, format!("`{name}` takes a stream of requests, which a dialect cannot say"))
                    .help("a method that takes one request, and answers with one reply or with a stream of them"))
            }
            Some(method) => Ok(method),
            None => {
                let known: Vec<String> = self.schema.methods().into_keys().collect();
                let message = format!("the service {} has no method `{name}`", self.service);
                Err(Diagnostic::new(place, message).suggest(name, known.iter().map(String::as_str)))
            }
        }
    }

    /// A form that must be a message.
    fn message(&self, form: &Form, of: &MessageType) -> Vec<Diagnostic> {
        match &form.looks {
            Looks::Object(members) => members.iter().flat_map(|member| self.member(member, of)).collect(),
            Looks::Either(rows) => rows.iter().flat_map(|row| self.message(row, of)).collect(),
            Looks::Any | Looks::Is(Value::Null) => Vec::new(),
            _ => vec![unfit(form, of.name(), "a message")],
        }
    }

    fn member(&self, member: &Member, of: &MessageType) -> Vec<Diagnostic> {
        let Some(field) = of.field(&member.name, self.is_said) else {
            let known: Vec<String> = of.fields().collect();
            let message = format!("the message {} has no field `{}`", of.name(), member.name);
            let mistake = Diagnostic::new(&member.place, message);
            return vec![mistake.suggest(&member.name, known.iter().map(String::as_str))];
        };
        self.field(&member.form, &field)
    }

    fn field(&self, form: &Form, field: &Field) -> Vec<Diagnostic> {
        let own = |inner: &Form| self.value(inner, field);
        match &form.looks {
            Looks::Any | Looks::Is(Value::Null) => Vec::new(),
            Looks::Either(rows) => rows.iter().flat_map(|row| self.field(row, field)).collect(),
            Looks::Array(items) if field.is_list() => items.iter().flat_map(own).collect(),
            Looks::Each(item) if field.is_list() => own(item),
            Looks::Object(members) if field.is_map() => members.iter().flat_map(|one| own(&one.form)).collect(),
            _ if field.is_list() => vec![unfit(form, field.name(), "a list")],
            _ if field.is_map() => vec![unfit(form, field.name(), "a map")],
            _ => own(form),
        }
    }

    /// One value, be it an item of a list.
    fn value(&self, form: &Form, field: &Field) -> Vec<Diagnostic> {
        let kind = field.kind();
        let fits = match (&form.looks, &kind) {
            (Looks::Any | Looks::Is(Value::Null), _) | (_, FieldKind::WellKnown) => true,
            (Looks::Either(rows), _) => return rows.iter().flat_map(|row| self.value(row, field)).collect(),
            (Looks::Object(_), FieldKind::Message(of)) => return self.message(form, of),
            (Looks::Is(value), FieldKind::Enum(names)) => {
                let fits = if self.is_said { field.takes(value) } else { field.tells(value) };
                if !fits {
                    let word = words(value);
                    let mistake =
                        Diagnostic::new(&form.place, format!("the enum of `{}` has no name `{word}`", field.name()));
                    return vec![mistake.suggest(&word, names.iter().map(String::as_str))];
                }
                true
            }
            (Looks::Is(value), _) if self.is_said => field.takes(value),
            (Looks::Is(value), _) => field.tells(value),
            (Looks::Number { .. }, FieldKind::Number) | (Looks::Flag, FieldKind::Flag) => true,
            // What a text is taken for when it is heard.
            (Looks::Number { in_text }, FieldKind::Text) => *in_text && !self.is_said,
            // A number that counts as true or false.
            (Looks::Number { in_text: true }, FieldKind::Flag) => !self.is_said,
            (Looks::Text { .. }, FieldKind::Text | FieldKind::Enum(_)) => true,
            (Looks::Text { base64 }, FieldKind::Bytes) => *base64,
            _ => false,
        };
        if fits { Vec::new() } else { vec![unfit(form, field.name(), &in_words(&kind))] }
    }
}

/// The mistakes in what answers one of several methods: those of the method that it fits best.
fn nearest(methods: &[Method], mistakes: impl Fn(&Method) -> Vec<Diagnostic>) -> Vec<Diagnostic> {
    methods.iter().map(mistakes).min_by_key(Vec::len).unwrap_or_default()
}

fn unfit(form: &Form, field: &str, wanted: &str) -> Diagnostic {
    let stands = match &form.looks {
        Looks::Object(_) => "a map".to_owned(),
        Looks::Array(_) | Looks::Each(_) => "a list".to_owned(),
        Looks::Is(value) => format!("`{value}`"),
        Looks::Number { .. } => "a number".to_owned(),
        Looks::Flag => "true or false".to_owned(),
        Looks::Text { .. } => "a text".to_owned(),
        Looks::Either(_) | Looks::Any => "something else".to_owned(),
    };
    let mistake =
        Diagnostic::new(&form.place, format!("`{field}` is {wanted} in the .proto, and here stands {stands}"));
    match (&form.looks, wanted) {
        (Looks::Text { .. }, BYTES) => mistake.help("bytes are written `{name: bytes as base64}`"),
        (Looks::Number { in_text: false }, TEXT) => mistake.help("`{name: int}` takes digits in a text for the number"),
        (Looks::Number { in_text: true }, TEXT) => {
            mistake.help("with text around it, such as `\"no. {nonce}\"`, it is a text")
        }
        _ => mistake,
    }
}

const TEXT: &str = "a text";
const BYTES: &str = "bytes";

fn in_words(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Number => "a number".to_owned(),
        FieldKind::Flag => "true or false".to_owned(),
        FieldKind::Text => TEXT.to_owned(),
        FieldKind::Bytes => BYTES.to_owned(),
        FieldKind::Enum(names) => format!("one of {}", names.join(", ")),
        FieldKind::Message(of) => format!("a message of type {}", of.name()),
        FieldKind::WellKnown => "a well-known message".to_owned(),
    }
}

/// A value as it is written.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
