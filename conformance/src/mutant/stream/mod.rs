//! Wrong ways with bytes: the operating system's TCP, with a habit between the sockets and the server.
//!
//! The wire is `framed`, so a habit knows where frames end: the first four bytes of each are the length of the rest.
//! Habits over other wires stand in `reads`.

mod list;
pub(super) mod reads;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use reference_server::net::{Listener, Net, Tcp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Sleep, sleep};

pub(super) use list::{MUTANTS, UNUSUAL};

/// What is wrong with a server's connections.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mistake {
    /// Each connection has a habit.
    Habit(fn() -> Box<dyn Habit>),
    /// The next one is accepted when the last one has ended.
    OneAtATime,
}

/// What becomes of a connection's bytes. As it stands, nothing happens to them.
pub(super) trait Habit: Send {
    /// Bytes that came in one read, on their way to the server.
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        Fate::Go(bytes)
    }

    /// The end of input, or a reset, on its way to the server.
    fn end(&mut self, _reset: bool) -> Fate {
        Fate::End
    }

    /// Whole frames on their way to the client; `unread` tells whether the client has sent more meanwhile.
    fn write(&mut self, bytes: &[u8], _unread: bool) -> Fate {
        Fate::Go(bytes.to_vec())
    }

    /// The most bytes that are handed on at once.
    fn piece(&self) -> usize {
        usize::MAX
    }

    /// How long bytes lie before the server looks at them; if the connection ends meanwhile, it never does.
    fn hesitation(&self) -> Option<Duration> {
        None
    }
}

/// What becomes of bytes.
pub(super) enum Fate {
    /// These are handed on.
    Go(Vec<u8>),
    /// These are handed on, and then the server believes that the client has ended the connection.
    Last(Vec<u8>),
    /// The server believes that the client has ended the connection.
    End,
    /// The server never hears of it.
    Rest,
    /// The connection is reset.
    Reset,
    /// The whole server is gone.
    Kill,
}

/// TCP with a mistake.
#[derive(Debug, Clone, Copy)]
pub(super) struct BentTcp(pub(super) Mistake);

impl Net for BentTcp {
    type Stream = BentStream;
    type Listener = BentListener;

