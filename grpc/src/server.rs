//! The server role, one HTTP/2 connection: which service a request is for, and the end of the connection.
//!
//! What happens to a call of the schema is told in `answers`. Health and reflection are answered here, unasked.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::server::{Grpc, ServerStreamingService, UnaryService};
use tonic::{Request, Status};
use tonic_health::ServingStatus;
use tower_service::Service;

use crate::Schema;
use crate::answers::{Answering, Asked, ITEMS_MAX, Items, pass, unavailable};
use crate::calls::LINGER_TIME;
use crate::message::DynamicCodec;
use crate::socket::{Handle, Socket};

/// Calls that wait to be told to who answers them; each further one waits in its own task.
const CALLS_MAX: usize = 16;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Route = Arc<dyn Fn(http::Request<Incoming>) -> Answer<Response<Body>> + Send + Sync>;

/// What a server answers by itself, and the schema of the rest.
pub(crate) struct Routes {
    schema: Arc<Schema>,
    /// By the beginning of their paths.
    own: Vec<(&'static str, Route)>,
}

impl fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Routes").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Routes {
    pub(crate) async fn new(schema: Arc<Schema>) -> Routes {
        let (reporter, health) = tonic_health::server::health_reporter();
        for service in schema.services() {
            reporter.set_service_status(service, ServingStatus::Serving).await;
        }
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_file_descriptor_set(schema.files())
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let valid = "a schema that was read is described without mistakes";
        let own = vec![
            ("/grpc.health.v1.Health/", route(health)),
            ("/grpc.reflection.v1.ServerReflection/", route(reflection().build_v1().expect(valid))),
            ("/grpc.reflection.v1alpha.ServerReflection/", route(reflection().build_v1alpha().expect(valid))),
        ];
        Routes { schema, own }
    }

    async fn answer(&self, asked: mpsc::Sender<Asked>, request: http::Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        if let Some((_, route)) = self.own.iter().find(|(start, _)| path.starts_with(start)) {
            return route(request).await;
        }
        let Some(method) = self.schema.method_at(path) else {
            return Status::unimplemented(format!("no method at {path}")).into_http();
        };
        if method.is_client_streaming() {
            return Status::unimplemented("a method that takes a stream has no form as lines").into_http();
        }
        let mut grpc = Grpc::new(DynamicCodec { incoming: method.input() });
        if method.is_server_streaming() {
            grpc.server_streaming(Streaming(Asking { method, asked }), request).await
        } else {
            grpc.unary(Unary(Asking { method, asked }), request).await
        }
    }
}

fn route<T>(service: T) -> Route
where
    T: Service<http::Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Future: Send,
{
    Arc::new(move |request| {
        let answer = service.clone().call(request);
        Box::pin(async move { answer.await.unwrap_or_else(|never| match never {}) })
    })
}

/// Serves one connection: its calls to the lines of `stream`, and their answers back, until either ends.
pub(crate) async fn serve<S>(routes: Arc<Routes>, socket: Socket<S>, handle: Handle<S>, stream: DuplexStream)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (ask, asked) = mpsc::channel(CALLS_MAX);
    let schema = Arc::clone(&routes.schema);
    let service = service_fn(move |request| {
        let (routes, ask) = (Arc::clone(&routes), ask.clone());
        async move { Ok::<_, Infallible>(routes.answer(ask, request).await) }
    });
    let mut connection = pin!(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => {
            tracing::debug!(?ended, "the peer has ended a connection of gRPC");
            return;
        }
        () = pass(schema, stream, asked) => {}
    }
    connection.as_mut().graceful_shutdown();
    if timeout(LINGER_TIME, connection).await.is_err() {
        drop(handle.take());
    }
}

/// A call on its way to the lines.
struct Asking {
    method: MethodDescriptor,
    asked: mpsc::Sender<Asked>,
}

impl Asking {
    async fn ask(&self, request: DynamicMessage, answer: Answering) -> Result<(), Status> {
        let asked = Asked { method: self.method.clone(), request, answer };
        self.asked.send(asked).await.map_err(|_| unavailable())
    }
}

struct Unary(Asking);

impl UnaryService<DynamicMessage> for Unary {
    type Response = DynamicMessage;
    type Future = Answer<Result<tonic::Response<DynamicMessage>, Status>>;

    fn call(&mut self, request: Request<DynamicMessage>) -> Self::Future {
        let asking = Asking { method: self.0.method.clone(), asked: self.0.asked.clone() };
        Box::pin(async move {
            let (reply, answered) = oneshot::channel();
            asking.ask(request.into_inner(), Answering::Unary(reply)).await?;
            answered.await.unwrap_or_else(|_| Err(unavailable())).map(tonic::Response::new)
        })
    }
}

struct Streaming(Asking);

impl ServerStreamingService<DynamicMessage> for Streaming {
    type Response = DynamicMessage;
    type ResponseStream = Items;
    type Future = Answer<Result<tonic::Response<Items>, Status>>;

    fn call(&mut self, request: Request<DynamicMessage>) -> Self::Future {
        let asking = Asking { method: self.0.method.clone(), asked: self.0.asked.clone() };
        Box::pin(async move {
            let (items, from) = mpsc::channel(ITEMS_MAX);
            asking.ask(request.into_inner(), Answering::Stream(items)).await?;
            Ok(tonic::Response::new(Items { from, is_over: false }))
        })
    }
}
