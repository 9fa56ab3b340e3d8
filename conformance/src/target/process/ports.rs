//! The ports of one instance: free ones found together, fixed ones looked at before anything is started.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Mutex;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use crate::target::StartError;
use crate::target::process::Values;

/// Free ports that instances of this process were given; nobody else gets them meanwhile.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// How often other free ports are looked for, when somebody took one in between.
const TRIES: usize = 64;

/// Whether a placeholder is a free port without being declared: `port`, `port2`, `port3` and so on.
pub(in crate::target) fn is_free_port(name: &str) -> bool {
    name.strip_prefix("port").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The host, without brackets, and the port of an address, whatever stands there.
pub(in crate::target) fn host_and_port(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (!host.is_empty() && !port.is_empty()).then_some((host, port))
}

/// The ports of one instance, free ones given back when it is gone.
#[derive(Debug)]
pub(super) struct Ports {
    host: String,
    by_name: BTreeMap<String, u16>,
    given: Vec<u16>,
}

impl Ports {
    /// Finds all free ports together, and sees to it that nobody listens on the fixed ones.
    pub(super) async fn choose(
        known: &BTreeMap<String, Option<u16>>,
        fixed: &BTreeSet<u16>,
        address: &str,
    ) -> Result<Self, StartError> {
        let host = host_and_port(address).map_or("127.0.0.1", |(host, _)| host);
        for port in fixed {
            if TcpStream::connect((host, *port)).await.is_ok() {
                return Err(StartError::new(format!(
                    "port {port} is in use already: something answers there before the target was started; end it, or use {{port}}"
                )));
            }
        }
        let mut ports = Ports { host: host.to_owned(), by_name: BTreeMap::new(), given: Vec::new() };
        let ip = host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        // All sockets stay until the last is found, so that the system cannot give out one port twice.
        let mut sockets = Vec::new();
        for (name, port) in known {
            let port = match port {
                Some(port) => *port,
                None => {
                    let (port, socket) = free(ip, fixed)
                        .map_err(|error| StartError::new(format!("there is no free port at {ip}: {error}")))?;
                    sockets.push(socket);
                    ports.given.push(port);
                    port
                }
            };
            ports.by_name.insert(name.clone(), port);
        }
        Ok(ports)
    }

    /// What `{host}` and the names of ports stand for.
    pub(super) fn values(&self) -> Values {
        let mut values: Values = self.by_name.iter().map(|(name, port)| (name.clone(), port.to_string())).collect();
        values.insert("host".into(), self.host.clone());
        values
    }

    /// Why a server that ended at once may not have got its port, if one of these cannot be had.
    pub(super) async fn trouble(&self) -> Option<String> {
        let ip = self.host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for port in self.by_name.values() {
            if !bind(ip, *port).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
                continue;
            }
            if TcpStream::connect((ip, *port)).await.is_ok() {
                return Some(format!("somebody else took port {port} meanwhile"));
            }
            if !self.given.contains(port) {
                return Some(format!(
                    "the system still keeps port {port} for connections that were just ended: let the server set SO_REUSEADDR, or use {{port}}"
                ));
            }
        }
        None
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        let mut given = GIVEN.lock().expect("never poisoned");
        given.retain(|port| !self.given.contains(port));
    }
}

/// A port that is free for both TCP and UDP, and that no other instance was given.
fn free(ip: IpAddr, fixed: &BTreeSet<u16>) -> io::Result<(u16, Socket)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let socket = bind(ip, 0)?;
        let port = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
        match UdpSocket::bind((ip, port)) {
            Ok(_) if !fixed.contains(&port) && GIVEN.lock().expect("never poisoned").insert(port) => {
                return Ok((port, socket));
            }
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Takes a port without listening: whoever waits elsewhere for a server at this port must not meet us.
fn bind(ip: IpAddr, port: u16) -> io::Result<Socket> {
    let address = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
