//! The vectors say what they mean: read back from JSON, their bytes are heard as their fields.

use spec::Spec;
use spec::codec::RequestHeard;
use spec::codec::{Dialogue, Heard, Slots, hex};
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::example;
use spec::message::Operation;
use spec::value::{Record, Value};
use spec::vectors::{self, Direction, Kind, Vector, Vectors};

#[test]
fn every_vector_is_heard_as_its_fields() {
    let spec = Spec::embedded();
    let vectors = embedded(spec);
    let mut dialogue = None;
    for vector in &vectors.vectors {
        let dialect = &spec.dialects[&vector.dialect];
        let bytes = hex(&vector.hex).expect("vectors are hex");
        match vector.direction {
            Direction::Say => dialogue = Some(hear_request(dialect, vector, &bytes)),
            Direction::Hear => hear_answer(dialect, vector, &bytes, dialogue.take().as_ref()),
        }
    }
}

#[test]
fn every_byte_of_a_vector_stands_in_one_part() {
    for vector in embedded(Spec::embedded()).vectors {
        let mut offset = 0;
        for part in &vector.parts {
            assert_eq!(part.offset, offset, "{}: {}", vector.example, part.field);
            offset += part.hex.len() / 2;
        }
        let parts: String = vector.parts.iter().map(|part| part.hex.as_str()).collect();
        assert_eq!(parts, vector.hex, "{}", vector.example);
    }
}

#[test]
fn the_protocols_own_wire_can_say_everything() {
    let vectors = embedded(Spec::embedded());
    let framed = vectors.unspeakable.iter().filter(|silence| silence.dialect == "framed");
    assert_eq!(framed.count(), 0, "{:?}", vectors.unspeakable);
}

/// The vectors as another program gets them: through JSON.
fn embedded(spec: &Spec) -> Vectors {
    let mut found = Diagnostics::default();
    let examples = example::read(&spec.source, &spec.service, &mut found);
    assert!(found.is_empty(), "{found}");
    let vectors = Vectors::new(spec.dialects.values().map(|dialect| &**dialect), &examples);
    let text = serde_json::to_string(&vectors).expect("vectors are JSON");
    let back = serde_json::from_str(&text).expect("their own JSON is read");
    assert_eq!(vectors, back);
    back
}

fn hear_request(dialect: &Dialect, vector: &Vector, bytes: &[u8]) -> Dialogue {
    let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
    let RequestHeard::Taken(taken) = dialect.hear_request_of(bytes, true, None, &mut slots, &mut dialogue) else {
        panic!("{} is not heard", vector.example)
    };
    assert_eq!(taken, bytes.len(), "{}", vector.example);
    assert_eq!(vector.kind, Kind::Request);
    assert_eq!(dialect.operation_of(&dialogue), vector.operation.as_deref(), "{}", vector.example);
    let arguments =
        Operation::from_name(vector.operation.as_deref().unwrap_or_default()).expect("one of the service").fields().0;
    assert_eq!(only(arguments, &dialect.arguments(&dialogue, &slots)), vector.fields, "{}", vector.example);
    dialogue
}

fn hear_answer(dialect: &Dialect, vector: &Vector, bytes: &[u8], dialogue: Option<&Dialogue>) {
    let (mut rows, mut rest) = (Vec::new(), bytes);
    let last = loop {
        let heard = dialect.hear_answer_of(rest, true, &[dialogue]);
        let heard = heard.unwrap_or_else(|| panic!("{} is not heard", vector.example));
        rest = &rest[heard.taken().expect("an end")..];
        match heard {
            Heard::More { values, .. } if vector.kind == Kind::Ok => rows.push(Value::Row(values)),
            other => break other,
        }
        if rest.is_empty() {
            let operation = vector.operation.clone();
            break Heard::Ok { taken: 0, operation, values: Record::new(), frame: Record::new() };
        }
    };
    assert!(rest.is_empty(), "{}", vector.example);
    let (kind, name, mut values) = match last {
        Heard::Ok { values, operation, .. } => (Kind::Ok, operation, values),
        Heard::Error { name, values, .. } => (Kind::Error, Some(name), detail(&values)),
        Heard::Event { name, values, .. } => (Kind::Event, Some(name), values),
        // Without a dialogue it can be a row as well.
        Heard::More { values, .. } => (Kind::Event, vector.event.clone(), values),
        other => panic!("{} is heard as {other:?}", vector.example),
    };
    if !rows.is_empty() {
        values.set("messages", Value::List(rows));
    }
    let expected = match vector.kind {
        Kind::Ok | Kind::Request => &vector.operation,
        Kind::Error => &vector.error,
        Kind::Event => &vector.event,
    };
    assert_eq!(kind, vector.kind, "{}", vector.example);
    assert_eq!(&name, expected, "{}", vector.example);
    let operation = vector.operation.as_deref().and_then(Operation::from_name);
    let results = operation.filter(|_| kind == Kind::Ok).map(|operation| operation.fields().1);
    let heard = results.map_or_else(|| vectors::fields(&values), |results| only(results, &values));
    assert_eq!(heard, vector.fields, "{} on {}", vector.example, vector.dialect);
}

/// The values of these names: a wire has names of its own beside them.
fn only(names: &[&str], values: &Record) -> serde_json::Map<String, serde_json::Value> {
    vectors::fields(values).into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect()
}

/// What an error carries, under the one name that vectors have for it.
fn detail(values: &Record) -> Record {
    let detail =
        values.iter().find(|(name, _)| ["detail", "primary"].contains(name)).and_then(|(_, value)| value.as_text());
    Record::new().with("detail", Value::from(detail.unwrap_or_default()))
}
