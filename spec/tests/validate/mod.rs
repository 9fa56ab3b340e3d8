//! As much of JSON schema as the schemas of this crate use. A keyword beyond that is a panic, so nothing goes unchecked.

use serde_json::Value;

/// What in `value` does not fit `schema`: a path and a few words each. `root` holds the definitions.
pub(crate) fn misfits(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let Some(rules) = schema.as_object() else {
        return if *schema == Value::Bool(false) { vec![format!("{path}: cannot stand here")] } else { Vec::new() };
    };
    let mut found = Vec::new();
    for (keyword, rule) in rules {
        let inner = |schema: &Value, value: &Value, path: &str| misfits(root, schema, value, path);
        match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" | "format" | "default" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap_or_default().trim_start_matches('#');
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{rule} leads nowhere"));
                found.extend(inner(target, value, path));
            }
            "type" => {
                let kinds: Vec<&str> = rule.as_str().map_or_else(
                    || rule.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
                    |kind| vec![kind],
                );
                if !kinds.iter().any(|kind| is_a(value, kind)) {
                    found.push(format!("{path}: is no {}", kinds.join(" or ")));
                }
            }
            "minimum" | "maximum" => {
                let (number, bound) = (value.as_f64(), rule.as_f64().expect("bounds are numbers"));
                let beyond = |number: f64| if keyword == "minimum" { number < bound } else { number > bound };
                if number.is_some_and(beyond) {
                    found.push(format!("{path}: {value} is beyond the {keyword} {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().is_some_and(|words| words.contains(value)) {
                    found.push(format!("{path}: {value} is not among the words"));
                }
            }
            "const" => {
                if rule != value {
                    found.push(format!("{path}: is not {rule}"));
                }
            }
            "required" => {
                let keys = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
                let lacks = keys.filter(|key| value.is_object() && value.get(key).is_none());
                found.extend(lacks.map(|key| format!("{path}: lacks `{key}`")));
            }
            "properties" => {
                for (key, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(key) {
                        found.extend(inner(schema, value, &format!("{path}.{key}")));
                    }
                }
            }
            "additionalProperties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if rules.get("properties").and_then(|known| known.get(key)).is_none() {
                        found.extend(inner(rule, value, &format!("{path}.{key}")));
                    }
                }
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(inner(rule, value, &format!("{path}[{index}]")));
                }
            }
            "anyOf" | "oneOf" => {
                let choices = rule.as_array().expect("choices are a list");
                if choices.iter().all(|choice| !inner(choice, value, path).is_empty()) {
                    found.push(format!("{path}: is none of the {} things that can stand here", choices.len()));
                }
            }
            "allOf" => {
                for schema in rule.as_array().into_iter().flatten() {
                    found.extend(inner(schema, value, path));
                }
            }
            other => panic!("the keyword `{other}` is not known here"),
        }
    }
    found
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the type `{other}` is not known here"),
    }
}
