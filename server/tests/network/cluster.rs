//! Overviews and agents that run on the hosts of a virtual network.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Folder, Process, create_token, folder, program, wait_until_ok};

use crate::virtual_network::Network;

/// A virtual network whose overviews share one database. All files are in one folder.
pub(crate) struct Cluster {
    pub(crate) network: Network,
    database: String,
    folder: Folder,
}

impl Cluster {
    /// Starts no process yet. Without a database address, the database is a new file.
    pub(crate) fn new(hosts: &[(&str, &str)], database: Option<String>) -> Self {
        let folder = folder();
        let file = || format!("sqlite:{}", folder.join("overview.db").display());
        let database = database.unwrap_or_else(file);
        Self { network: Network::new(hosts), database, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Starts an overview with the name of its host.
    pub(crate) fn start_serve(&self, host: &str) -> Process {
        self.start_serve_reporting(host, "web")
    }

    /// Starts an overview that reports these components of its own.
    pub(crate) fn start_serve_reporting(&self, host: &str, own: &str) -> Process {
        let mut serve = self.network.command_on(host);
        serve.arg(program()).args(["serve", "--listen", "0.0.0.0:3000", "--name", host]);
        serve.args(["--ip", self.network.address(host)]);
        serve.args(["--report-self", own, "--database", &self.database]);
        serve.args(["--join-token-file", &self.path("token")]);
        let mut process = self.start_process(serve, host);
        process.wait_for_line("the line that says where it listens", DEFAULT_TIMEOUT, |line| {
            line.contains(" at http://").then_some(())
        });
        self.create_viewer_token_once();
        process
    }

    fn start_process(&self, mut command: Command, name: &str) -> Process {
        Process::start(&mut command, &self.folder, name)
    }

    fn create_viewer_token_once(&self) {
        let viewer = self.folder.join("viewer");
        if !viewer.exists() {
            std::fs::write(viewer, create_token(&self.database, "viewer")).unwrap();
        }
    }

    /// Starts an agent on a host for the service of this server.
    pub(crate) fn start_agent(
        &self,
        host: &str,
        server: &str,
        overview: &str,
        port: u16,
    ) -> Process {
        let mut agent = self.network.command_on(host);
        agent.arg(program());
        agent.args(["agent", "--overview", &format!("http://{overview}:3000")]);
        agent.args(["--token-file", &self.path("token"), "--name", server]);
        agent.args(["--credential-file", &self.path(&format!("{server}.credential"))]);
        agent.args(["--messenger-port", &port.to_string()]);
        self.start_process(agent, server)
    }

    /// Replaces `/etc/hosts` on all hosts.
    pub(crate) fn set_hosts_file(&self, hosts: &str) {
        let file = self.folder.join("hosts");
        let is_new = !file.exists();
        // In place, because the file is mounted.
        std::fs::write(&file, hosts).unwrap();
        if is_new {
            self.network.run_script(&format!("mount --bind {} /etc/hosts", file.display()));
        }
    }

    /// The output of `status` on a host; `None` while the overview cannot be reached.
    pub(crate) fn read_picture(&self, host: &str) -> Option<Value> {
        let mut status = self.network.command_on(host);
        status.arg(program());
        status.args(["status", "--json", "--overview", "http://127.0.0.1:3000"]);
        let output = status.args(["--token-file", &self.path("viewer")]).output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Reads the picture until it is as wanted.
    pub(crate) fn wait_for_picture(
        &self,
        host: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        wait_until_ok("a picture as wanted", within, || {
            let picture = self.read_picture(host);
            picture.clone().filter(&wanted).ok_or_else(|| format!("{picture:#?}"))
        })
    }

    /// Waits until an overview shows this state and reason for the messenger of a server's service. Returns the
    /// messenger and the service.
    pub(crate) fn wait_for_messenger(
        &self,
        host: &str,
        server: &str,
        within: Duration,
        (state, reason): (&str, Option<&str>),
    ) -> (Value, Value) {
        let picture = self.wait_for_picture(host, within, |picture| {
            let messenger = &find_service(picture, server)["messenger"];
            messenger["state"] == state && messenger["reason"].as_str() == reason
        });
        let service = find_service(&picture, server);
        (service["messenger"].clone(), service.clone())
    }
}

/// A server's service in a picture; null if it is missing.
pub(crate) fn find_service<'a>(picture: &'a Value, server: &str) -> &'a Value {
    let servers = picture["servers"].as_array().unwrap().iter();
    let mut components = servers
        .filter(|known| known["name"] == server)
        .flat_map(|known| known["components"].as_array().unwrap());
    components.find(|component| component["role"] == "service").unwrap_or(&Value::Null)
}
