//! A network of hosts: each is a namespace of the kernel with an address of its own, joined to the others
//! by a switch. Nothing of it is seen outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The namespaces, gone with this value and all processes in them.
pub(crate) struct World {
    /// A shell that does nothing: it is where the others find the namespaces.
    keeper: Child,
    addresses: Vec<(String, String)>,
}

impl World {
    /// A world of these hosts, by name and address.
    pub(crate) fn of(hosts: &[(&str, &str)]) -> Self {
        // Whoever is root there need be nobody here.
        let mut keeper = Command::new("unshare")
            .args(["--map-root-user", "--net", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs tmpfs /run && ip link add switch type bridge && ip link set switch up && echo made; read -r _")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "made\n", "no namespaces here");
        let named = |(host, address): &(&str, &str)| ((*host).to_owned(), (*address).to_owned());
        let world = Self { keeper, addresses: hosts.iter().map(named).collect() };
        for (host, address) in hosts {
            world.sh(&format!(
                "ip netns add {host}
                 ip link add {host} type veth peer name eth0 netns {host}
                 ip link set {host} master switch up
                 ip -n {host} addr add {address}/24 dev eth0
                 ip -n {host} link set lo up
                 ip -n {host} link set eth0 up"
            ));
        }
        world
    }

    /// A host's address, as the world was made.
    pub(crate) fn address(&self, host: &str) -> &str {
        &self.addresses.iter().find(|(known, _)| known == host).unwrap().1
    }

    /// Changes the world.
    pub(crate) fn sh(&self, script: &str) {
        let done = self.enter().args(["sh", "-e", "-c", script]).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Has a host's firewall take these rules instead of those it has, for what comes in.
    pub(crate) fn firewall(&self, host: &str, rules: &str) {
        self.sh(&format!(
            "ip netns exec {host} nft -f - <<'.'
                table inet story
                delete table inet story
                table inet story {{
                    chain input {{
                        type filter hook input priority 0; policy accept;
                        {rules}
                    }}
                }}\n."
        ));
    }

    /// Pulls a host's cable.
    pub(crate) fn unplug(&self, host: &str) {
        self.sh(&format!("ip link set {host} down"));
    }

    /// Puts it in again.
    pub(crate) fn plug(&self, host: &str) {
        self.sh(&format!("ip link set {host} up"));
    }

    /// A program on a host, to be named as the next argument. It ends with the thread that starts it.
    pub(crate) fn on(&self, host: &str) -> Command {
        let mut command = self.enter();
        command.args(["ip", "netns", "exec", host, "setpriv", "--pdeathsig", "KILL"]);
        command
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.keeper.id().to_string()]);
        command.args(["--user", "--net", "--mount", "--preserve-credentials", "--"]);
        // What root needs is not always where others look.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
