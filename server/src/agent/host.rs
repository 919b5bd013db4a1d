//! Facts about this machine and this process.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use app::cluster::Os;

use serde::{Deserialize, Serialize};

use crate::clock::Stopwatch;

/// What a process uses. It travels on the messenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub uptime_s: u64,
    /// Processor time, user and system.
    pub cpu_ms: u64,
    /// Resident memory.
    pub memory_bytes: u64,
}

pub fn os() -> Os {
    let info = os_info::get();
    let name = os_release("NAME").unwrap_or_else(|| info.os_type().to_string());
    let version = os_release("VERSION_ID").unwrap_or_else(|| info.version().to_string());
    Os { name, version }
}

/// A field of `/etc/os-release`, which has the full name of a Linux distribution.
fn os_release(field: &str) -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='))?;
    let value = line.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

pub fn host_name() -> Option<String> {
    let name = hostname::get().ok()?.into_string().ok()?;
    (!name.is_empty()).then_some(name)
}

/// The address that this machine uses towards `peer`, by its routing table. Nothing is sent.
pub fn address_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether an address is one of this machine's. Only those can be bound, unless `ip_nonlocal_bind` is set; then the routing
/// table decides.
pub fn is_own(ip: IpAddr) -> bool {
    let can_bind = |ip: IpAddr| UdpSocket::bind((ip, 0)).is_ok();
    // From the documentation networks, so no machine has them.
    let foreign: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    can_bind(ip) && (!can_bind(foreign) || address_towards(SocketAddr::new(ip, 9)) == Some(ip))
}

/// `since`: when the process started. `None` where the system has no `/proc`.
pub fn process(since: Stopwatch) -> Option<Process> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name, in parentheses, can contain anything. After it: user and system time are fields 14 and 15, in
    // hundredths of a second; the resident memory is field 24, in pages.
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    Some(Process {
        uptime_s: since.elapsed().as_secs(),
        cpu_ms: (field(14)? + field(15)?) * 10,
        memory_bytes: field(24)? * u64::try_from(rustix::param::page_size()).ok()?,
    })
}

/// Why a host name is not suitable as a server's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsuitableName {
    #[error(
        "the host name of a container changes with each start, and each name would be a new server"
    )]
    Container,
    #[error("many machines have this host name, and all of them would be one server")]
    Common,
}

/// The default host names of systems, images and installers, in lower case, without a domain.
const COMMON_NAMES: [&str; 20] = [
    "(none)",
    "almalinux",
    "alpine",
    "archlinux",
    "buildroot",
    "centos",
    "debian",
    "fedora",
    "host",
    "kali",
    "linux",
    "localhost",
    "localhost6",
    "opensuse",
    "raspberrypi",
    "rocky",
    "server",
    "template",
    "ubuntu",
    "vagrant",
];

/// Why this host name is not suitable as a server's name; `None` if it is.
pub fn check_host_name(host_name: &str) -> Option<UnsuitableName> {
    if in_container() {
        return Some(UnsuitableName::Container);
    }
    is_common(host_name).then_some(UnsuitableName::Common)
}

fn is_common(host_name: &str) -> bool {
    let label = host_name.split('.').next().unwrap_or_default();
    COMMON_NAMES.iter().any(|common| label.eq_ignore_ascii_case(common))
}

/// Whether this process seems to run in a container.
fn in_container() -> bool {
    // Docker; Podman; systemd in LXC, nspawn and others; Kubernetes.
    const MARKER_FILES: [&str; 4] = [
        "/.dockerenv",
        "/run/.containerenv",
        "/run/systemd/container",
        "/var/run/secrets/kubernetes.io",
    ];
    let read = |path| std::fs::read(path).unwrap_or_default();
    let text = |path| String::from_utf8_lossy(&read(path)).into_owned();
    MARKER_FILES.iter().any(|file| Path::new(file).exists())
        || is_of_container(
            &text("/proc/1/environ"),
            &text("/proc/self/cgroup"),
            &text("/proc/self/mountinfo"),
        )
}

/// Whether these are the first process's environment, the control groups and the mounts of a container. LXC, nspawn and Podman
/// set a variable; others are visible in a control group, if that is not hidden; and every runtime that gives a container its own
/// host name mounts `/etc/hostname`.
fn is_of_container(init_environment: &str, control_groups: &str, mounts: &str) -> bool {
    const GROUPS: [&str; 7] = [
        "/docker",
        "/kubepods",
        "/containerd",
        "/crio",
        "/libpod",
        "/lxc",
        "/machine.slice/machine-",
    ];
    let names_one = |variable: &str| {
        variable.strip_prefix("container=").is_some_and(|runtime| !runtime.is_empty())
    };
    let is_group = |line: &str| {
        let path = line.splitn(3, ':').nth(2).unwrap_or_default();
        GROUPS.iter().any(|group| path.contains(group))
    };
    // The fifth field is the mount point.
    let is_host_name = |line: &str| line.split(' ').nth(4) == Some("/etc/hostname");
    init_environment.split('\0').any(names_one)
        || control_groups.lines().any(is_group)
        || mounts.lines().any(is_host_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_runtime_is_recognized_and_a_machine_is_not() {
        let machine =
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n22 27 0:21 / /proc rw - proc proc rw";
        let unit = "0::/system.slice/cluster-overview-agent.service";
        assert!(!is_of_container("HOME=/\0TERM=linux\0container=\0", unit, machine));
        for environment in
            ["TERM=x\0container=lxc\0", "container=podman", "container=systemd-nspawn\0"]
        {
            assert!(is_of_container(environment, unit, machine), "{environment}");
        }
        for group in [
            "12:pids:/docker/3f1c",
            "11:cpu:/kubepods/besteffort/pod1/2",
            "0::/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:2",
            "0::/machine.slice/libpod-2.scope",
            "1:name=systemd:/lxc/web-1",
        ] {
            assert!(is_of_container("", group, machine), "{group}");
        }
        let mounted =
            "709 701 8:1 /var/lib/containerd/1/hostname /etc/hostname rw - ext4 /dev/sda1 rw";
        assert!(is_of_container("", "0::/", &format!("{machine}\n{mounted}")));
    }

    #[test]
    fn a_name_that_many_machines_have_is_common_with_any_domain() {
        for name in ["localhost", "localhost.localdomain", "Debian.corp.example", "UBUNTU"] {
            assert!(is_common(name), "{name}");
        }
        for name in ["debian-7", "web-1", "web-1.localhost", "ubuntu2204"] {
            assert!(!is_common(name), "{name}");
        }
    }
}
