//! HTTP on a thread of its own: it answers whatever the lanes and Kafka do.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::canary::CanaryMetrics;
use crate::error::ServeError;
use crate::families::TEXT_FORMAT;
use crate::listener::Limited;
use crate::metrics::Metrics;
use crate::{openapi, pages};

/// Connections that are open at once; further ones wait to be accepted.
const CONNECTIONS: usize = 64;

/// How long an answer that has begun may take once the server is to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, on any free port where it is 0, and answers from now on.
    ///
    /// # Errors
    /// [`ServeError::Listen`], [`ServeError::Thread`].
    pub fn start(listen: SocketAddr, metrics: Metrics) -> Result<Self, ServeError> {
        Self::serve(bind(listen)?, router(metrics))
    }

    /// The same where somebody listens already: the port was his before he knew what to answer.
    ///
    /// # Errors
    /// [`ServeError::Listener`], [`ServeError::Thread`].
    pub fn start_on(listener: TcpListener, metrics: Metrics) -> Result<Self, ServeError> {
        Self::serve(listener, router(metrics))
    }

    /// The same for a canary, which has metrics and a probe.
    ///
    /// # Errors
    /// [`ServeError::Listen`], [`ServeError::Thread`].
    pub fn start_canary(listen: SocketAddr, metrics: CanaryMetrics) -> Result<Self, ServeError> {
        Self::serve(bind(listen)?, canary_router(metrics))
    }

    fn serve(listener: TcpListener, router: Router) -> Result<Self, ServeError> {
        let prepared = listener.set_nonblocking(true);
        let address = prepared.and_then(|()| listener.local_addr());
        let address = address.map_err(ServeError::Listener)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(ServeError::Thread)?;
        let run = move || {
            runtime.block_on(answer(listener, router, stopped));
            // Whoever keeps a connection open is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("http".into()).spawn(run);
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread.map_err(ServeError::Thread)?),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, finishes the answers that have begun, and ends; within two seconds.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn bind(listen: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(listen).map_err(|source| ServeError::Listen { listen, source })
}

async fn answer(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => Limited::new(listener, CONNECTIONS),
        Err(error) => {
            tracing::error!(%error, "HTTP is not served");
            return;
        }
    };
    let (last, mut told) = tokio::sync::watch::channel(());
    let graceful = async move {
        // An end of the sender is the sign.
        let _ = stopped.await;
        drop(last);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(graceful);
    let too_long = async move {
        let _ = told.changed().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::error!(%error, "HTTP is served no more");
            }
        }
        () = too_long => {}
    }
}

fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(text))
        .route(
            "/livez",
            get(async |State(metrics): State<Metrics>| json(pages::livez(&metrics))),
        )
        .route(
            "/readyz",
            get(async |State(metrics): State<Metrics>| json(pages::readyz(&metrics))),
        )
        .route(
            "/api/v1/status",
            get(async |State(metrics): State<Metrics>| {
                json((StatusCode::OK, pages::status(&metrics)))
            }),
        )
        .route(
            "/api/v1/openapi.json",
            get(async |State(metrics): State<Metrics>| {
                json((StatusCode::OK, openapi(&metrics.0.spec.version)))
            }),
        )
        .with_state(metrics)
}

fn canary_router(metrics: CanaryMetrics) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(async |State(metrics): State<CanaryMetrics>| exposed(metrics.render())),
        )
        .route(
            "/livez",
            get(async |State(metrics): State<CanaryMetrics>| json(metrics.livez())),
        )
        .with_state(metrics)
}

async fn text(State(metrics): State<Metrics>) -> Response {
    exposed(metrics.render())
}

fn exposed(text: String) -> Response {
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}

fn json((status, body): (StatusCode, Value)) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}
