//! The laws of one connection, proved against a server that says exactly what the test tells it to say.
//!
//! Both ends are in memory, so a split is where the test puts it. The real server is in `reference.rs`.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use reference_client::client::{EVENTS_KEPT, REQUESTS_WAITING};
use reference_client::{Client, ClientError};
use spec::Spec;
use spec::codec::{Dialogue, Inbound, RequestDecoder};
use spec::dialect::Dialect;
use spec::message::{ErrorName, Event, Failure, Message, Reply, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The server's end.
struct Far {
    stream: DuplexStream,
    decoder: RequestDecoder,
}

fn framed() -> Arc<Dialect> {
    Spec::embedded().dialect("framed").expect("the protocol's own wire")
}

/// Both ends of a connection that holds so many bytes on their way.
fn connected(bytes: usize) -> (Client<DuplexStream>, Far) {
    let (near, far) = tokio::io::duplex(bytes);
    (Client::over(near, framed()), Far { stream: far, decoder: RequestDecoder::new(framed()) })
}

impl Far {
    /// The next request.
    async fn hear(&mut self) -> (Request, Dialogue) {
        loop {
            match self.decoder.next() {
                Some(Inbound::Request { request, dialogue }) => return (request, dialogue),
                Some(refused) => panic!("the client said {refused:?}"),
                None => {
                    let mut bytes = [0; 512];
                    let count = self.stream.read(&mut bytes).await.expect("the client is there");
                    assert!(count > 0, "the client has gone");
                    self.decoder.push(&bytes[..count]);
                }
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the client is there");
    }
}

fn answer(dialogue: &Dialogue, response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    framed().speak_response(dialogue, &response, &mut bytes).expect("the wire can say it");
    bytes
}

fn message(message_id: u64) -> Event {
    Event::Message(Message { message_id, sender: "bob".into(), text: "hi".into(), sent_at: 0 })
}

fn event(message_id: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    framed().speak_event(&message(message_id), &mut bytes).expect("the wire can say it");
    bytes
}

fn ping(nonce: u64) -> Request {
    Request::Ping { nonce }
}

fn pong(nonce: u64) -> Response {
    Ok(Reply::Ping { nonce })
}

#[tokio::test]
async fn answers_match_in_order_though_events_come_between() {
    let (mut client, mut far) = connected(4096);
    let first = client.start(ping(1)).await.expect("sent");
    let second = client.start(ping(2)).await.expect("sent");
    let ((_, one), (_, two)) = (far.hear().await, far.hear().await);
    let failure = Failure::new(ErrorName::Unavailable, "not now");
    far.say(
        &[event(1), answer(&one, pong(1)), event(2), event(3), answer(&two, Err(failure.clone())), event(4)].concat(),
    )
    .await;

    assert!(matches!(client.finish(second).await, Err(ClientError::Refused(seen)) if seen == failure));
    assert_eq!(client.finish(first).await.expect("answered"), Reply::Ping { nonce: 1 });
    assert_eq!(client.take_events(), [message(1), message(2), message(3)], "what came before the answer");
    assert_eq!(client.next_event().await.expect("understood"), Some(message(4)));
}

#[tokio::test]
async fn a_split_answer_is_one_answer() {
    let (mut client, mut far) = connected(4096);
    let server = async {
        let (_, dialogue) = far.hear().await;
        for byte in [event(1), answer(&dialogue, pong(7)), event(2)].concat() {
            far.say(&[byte]).await;
            tokio::task::yield_now().await;
        }
    };
    let (nonce, ()) = tokio::join!(client.ping(7), server);
    assert_eq!(nonce.expect("answered"), 7);
    assert_eq!(client.take_events(), [message(1)]);
    assert_eq!(client.next_event().await.expect("understood"), Some(message(2)));
}

#[tokio::test]
async fn a_connection_that_ends_while_an_answer_is_awaited_is_unknown() {
    for said in 0..=6 {
        let (mut client, mut far) = connected(4096);
        let server = async {
            let (_, dialogue) = far.hear().await;
            far.say(&answer(&dialogue, pong(1))[..said]).await;
            drop(far);
        };
        let (nonce, ()) = tokio::join!(client.ping(1), server);
        let error = nonce.expect_err("no answer came");
        assert!(matches!(error, ClientError::Unknown(_)), "{error} after {said} bytes");
        assert!(!error.is_definite());
        assert_eq!(client.next_event().await.expect("understood"), None);

        let error = client.ping(2).await.expect_err("nobody is there");
        assert!(matches!(error, ClientError::NotSent(_)), "{error} on a connection known to be over");
        assert!(error.is_definite());
    }
}

/// The server's end is gone and the client has not noticed: no byte of the request can leave.
#[tokio::test]
async fn what_no_byte_of_has_left_is_not_sent() {
    let (mut client, far) = connected(4096);
    drop(far);
    assert!(matches!(client.ping(1).await, Err(ClientError::NotSent(_))));

    let (mut client, _far) = connected(1 << 20);
    let long = "x".repeat(70_000);
    assert!(matches!(client.send_message("bob", &long).await, Err(ClientError::NotSent(_))), "the wire cannot say it");
    for nonce in 0..REQUESTS_WAITING as u64 {
        client.start(ping(nonce)).await.expect("sent");
    }
    assert!(matches!(client.start(ping(0)).await, Err(ClientError::NotSent(_))), "too many wait");
}

#[tokio::test]
async fn garbage_is_garbled_and_never_hangs() {
    let asked = |nonce| {
        let mut bytes = Vec::new();
        let record = Request::Ping { nonce }.to_record();
        (framed().speak_request("ping", &record, nonce, &mut bytes).expect("the wire can say it"), bytes)
    };
    let good = answer(&asked(1).0, pong(1));
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let cases = [
        ("another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("a length below the least", vec![0, 0, 0, 5]),
        ("a length above the most", vec![0, 1, 0, 1]),
        ("another version", changed(4, 2)),
        ("the answer to another operation", changed(5, 0x85)),
        ("the answer to another request", answer(&asked(2).0, pong(1))),
        ("a request instead of an answer", asked(1).1),
        ("a status that is no error", changed(10, 99)),
        (
            "an event that ends too soon",
            event(1).iter().enumerate().map(|(i, b)| if i == 3 { *b - 9 } else { *b }).collect(),
        ),
    ];
    for (what, bytes) in cases {
        let (mut client, mut far) = connected(4096);
        let first = client.start(ping(1)).await.expect("sent");
        let second = client.start(ping(2)).await.expect("sent");
        far.say(&bytes).await;
        for ticket in [first, second] {
            let error = client.finish(ticket).await.expect_err(what);
            assert!(matches!(error, ClientError::Garbled { .. }), "{what}: {error}");
        }
        assert!(matches!(client.next_event().await, Err(ClientError::Garbled { .. })), "{what}");
        assert!(matches!(client.ping(3).await, Err(ClientError::NotSent(_))), "{what}");
    }
    let (mut client, mut far) = connected(4096);
    far.say(&good).await;
    let error = client.next_event().await.expect_err("nobody asked");
    assert!(matches!(error, ClientError::Garbled { bytes, .. } if bytes == good));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_unknown_and_never_that_of_a_later_request() {
    let (client, mut far) = connected(4096);
    let mut client = client.answer_within(Duration::from_secs(5));
    assert!(matches!(client.ping(1).await, Err(ClientError::Unknown(_))));
    let (_, late) = far.hear().await;
    far.say(&answer(&late, pong(1))).await;
    let server = async {
        let (_, dialogue) = far.hear().await;
        far.say(&answer(&dialogue, pong(2))).await;
    };
    let (nonce, ()) = tokio::join!(client.ping(2), server);
    assert_eq!(nonce.expect("answered"), 2);
}

/// The connection holds 64 bytes each way, so a client that only wrote would stop a server that only answers.
#[tokio::test]
async fn whoever_writes_listens_as_well() {
    let (mut client, mut far) = connected(64);
    let server = async {
        for _ in 0..REQUESTS_WAITING {
            let (request, dialogue) = far.hear().await;
            let Request::Ping { nonce } = request else { panic!("{request:?} is no ping") };
            far.say(&[event(nonce), answer(&dialogue, pong(nonce))].concat()).await;
        }
    };
    let questions = async {
        let mut tickets = Vec::new();
        for nonce in 0..REQUESTS_WAITING as u64 {
            tickets.push(client.start(ping(nonce)).await.expect("sent"));
        }
        for (nonce, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(client.finish(ticket).await.expect("answered"), Reply::Ping { nonce: nonce as u64 });
        }
    };
    tokio::join!(questions, server);
    assert_eq!(client.take_events().len(), REQUESTS_WAITING);
}

#[tokio::test]
async fn a_call_that_is_dropped_half_way_leaves_whole_frames() {
    let (mut client, mut far) = connected(16);
    {
        let mut long = Box::pin(client.send_message("bob", "more than sixteen bytes"));
        let polled = poll_fn(|context| Poll::Ready(long.as_mut().poll(context).is_ready())).await;
        assert!(!polled, "the connection holds 16 bytes");
    }
    let server = async {
        let (request, dialogue) = far.hear().await;
        assert!(matches!(request, Request::SendMessage { .. }), "{request:?} is what was dropped");
        far.say(&answer(&dialogue, Err(ErrorName::NotLoggedIn.into()))).await;
        let (_, dialogue) = far.hear().await;
        far.say(&answer(&dialogue, pong(5))).await;
    };
    let (nonce, ()) = tokio::join!(client.ping(5), server);
    assert_eq!(nonce.expect("answered"), 5);
}

#[tokio::test]
async fn the_first_events_are_kept_and_the_others_counted() {
    let (mut client, mut far) = connected(1 << 20);
    let ticket = client.start(ping(1)).await.expect("sent");
    let (_, dialogue) = far.hear().await;
    for message_id in 1..=EVENTS_KEPT as u64 + 2 {
        far.say(&event(message_id)).await;
    }
    far.say(&answer(&dialogue, pong(1))).await;
    client.finish(ticket).await.expect("answered");
    let kept = client.take_events();
    assert_eq!((kept.len(), kept.last()), (EVENTS_KEPT, Some(&message(EVENTS_KEPT as u64))));
    assert_eq!(client.events_missed(), 2);
}

#[tokio::test]
async fn requests_are_numbered_from_one_and_every_frame_is_seen() {
    let (client, mut far) = connected(4096);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = Arc::clone(&seen);
    let mut client = client.watched(move |frame| watched.lock().expect("unbroken").push(frame.to_string()));
    let server = async {
        let (_, dialogue) = far.hear().await;
        far.say(&[event(1), answer(&dialogue, Err(Failure::new(ErrorName::NotPrimary, "other:6262")))].concat()).await;
    };
    let (hello, ()) = tokio::join!(client.hello("test"), server);
    assert!(matches!(hello, Err(ClientError::Refused(failure)) if failure.detail == "other:6262"));
    let seen = seen.lock().expect("unbroken");
    let titles: Vec<&str> = seen.iter().filter_map(|frame| frame.lines().next()).collect();
    assert_eq!(titles, ["→ hello", "← message", "← not_primary"]);
    assert!(seen[0].contains("request_id: 1") && seen[0].contains("client: \"test\""), "{}", seen[0]);
}