    async fn bind(&self, address: &str) -> io::Result<BentListener> {
        let listener = Arc::new(Tcp.bind(address).await?);
        let (address, listener) = (TcpListener::local_addr(&listener)?, Mutex::new(Some(listener)));
        Ok(BentListener {
            mistake: self.0,
            address,
            listener,
            death: watch::Sender::new(false),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    async fn connect(&self, _: &str) -> io::Result<BentStream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A bound address of a server that can die: then nobody listens there any more.
pub(super) struct BentListener {
    mistake: Mistake,
    address: SocketAddr,
    listener: Mutex<Option<Arc<TcpListener>>>,
    death: watch::Sender<bool>,
    turn: Arc<Semaphore>,
}

impl Listener for BentListener {
    type Stream = BentStream;

    async fn accept(&self) -> io::Result<(BentStream, SocketAddr)> {
        let (turn, habit): (_, Box<dyn Habit>) = match self.mistake {
            Mistake::Habit(habit) => (None, habit()),
            Mistake::OneAtATime => (self.turn.clone().acquire_owned().await.ok(), Box::new(list::None)),
        };
        let listener = self.listener.lock().expect("nothing panics while it holds it").clone();
        let Some(listener) = listener else { return std::future::pending().await };
        let mut death = self.death.subscribe();
        tokio::select! {
            biased;
            () = asked_to_die(&mut death) => {}
            accepted = Listener::accept(&*listener) => {
                let (stream, from) = accepted?;
                return Ok((BentStream::new(stream, habit, self.death.clone(), turn), from));
            }
        }
        self.listener.lock().expect("nothing panics while it holds it").take();
        drop(listener);
        std::future::pending().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Waits until the server is gone.
async fn asked_to_die(death: &mut watch::Receiver<bool>) {
    // An error means that the server ended in another way.
    let _ = death.wait_for(|dead| *dead).await;
}

/// A connection with a habit.
pub(super) struct BentStream {
    socket: TcpStream,
    habit: Box<dyn Habit>,
    /// Bytes that the server has not taken yet.
    arrived: Vec<u8>,
    /// Bytes that the socket has not taken yet, and for how many of the server's they stand.
    leaving: Option<(Vec<u8>, usize)>,
    sleep: Option<Pin<Box<Sleep>>>,
    input: Input,
    death: watch::Sender<bool>,
    dying: Pin<Box<dyn Future<Output = ()> + Send>>,
    _turn: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
    Resting,
}

impl BentStream {
    fn new(
        socket: TcpStream,
        habit: Box<dyn Habit>,
        death: watch::Sender<bool>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let mut alive = death.subscribe();
        let dying = Box::pin(async move { asked_to_die(&mut alive).await });
        let (arrived, leaving, sleep, input) = (Vec::new(), None, None, Input::Open);
        BentStream { socket, habit, arrived, leaving, sleep, input, death, dying, _turn: turn }
    }

    fn is_dead(&self) -> bool {
        *self.death.borrow()
    }

    /// Decides about input.
    fn receive(&mut self, fate: Fate) {
        match fate {
            Fate::Go(bytes) => self.arrived.extend(bytes),
            Fate::Last(bytes) => {
                self.arrived.extend(bytes);
                self.input = Input::Ended;
            }
            Fate::End => self.input = Input::Ended,
            Fate::Rest => self.input = Input::Resting,
            Fate::Reset => self.reset(),
            Fate::Kill => drop(self.death.send_replace(true)),
        }
    }

    fn reset(&mut self) {
        // With a linger of zero, dropping the socket resets the connection.
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        self.input = Input::Ended;
    }

    /// Takes what the socket has. Ready: something is decided.
    fn poll_socket(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 16 << 10];
        let mut buffer = ReadBuf::new(&mut bytes);
        let fate = match ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer)) {
            Ok(()) if !buffer.filled().is_empty() => {
                self.sleep = self.habit.hesitation().map(|time| Box::pin(sleep(time)));
                self.habit.read(buffer.filled().to_vec())
            }
            ended => {
                if self.sleep.take().is_some() {
                    self.arrived.clear();
                }
                match self.habit.end(ended.is_err()) {
                    Fate::Go(bytes) => Fate::Last(bytes),
                    fate => fate,
                }
            }
        };
        self.receive(fate);
        Poll::Ready(())
    }
}

impl AsyncRead for BentStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        loop {
            if stream.is_dead() || stream.dying.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if let Some(sleep) = &mut stream.sleep {
                if sleep.as_mut().poll(context).is_pending() {
                    ready!(stream.poll_socket(context));
                    continue;
                }
                stream.sleep = None;
            }
            if !stream.arrived.is_empty() {
                let count = stream.arrived.len().min(out.remaining()).min(stream.habit.piece());
                out.put_slice(&stream.arrived[..count]);
                stream.arrived.drain(..count);
                return Poll::Ready(Ok(()));
            }
            match stream.input {
                Input::Ended => return Poll::Ready(Ok(())),
                Input::Resting => return Poll::Pending,
                Input::Open => ready!(stream.poll_socket(context)),
            }
        }
    }
}

impl AsyncWrite for BentStream {
    /// Takes all that it is given, when the socket has taken what became of it.
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        if stream.leaving.is_none() {
            let mut peeked = [0];
            let unread = stream.socket.poll_peek(context, &mut ReadBuf::new(&mut peeked));
            let written = match stream.habit.write(bytes, matches!(unread, Poll::Ready(Ok(1..)))) {
                Fate::Go(written) => written,
                Fate::Last(written) => {
                    stream.input = Input::Ended;
                    context.waker().wake_by_ref();
                    written
                }
                Fate::Rest => Vec::new(),
                fate => {
                    stream.receive(fate);
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
            };
            stream.leaving = Some((written, bytes.len()));
        }
        while let Some((leaving, taken)) = &mut stream.leaving {
            if leaving.is_empty() {
                let taken = *taken;
                stream.leaving = None;
                return Poll::Ready(Ok(taken));
            }
            if *stream.death.borrow() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let piece = leaving.len().min(stream.habit.piece());
            let written = ready!(Pin::new(&mut stream.socket).poll_write(context, &leaving[..piece]))?;
            leaving.drain(..written);
        }
        unreachable!("there is something leaving until the loop returns")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

impl fmt::Debug for BentStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BentStream").field("input", &self.input).finish_non_exhaustive()
    }
}
