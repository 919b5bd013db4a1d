//! What this process can say of the machine it runs on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use app::cluster::Os;

use crate::clock::Stopwatch;
use crate::messenger::wire::Process;

/// The operating system's real name and version.
pub fn os() -> Os {
    let info = os_info::get();
    let name = os_release("NAME").unwrap_or_else(|| info.os_type().to_string());
    let version = os_release("VERSION_ID").unwrap_or_else(|| info.version().to_string());
    Os { name, version }
}

/// A field of `/etc/os-release`, where a Linux says its full name.
fn os_release(field: &str) -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='))?;
    let value = line.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// The host's name.
pub fn host_name() -> Option<String> {
    let name = hostname::get().ok()?.into_string().ok()?;
    (!name.is_empty()).then_some(name)
}

/// The address this machine uses towards `peer`: asked of the routing table, nothing is sent.
pub fn address_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether an address is one of this machine's. Only those can be bound, unless the system was told
/// otherwise (`ip_nonlocal_bind`); then the routing table is asked.
pub fn is_own(ip: IpAddr) -> bool {
    let can_bind = |ip: IpAddr| UdpSocket::bind((ip, 0)).is_ok();
    // Of the documentation networks, which no machine has.
    let foreign: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    can_bind(ip) && (!can_bind(foreign) || address_towards(SocketAddr::new(ip, 9)) == Some(ip))
}

/// What this process uses, where the system tells.
pub fn process(since: Stopwatch) -> Option<Process> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the command's name, which may hold anything: user and system time are the 14th and 15th
    // field, in hundredths of a second; the resident memory is the 24th, in pages.
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    Some(Process {
        uptime_s: since.elapsed().as_secs(),
        cpu_ms: (field(14)? + field(15)?) * 10,
        memory_bytes: field(24)? * u64::try_from(rustix::param::page_size()).ok()?,
    })
}

/// Whether this process seems to run in a container, where the host name changes with each start.
pub fn in_container() -> bool {
    Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists()
}
