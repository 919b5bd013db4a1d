//! A virtual network of hosts: network namespaces, each with its own address, connected by a bridge. The host
//! system does not see them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The namespaces. On drop they end with all processes in them.
pub(crate) struct Network {
    /// A waiting shell that keeps the namespaces alive, so that others can enter them.
    namespace_holder: Child,
    addresses: Vec<(String, String)>,
}

impl Network {
    /// Creates hosts with these names and addresses.
    pub(crate) fn new(hosts: &[(&str, &str)]) -> Self {
        // Root inside the namespace is the current user outside.
        let mut namespace_holder = Command::new("unshare")
            .args(["--map-root-user", "--net", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs tmpfs /run && ip link add switch type bridge && ip link set switch up && echo created; read -r _")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(namespace_holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "created\n", "this system cannot create namespaces");
        let owned = |(host, address): &(&str, &str)| ((*host).to_owned(), (*address).to_owned());
        let network = Self { namespace_holder, addresses: hosts.iter().map(owned).collect() };
        for (host, address) in hosts {
            network.run_script(&format!(
                "ip netns add {host}
                 ip link add {host} type veth peer name eth0 netns {host}
                 ip link set {host} master switch up
                 ip -n {host} addr add {address}/24 dev eth0
                 ip -n {host} link set lo up
                 ip -n {host} link set eth0 up"
            ));
        }
        network
    }

    pub(crate) fn address(&self, host: &str) -> &str {
        &self.addresses.iter().find(|(known, _)| known == host).unwrap().1
    }

    /// Runs a script as root in the namespaces.
    pub(crate) fn run_script(&self, script: &str) {
        let output =
            self.command_in_namespaces().args(["sh", "-e", "-c", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Replaces a host's firewall rules for incoming packets.
    pub(crate) fn set_firewall(&self, host: &str, rules: &str) {
        self.run_script(&format!(
            "ip netns exec {host} nft -f - <<'.'
                table inet test
                delete table inet test
                table inet test {{
                    chain input {{
                        type filter hook input priority 0; policy accept;
                        {rules}
                    }}
                }}\n."
        ));
    }

    pub(crate) fn disconnect(&self, host: &str) {
        self.run_script(&format!("ip link set {host} down"));
    }

    pub(crate) fn connect(&self, host: &str) {
        self.run_script(&format!("ip link set {host} up"));
    }

    /// A command on a host; the program is its next argument. The process ends with the thread that starts it.
    pub(crate) fn command_on(&self, host: &str) -> Command {
        let mut command = self.command_in_namespaces();
        command.args(["ip", "netns", "exec", host, "setpriv", "--pdeathsig", "KILL"]);
        command
    }

    fn command_in_namespaces(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.namespace_holder.id().to_string()]);
        command.args(["--user", "--net", "--mount", "--preserve-credentials", "--"]);
        // System programs are not on every user's path.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.namespace_holder.kill();
        let _ = self.namespace_holder.wait();
    }
}
