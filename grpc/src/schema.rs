//! The services that are spoken, and their messages: what a `.proto` says, as data.
//!
//! Where a schema comes from over the network is told in `reflection`; how its messages become JSON, in `message`.

use std::collections::BTreeMap;

use miette::Diagnostic;
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

/// The services of a `.proto`, and the methods by their names.
///
/// A method that two services have is the first one's, in the order of the file, unless [`Schema::with_service`] chose.
#[derive(Debug, Clone)]
pub struct Schema {
    pool: DescriptorPool,
    services: Vec<ServiceDescriptor>,
}

/// Why a schema cannot be had, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// From 1, in the text; 1 where the fault has no place.
    pub line: usize,
    /// From 1, in characters; 1 where the fault has no place.
    pub column: usize,
}

impl Schema {
    /// Reads the text of one `.proto`. It may import the well-known files of `google/protobuf/` and no others.
    ///
    /// # Errors
    /// The text is no `.proto`, imports another file, or declares no service.
    pub fn parse(file_name: &str, text: &str) -> Result<Schema, SchemaError> {
        let failed = |error: protox::Error| SchemaError::of(&error, text);
        let file = File::from_source(file_name, text).map_err(failed)?;
        let mut compiler = Compiler::with_file_resolver(Sources { file });
        compiler.include_imports(true).open_file(file_name).map_err(failed)?;
        let pool = compiler.descriptor_pool();
        let services = pool.services().filter(|service| service.parent_file().name() == file_name).collect();
        Schema::new(pool, services)
    }

    /// The same schema with this service alone; `name` with or without its package.
    ///
    /// # Errors
    /// It has no such service.
    pub fn with_service(mut self, name: &str) -> Result<Schema, SchemaError> {
        let declared: Vec<_> = self.services().collect();
        let message = format!("no service '{name}'; there is {}", declared.join(", "));
        self.services.retain(|service| service.full_name() == name || service.name() == name);
        self.services.truncate(1);
        if self.services.is_empty() { Err(SchemaError::without_place(message)) } else { Ok(self) }
    }

    /// The full names of its services.
    pub fn services(&self) -> impl Iterator<Item = String> {
        self.services.iter().map(|service| service.full_name().to_owned())
    }

    /// The names of its methods, and whether a call of it is answered with a stream.
    pub fn methods(&self) -> BTreeMap<String, bool> {
        let methods = self.services.iter().rev().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| (method.name().to_owned(), method.is_server_streaming())).collect()
    }

    pub(crate) fn new(pool: DescriptorPool, services: Vec<ServiceDescriptor>) -> Result<Schema, SchemaError> {
        if services.is_empty() {
            return Err(SchemaError::without_place("no service is declared".to_owned()));
        }
        Ok(Schema { pool, services })
    }

    pub(crate) fn method(&self, name: &str) -> Option<MethodDescriptor> {
        self.services.iter().flat_map(ServiceDescriptor::methods).find(|method| method.name() == name)
    }

    /// The method that an HTTP/2 path names: `/package.Service/Method`.
    pub(crate) fn method_at(&self, path: &str) -> Option<MethodDescriptor> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let service = self.services.iter().find(|known| known.full_name() == service)?;
        service.methods().find(|known| known.name() == method)
    }

    pub(crate) fn files(&self) -> FileDescriptorSet {
        FileDescriptorSet { file: self.pool.file_descriptor_protos().cloned().collect() }
    }
}

impl SchemaError {
    pub(crate) fn without_place(message: String) -> SchemaError {
        SchemaError { message, line: 1, column: 1 }
    }

    fn of(error: &protox::Error, text: &str) -> SchemaError {
        let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        SchemaError { message: error.to_string(), line, column: before[line_start..].chars().count() + 1 }
    }
}

/// The one file that was given, and those that every protobuf compiler brings.
struct Sources {
    file: File,
}

impl FileResolver for Sources {
    fn resolve_path(&self, path: &std::path::Path) -> Option<String> {
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == self.file.name() { Ok(self.file.clone()) } else { GoogleFileResolver::new().open_file(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_SERVICES: &str = "syntax = \"proto3\"; package p; message M {}
        service A { rpc Ask(M) returns (M); }
        service B { rpc Ask(M) returns (stream M); rpc Tell(M) returns (M); }";

    fn check(text: &str, message: &str, line: usize, column: usize) {
        let error = Schema::parse("x.proto", text).expect_err("it is wrong");
        assert_eq!((error.message.as_str(), error.line, error.column), (message, line, column), "{text}");
    }

    #[test]
    fn a_fault_is_shown_where_it_stands() {
        check("syntax = \"proto3\";\nmessage M {\n  string ä = 1;\n}", "invalid token", 3, 10);
        check("syntax = \"proto3\";\nservice S {\n  rpc A(M) returns (M);\n}", "name 'M' is not defined", 3, 9);
        check("syntax = \"proto3\";\nimport \"other.proto\";", "import 'other.proto' not found", 2, 1);
        check("syntax = \"proto3\";\nmessage M {}", "no service is declared", 1, 1);
    }

    #[test]
    fn a_method_of_two_services_is_the_first_ones_until_one_is_chosen() {
        let schema = Schema::parse("x.proto", TWO_SERVICES).expect("it is right");
        assert_eq!(schema.methods(), [("Ask".to_owned(), false), ("Tell".to_owned(), false)].into());
        let chosen = schema.clone().with_service("B").expect("it is declared");
        assert!(chosen.methods()["Ask"]);
        assert!(schema.clone().with_service("p.A").is_ok_and(|schema| schema.method("Tell").is_none()));
        let error = schema.with_service("C").expect_err("it is not declared");
        assert_eq!(error.message, "no service 'C'; there is p.A, p.B");
    }

    #[test]
    fn well_known_files_can_be_imported() {
        let text = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";
            service S { rpc Now(google.protobuf.Timestamp) returns (google.protobuf.Timestamp); }";
        assert!(Schema::parse("x.proto", text).is_ok());
    }
}
