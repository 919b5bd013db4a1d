//! What this process can say of the machine it runs on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use app::cluster::{KeyCheck, Os};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::Stopwatch;
use crate::files;
use crate::messenger::wire::Process;

/// The message whose HMAC under the encryption key is the key check.
const KEY_CHECK_MESSAGE: &[u8] = b"cluster-overview/key-check/v1";

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

/// The check of the key in a file. The key itself goes no further than this function.
pub fn key_check_of_file(path: &Path) -> std::io::Result<KeyCheck> {
    Ok(key_check(&files::read(path)?))
}

/// `HMAC-SHA256(key, message)` of a key as configured: a byte order mark and surrounding white space
/// are dropped, and a key of hex digits only is lower-cased.
pub fn key_check(configured: &[u8]) -> KeyCheck {
    let key = configured.strip_prefix(b"\xef\xbb\xbf").unwrap_or(configured).trim_ascii();
    let key = if !key.is_empty() && key.iter().all(u8::is_ascii_hexdigit) {
        key.to_ascii_lowercase()
    } else {
        key.to_vec()
    };
    // HMAC takes a key of any length.
    let mut bytes = [0; 32];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) {
        mac.update(KEY_CHECK_MESSAGE);
        bytes.copy_from_slice(&mac.finalize().into_bytes());
    }
    KeyCheck::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_check_is_the_hmac_of_the_key_as_configured() {
        let plain = key_check(b"Correct horse");
        assert_eq!(
            plain.digits(),
            // printf '%s' cluster-overview/key-check/v1 | openssl dgst -sha256 -hmac 'Correct horse'
            "cb2b0b81b1fa0734b28ba7fe718608834c04b3684da1969aebd6a1dc1294c3ec"
        );
        assert_eq!(key_check(b"\xef\xbb\xbf  Correct horse\r\n"), plain);
        assert_ne!(key_check(b"correct horse"), plain);
    }

    #[test]
    fn a_key_of_hex_digits_only_is_the_same_in_either_case() {
        assert_eq!(key_check(b"00AAff"), key_check(b"00aaFF"));
        assert_ne!(key_check(b"00AAfg"), key_check(b"00aafg"));
    }
}
