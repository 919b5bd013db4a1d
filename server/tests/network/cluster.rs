//! The program on the hosts of a world: overviews that people sign in to, and agents.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cluster-overview");

/// The program, running. It ends with this value.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it, and returns once it says this; `""` waits for nothing.
    fn start(mut command: Command, says: &str) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        if !says.is_empty() {
            let said = lines.map_while(Result::ok).any(|line| line.contains(says));
            assert!(said, "the program ended before it said {says:?}");
        }
        Self(process)
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn terminate(&mut self) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.0.wait().unwrap();
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Overviews and agents in a world, on one database, with their files in one folder.
pub(crate) struct Cluster {
    pub(crate) world: World,
    folder: PathBuf,
    database: String,
}

impl Cluster {
    /// Nothing runs yet. The database is a file, unless one is named.
    pub(crate) fn of(hosts: &[(&str, &str)], database: Option<String>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("network-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("token"), "a-join-token-for-stories").unwrap();
        let file = || format!("sqlite:{}", folder.join("overview.db").display());
        let database = database.unwrap_or_else(file);
        Self { world: World::of(hosts), folder, database }
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
        serve.args([PROGRAM, "serve", "--listen", "0.0.0.0:3000", "--name", host]);
        serve.args(["--ip", self.world.address(host)]);
        serve.args(["--report-self", own, "--database", &self.database]);
        serve.args(["--join-token-file", &self.path("token")]);
        let process = Process::start(serve, " at http://");
        self.may_look();
        process
    }

    /// Makes the token that looks, once.
    fn may_look(&self) {
        let viewer = self.folder.join("viewer");
        if viewer.exists() {
            return;
        }
        let mut create = Command::new(PROGRAM);
        create.args(["token", "create", "--role", "viewer", "--name", "story"]);
        let made = create.args(["--database", &self.database]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(viewer, made.stdout).unwrap();
    }

    /// Starts an agent on a host, for the service of this server; its overview is at this address.
    pub(crate) fn agent(&self, host: &str, server: &str, overview: &str, port: u16) -> Process {
        let mut agent = self.world.on(host);
        agent.args([PROGRAM, "agent", "--overview", &format!("http://{overview}:3000")]);
        agent.args(["--token-file", &self.path("token"), "--name", server]);
        agent.args(["--credential-file", &self.path(&format!("{server}.credential"))]);
        agent.args(["--messenger-port", &port.to_string()]);
        Process::start(agent, "")
    }

    /// What the overview on a host shows, as `status` asks for it; `None` while it cannot be asked.
    pub(crate) fn picture(&self, host: &str) -> Option<Value> {
        let mut status = self.world.on(host);
        status.args([PROGRAM, "status", "--json", "--overview", "http://127.0.0.1:3000"]);
        let said = status.args(["--token-file", &self.path("viewer")]).output().unwrap();
        serde_json::from_slice(&said.stdout).ok()
    }

    /// Asks again until the picture is as wanted.
    pub(crate) fn picture_when(
        &self,
        host: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let since = Instant::now();
        loop {
            let picture = self.picture(host);
            if let Some(picture) = picture.as_ref().filter(|picture| wanted(picture)) {
                return picture.clone();
            }
            assert!(since.elapsed() < within, "never as wanted: {picture:#?}");
            thread::sleep(Duration::from_millis(100));
        }
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
        let picture = self.picture_when(host, within, |picture| {
            let messenger = &service(picture, server)["messenger"];
            messenger["state"] == state && messenger["reason"].as_str() == reason
        });
        let service = service(&picture, server);
        (service["messenger"].clone(), service.clone())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
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
