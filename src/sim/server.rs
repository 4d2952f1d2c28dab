//! Sockets and routes. Each connection has a [`Line`] that can be cut from outside, so that a
//! fault can end it without an answer byte and a shutdown ends the held ones. Decides nothing.

use crate::sim::{Simulation, a4f, admin, encoding, faults, memory, nanogpt, ninjachat_host};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bodies are read up to here; NanoGPT's own limit lies far below (wire.md 1.6).
const MOST_BODY: usize = 64 << 20;

/// One connection, as a handler sees it: who calls, and a way to hang up on them.
#[derive(Clone, Debug)]
pub struct Line {
    pub peer: SocketAddr,
    state: Arc<LineState>,
}

#[derive(Debug, Default)]
struct LineState {
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl LineState {
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
    }
}

impl Line {
    /// Ends the connection now: what is not yet written never will be.
    pub fn cut(&self) {
        self.state.cut();
    }
}

/// A socket that can be cut.
#[derive(Debug)]
struct Wire {
    socket: TcpStream,
    state: Arc<LineState>,
}

impl Wire {
    fn broken(&self, waker: &AtomicWaker, context: &Context<'_>) -> Option<io::Error> {
        waker.register(context.waker());
        let cut = self.state.cut.load(Ordering::SeqCst);
        cut.then(|| io::Error::from(io::ErrorKind::ConnectionAborted))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.broken(&self.state.reader, context) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.socket).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.broken(&self.state.writer, context) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.socket).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.broken(&self.state.writer, context) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.socket).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

type Lines = Arc<Mutex<Vec<Weak<LineState>>>>;

#[derive(Debug)]
struct Door {
    socket: TcpListener,
    lines: Lines,
}

impl Listener for Door {
    type Io = Wire;
    type Addr = Line;

    async fn accept(&mut self) -> (Wire, Line) {
        let (socket, peer) = <TcpListener as Listener>::accept(&mut self.socket).await;
        // Small answers must not wait for Nagle: tests and benchmarks measure them.
        let _ = socket.set_nodelay(true);
        let state = Arc::new(LineState::default());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&state));
        let line = Line { peer, state: state.clone() };
        (Wire { socket, state }, line)
    }

    fn local_addr(&self) -> io::Result<Line> {
        let peer = self.socket.local_addr()?;
        Ok(Line { peer, state: Arc::default() })
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

/// The running server.
#[derive(Debug)]
pub struct Serving {
    accepting: JoinHandle<()>,
    lines: Lines,
}

impl Serving {
    /// Stops listening, then cuts every connection.
    pub async fn stop(self) {
        self.accepting.abort();
        let _ = self.accepting.await;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter().filter_map(Weak::upgrade) {
            line.cut();
        }
    }
}

/// Binds 127.0.0.1 and serves until stopped.
pub async fn serve(simulation: Arc<Simulation>, port: u16) -> io::Result<(SocketAddr, Serving)> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = socket.local_addr()?;
    let lines = Lines::default();
    let door = Door { socket, lines: lines.clone() };
    let app = routes(simulation).into_make_service_with_connect_info::<Line>();
    let accepting = tokio::spawn(async move {
        let _ = axum::serve(door, app).await;
    });
    Ok((address, Serving { accepting, lines }))
}

fn routes(simulation: Arc<Simulation>) -> Router {
    let ninjachat = ninjachat_host::routes(&simulation, true);
    let app = admin::routes()
        .merge(ninjachat_host::routes(&simulation, false))
        .merge(nanogpt::routes())
        .merge(a4f::routes(&simulation))
        .nest("/ninjachat", ninjachat.clone())
        .nest("/ninjachat-new", ninjachat)
        .nest("/nanogpt", nanogpt::routes().merge(nanogpt::prefixed()))
        .nest("/a4f", a4f::routes(&simulation));
    app.fallback(admin::no_such_path)
        .method_not_allowed_fallback(admin::no_such_path)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        // Inside of the faults: what a fault keeps from the caller is booked all the same.
        .layer(axum::middleware::from_fn_with_state(simulation.clone(), memory::layer))
        .layer(axum::middleware::from_fn_with_state(simulation.clone(), encoding::layer))
        .layer(axum::middleware::from_fn_with_state(simulation.clone(), faults::layer))
        .with_state(simulation)
}
