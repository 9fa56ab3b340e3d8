//! A schema asked from the server itself, by the reflection protocol, in either of its versions.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::FileDescriptorProto;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::channel::Channel;
use crate::{Schema, SchemaError};

/// For everything; an answer comes at once, or a server has none.
const REFLECTION_TIME: Duration = Duration::from_secs(10);

/// More files than any service imports.
const FILES_MAX: usize = 1000;

/// The messages of both versions have the same bytes.
const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

impl Schema {
    /// The schema of the server at `host:port`, without gRPC's own services.
    ///
    /// # Errors
    /// Nobody listens there, or no gRPC; the server does not tell its schema, or one that contradicts itself.
    pub async fn by_reflection(address: &str) -> io::Result<Schema> {
        let asking = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let client = Channel::open(stream, address).await?.client;
            let asked = Reflection { client, path: PathAndQuery::from_static(PATHS[0]) }.schema().await;
            asked.map_err(|words| io::Error::new(io::ErrorKind::InvalidData, words))
        };
        timeout(REFLECTION_TIME, asking).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

struct Reflection {
    client: Grpc<Channel>,
    path: PathAndQuery,
}

impl Reflection {
    async fn schema(mut self) -> Result<Schema, String> {
        let names = match self.services().await {
            Err(status) if status.code() == Code::Unimplemented => {
                self.path = PathAndQuery::from_static(PATHS[1]);
                self.services().await
            }
            names => names,
        };
        let names = names.map_err(|status| format!("the server does not tell its services: {status}"))?;

        let known = DescriptorPool::global();
        let mut files = BTreeMap::new();
        for name in &names {
            self.add(MessageRequest::FileContainingSymbol(name.clone()), &mut files).await?;
        }
        while let Some(missing) = missing(&files, &known) {
            self.add(MessageRequest::FileByFilename(missing.clone()), &mut files).await?;
            if !files.contains_key(&missing) || files.len() > FILES_MAX {
                return Err(format!("the server does not tell its file '{missing}'"));
            }
        }
        let mut pool = known;
        let contradicts = |error| format!("the server's schema contradicts itself: {error}");
        let new: Vec<_> = files.into_values().filter(|file| pool.get_file_by_name(file.name()).is_none()).collect();
        pool.add_file_descriptor_protos(new).map_err(contradicts)?;
        let services = names.iter().filter_map(|name| pool.get_service_by_name(name)).collect();
        Schema::new(pool, services).map_err(|SchemaError { message, .. }| message)
    }

    async fn services(&mut self) -> Result<Vec<String>, Status> {
        match self.ask(MessageRequest::ListServices(String::new())).await? {
            MessageResponse::ListServicesResponse(list) => {
                let names = list.service.into_iter().map(|service| service.name);
                Ok(names.filter(|name| !name.starts_with("grpc.")).collect())
            }
            _ => Err(Status::internal("another answer than to the question")),
        }
    }

    async fn add(
        &mut self,
        question: MessageRequest,
        files: &mut BTreeMap<String, FileDescriptorProto>,
    ) -> Result<(), String> {
        let asked = format!("{question:?}");
        let answer = self.ask(question).await.map_err(|status| format!("no answer to {asked}: {status}"))?;
        let MessageResponse::FileDescriptorResponse(response) = answer else {
            return Err(format!("another answer than to {asked}"));
        };
        for bytes in response.file_descriptor_proto {
            let file = FileDescriptorProto::decode(bytes.as_slice()).map_err(|error| format!("{asked}: {error}"))?;
            files.insert(file.name().to_owned(), file);
        }
        Ok(())
    }

    async fn ask(&mut self, question: MessageRequest) -> Result<MessageResponse, Status> {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
        self.client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
        let request = Request::new(tokio_stream::once(request));
        let mut answers = self.client.streaming(request, self.path.clone(), codec).await?.into_inner();
        match answers.message().await?.and_then(|answer| answer.message_response) {
            Some(MessageResponse::ErrorResponse(error)) => {
                Err(Status::new(Code::from(error.error_code), error.error_message))
            }
            Some(answer) => Ok(answer),
            None => Err(Status::internal("no answer")),
        }
    }
}

/// A file that another one imports, and that nobody has told yet.
fn missing(files: &BTreeMap<String, FileDescriptorProto>, known: &DescriptorPool) -> Option<String> {
    let imported: BTreeSet<&String> = files.values().flat_map(|file| &file.dependency).collect();
    imported.into_iter().find(|name| !files.contains_key(*name) && known.get_file_by_name(name).is_none()).cloned()
}
