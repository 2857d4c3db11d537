//! Serves the built page on this machine: for `cargo web serve` and `l2lab serve`.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    http::{HeaderValue, header},
};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// What the page needs, and no more: it is served as strictly as a host may.
const POLICY: &str =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:";

/// Where a page is served from.
pub struct Server {
    listener: TcpListener,
    app: Router,
}

impl Server {
    /// Takes `port` of the loopback interface (0: any free one) for the page in `dir`.
    ///
    /// # Errors
    /// When there is no page in `dir`, or the port is taken.
    pub fn bind(dir: &Path, port: u16) -> Result<Self> {
        if !dir.join("index.html").is_file() {
            bail!("there is no page in '{}': build it with 'cargo web build'", dir.display());
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("port {port} cannot be used; choose another with --port (0: any free one)"))?;
        listener.set_nonblocking(true)?;
        let header = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
        let app = Router::new()
            .fallback_service(ServeDir::new(dir).precompressed_br().precompressed_gzip())
            .layer(header(header::CONTENT_SECURITY_POLICY, POLICY))
            .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header(header::CACHE_CONTROL, "no-cache"))
            // Pages of other hosts embed the figures; there is nothing here that is anybody's own.
            .layer(header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
        Ok(Self { listener, app })
    }

    /// The page's address.
    ///
    /// # Errors
    /// When the system does not know it.
    pub fn url(&self) -> Result<String> {
        Ok(format!("http://{}/", self.listener.local_addr()?))
    }

    /// Serves until the process ends; there is nothing to be lost.
    ///
    /// # Errors
    /// When the system stops it.
    pub fn run(self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            axum::serve(listener, self.app).await.context("the server stopped")
        })
    }
}
