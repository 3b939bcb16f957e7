//! Every address that the settings name, and what it takes to let clients in there.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::Config;
use crate::config::network::{HTTP, HTTPS};
use crate::error::Error;
use crate::listener::{Door, listen};
use crate::tls::Tls;

/// A listener as the settings want it.
pub(crate) struct Wanted<'a> {
    /// What other settings call it.
    setting: &'a str,
    /// Whether policies know it by that name.
    named: bool,
    address: SocketAddr,
    pub(crate) tls: bool,
}

/// All of them.
pub(crate) fn wanted(config: &Config) -> Vec<Wanted<'_>> {
    let unnamed = |setting, address: Option<SocketAddr>, tls| {
        address.map(|address| Wanted { setting, named: false, address, tls })
    };
    let named = config.listeners.iter().map(|one| Wanted {
        setting: &one.name,
        named: true,
        address: one.address,
        tls: one.tls,
    });
    unnamed(HTTP, config.http, false).into_iter().chain(unnamed(HTTPS, config.https, true)).chain(named).collect()
}

/// Listens on every address. `tls` is there if one of them wants it.
///
/// # Errors
/// An address that cannot be had; authorities for clients' certificates that cannot be read.
pub(crate) fn open(
    config: &Config,
    wanted: Vec<Wanted<'_>>,
    tls: Option<&Tls>,
) -> Result<Vec<(TcpListener, Door)>, Error> {
    let mut doors = Vec::with_capacity(wanted.len());
    for Wanted { setting, named, address, tls: secure } in wanted {
        let authorities = config.client_ca.of(setting);
        let acceptor = tls.filter(|_| secure).map(|tls| tls.acceptor(authorities)).transpose()?;
        let listener = listen(address)?;
        let scheme = if secure { "https" } else { "http" };
        let name = named.then_some(setting);
        let address = listener.local_addr().unwrap_or(address);
        let certificates = secure && !authorities.is_empty();
        tracing::info!(%scheme, %address, name, certificates, ranges = config.allow.of(setting).len(), "listening");
        let door = Door { name: name.map(Into::into), tls: acceptor, allow: config.allow.of(setting).into() };
        doors.push((listener, door));
    }
    Ok(doors)
}
