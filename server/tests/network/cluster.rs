//! The program on the hosts of a world: overviews that people sign in to, and agents.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Folder, Process, create_token, folder, program, wait_until_ok};

use crate::world::World;

/// Overviews and agents in a world, on one database, with their files in one folder.
pub(crate) struct Cluster {
    pub(crate) world: World,
    database: String,
    folder: Folder,
}

impl Cluster {
    /// Nothing runs yet. The database is a file, unless one is named.
    pub(crate) fn of(hosts: &[(&str, &str)], database: Option<String>) -> Self {
        let folder = folder();
        let file = || format!("sqlite:{}", folder.join("overview.db").display());
        let database = database.unwrap_or_else(file);
        Self { world: World::of(hosts), database, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Starts an overview on a host, which bears the host's name.
    pub(crate) fn serve(&self, host: &str) -> Process {
        self.serve_reporting(host, "web")
    }

    /// The same, with these components of its own.
    pub(crate) fn serve_reporting(&self, host: &str, own: &str) -> Process {
        let mut serve = self.world.on(host);
        serve.arg(program()).args(["serve", "--listen", "0.0.0.0:3000", "--name", host]);
        serve.args(["--ip", self.world.address(host)]);
        serve.args(["--report-self", own, "--database", &self.database]);
        serve.args(["--join-token-file", &self.path("token")]);
        let mut process = self.start(serve, host);
        process.wait_for_line("the line that says where it listens", DEFAULT_TIMEOUT, |line| {
            line.contains(" at http://").then_some(())
        });
        self.may_look();
        process
    }

    fn start(&self, mut command: Command, name: &str) -> Process {
        Process::start(&mut command, &self.folder, name)
    }

    /// Makes the token that looks, once.
    fn may_look(&self) {
        let viewer = self.folder.join("viewer");
        if !viewer.exists() {
            std::fs::write(viewer, create_token(&self.database, "viewer")).unwrap();
        }
    }

    /// Starts an agent on a host, for the service of this server; its overview is at this address.
    pub(crate) fn agent(&self, host: &str, server: &str, overview: &str, port: u16) -> Process {
        let mut agent = self.world.on(host);
        agent.arg(program());
        agent.args(["agent", "--overview", &format!("http://{overview}:3000")]);
        agent.args(["--token-file", &self.path("token"), "--name", server]);
        agent.args(["--credential-file", &self.path(&format!("{server}.credential"))]);
        agent.args(["--messenger-port", &port.to_string()]);
        self.start(agent, server)
    }

    /// Has the names that all hosts know be these from now on; what starts later reads them.
    pub(crate) fn name(&self, hosts: &str) {
        let file = self.folder.join("hosts");
        let is_new = !file.exists();
        // Written in place: it is mounted.
        std::fs::write(&file, hosts).unwrap();
        if is_new {
            self.world.sh(&format!("mount --bind {} /etc/hosts", file.display()));
        }
    }

    /// What the overview on a host shows, as `status` asks for it; `None` while it cannot be asked.
    pub(crate) fn picture(&self, host: &str) -> Option<Value> {
        let mut status = self.world.on(host);
        status.arg(program());
        status.args(["status", "--json", "--overview", "http://127.0.0.1:3000"]);
        let said = status.args(["--token-file", &self.path("viewer")]).output().unwrap();
        serde_json::from_slice(&said.stdout).ok()
    }

    /// Asks again until the picture is as wanted.
    pub(crate) fn wait_for_picture(
        &self,
        host: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        wait_until_ok("a picture as wanted", within, || {
            let picture = self.picture(host);
            picture.clone().filter(&wanted).ok_or_else(|| format!("{picture:#?}"))
        })
    }

    /// The messenger of a server's service, once the overview on a host shows it in this state, for this
    /// reason; and the service.
    pub(crate) fn found(
        &self,
        host: &str,
        server: &str,
        within: Duration,
        (state, reason): (&str, Option<&str>),
    ) -> (Value, Value) {
        let picture = self.wait_for_picture(host, within, |picture| {
            let messenger = &service(picture, server)["messenger"];
            messenger["state"] == state && messenger["reason"].as_str() == reason
        });
        let service = service(&picture, server);
        (service["messenger"].clone(), service.clone())
    }
}

/// A server's service in a picture; null if it is not there.
pub(crate) fn service<'a>(picture: &'a Value, server: &str) -> &'a Value {
    let servers = picture["servers"].as_array().unwrap().iter();
    let mut components = servers
        .filter(|known| known["name"] == server)
        .flat_map(|known| known["components"].as_array().unwrap());
    components.find(|component| component["role"] == "service").unwrap_or(&Value::Null)
}
