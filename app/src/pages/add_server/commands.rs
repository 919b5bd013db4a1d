//! The commands that add a server, with the address of this overview and a join token in them. A command never has the
//! token among its arguments, where other users of the machine could read it: it writes the token to a file.

use crate::i18n::MessageKey;

/// Stands in a command for the token until there is one.
const NO_TOKEN: &str = "JOIN-TOKEN";

// These are also in the README, from which tests run them.
pub const SHELL_HEARTBEAT: &str = include_str!("heartbeat.sh");
pub const PYTHON_HEARTBEAT: &str = include_str!("heartbeat.py");
pub const POWERSHELL_HEARTBEAT: &str = include_str!("heartbeat.ps1");

/// How a server sends its heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The agent, on Linux.
    #[default]
    Linux,
    /// A script in PowerShell.
    Windows,
    /// The agent in a container.
    Container,
    /// A program in any language.
    Code,
}

impl Method {
    pub const ALL: [Self; 4] = [Self::Linux, Self::Windows, Self::Container, Self::Code];

    /// The value of the parameter `with`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::Container => "container",
            Self::Code => "code",
        }
    }

    /// Reads the parameter `with`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    pub(super) const fn label(self) -> MessageKey {
        match self {
            Self::Linux => MessageKey::PagesAddServerLinux,
            Self::Windows => MessageKey::PagesAddServerWindows,
            Self::Container => MessageKey::PagesAddServerContainer,
            Self::Code => MessageKey::PagesAddServerCode,
        }
    }

    pub(super) const fn lead(self) -> MessageKey {
        match self {
            Self::Linux => MessageKey::PagesAddServerLinuxLead,
            Self::Windows => MessageKey::PagesAddServerWindowsLead,
            Self::Container => MessageKey::PagesAddServerContainerLead,
            Self::Code => MessageKey::PagesAddServerCodeLead,
        }
    }

    /// Whether the server sends the join token with each heartbeat, because no agent exchanges it for a credential.
    pub(super) const fn sends_join_token(self) -> bool {
        matches!(self, Self::Windows | Self::Code)
    }
}

/// A command, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Part of the element's id.
    pub name: &'static str,
    pub purpose: MessageKey,
    pub command: String,
}

/// The commands of a method. `overview` is the address of this overview, without a slash at its end; without a token they
/// have a word in its place.
pub fn steps(method: Method, overview: &str, token: Option<&str>) -> Vec<Step> {
    let token = token.unwrap_or(NO_TOKEN);
    let step = |name, purpose, command| Step { name, purpose, command };
    match method {
        Method::Linux => vec![
            step("package", MessageKey::PagesAddServerLinuxPackage, package(overview, token)),
            step("archive", MessageKey::PagesAddServerLinuxArchive, archive(overview, token)),
            step("agent", MessageKey::PagesAddServerLinuxAgent, agent(overview, token)),
        ],
        Method::Windows => vec![
            step(
                "environment",
                MessageKey::PagesAddServerWindowsToken,
                format!(
                    "$env:OVERVIEW = '{overview}'\n\
                     $env:TOKEN_FILE = 'join-token'\n\
                     Set-Content -Path $env:TOKEN_FILE -Value '{token}'"
                ),
            ),
            step(
                "powershell",
                MessageKey::PagesAddServerWindowsScript,
                POWERSHELL_HEARTBEAT.to_owned(),
            ),
        ],
        Method::Container => vec![
            step(
                "image",
                MessageKey::PagesAddServerContainerImage,
                "cargo xtask build --release\n\
                 docker build -f server/dist/Dockerfile -t cluster-overview target/release"
                    .to_owned(),
            ),
            step("docker", MessageKey::PagesAddServerContainerRun, container(overview, token)),
        ],
        Method::Code => vec![
            step(
                "environment",
                MessageKey::PagesAddServerCodeToken,
                format!(
                    "export OVERVIEW={overview} TOKEN_FILE=join-token\n\
                     rm -f \"$TOKEN_FILE\"\n\
                     (umask 077; cat > \"$TOKEN_FILE\") <<'END'\n{token}\nEND"
                ),
            ),
            step("curl", MessageKey::PagesAddServerCodeCurl, SHELL_HEARTBEAT.to_owned()),
            step("python", MessageKey::PagesAddServerCodePython, PYTHON_HEARTBEAT.to_owned()),
        ],
    }
}

/// Writes the token to the agent's file, which its group may read.
fn token_file(token: &str) -> String {
    format!(
        "install -m 640 -g cluster-overview /dev/stdin /etc/cluster-overview/join-token <<'END'\n\
         {token}\n\
         END"
    )
}

/// Puts the address into the agent's configuration.
fn configure(overview: &str) -> String {
    format!("sed -i 's|^overview = .*|overview = \"{overview}\"|' /etc/cluster-overview/agent.toml")
}

fn package(overview: &str, token: &str) -> String {
    format!(
        "apt-get install ./cluster-overview_*.deb\n{}\n{}\nsystemctl enable --now cluster-overview-agent",
        token_file(token),
        configure(overview)
    )
}

fn archive(overview: &str, token: &str) -> String {
    format!(
        "useradd --system --user-group --no-create-home cluster-overview\n\
         install -m 755 cluster-overview /usr/bin/\n\
         install -D -m 644 agent.toml /etc/cluster-overview/agent.toml\n\
         install -m 644 cluster-overview-agent.service /etc/systemd/system/\n\
         {}\n{}\n\
         systemctl daemon-reload\n\
         systemctl enable --now cluster-overview-agent",
        token_file(token),
        configure(overview)
    )
}

fn agent(overview: &str, token: &str) -> String {
    format!(
        "install -D -m 600 /dev/stdin /etc/cluster-overview/join-token <<'END'\n\
         {token}\n\
         END\n\
         cluster-overview agent --overview {overview} --role service \\\n    \
         --token-file /etc/cluster-overview/join-token"
    )
}

fn container(overview: &str, token: &str) -> String {
    format!(
        "mkdir -p -m 700 cluster-overview-agent\n\
         rm -f cluster-overview-agent/join-token\n\
         (umask 077; cat > cluster-overview-agent/join-token) <<'END'\n\
         {token}\n\
         END\n\
         docker run --detach --restart always --name cluster-overview-agent --network host \\\n    \
         --user \"$(id -u):$(id -g)\" --volume \"$PWD/cluster-overview-agent:/agent\" \\\n    \
         cluster-overview agent --overview {overview} --role service \\\n    \
         --token-file /agent/join-token --name \"$(hostname)\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_read_back_from_its_parameter() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
        }
        assert_eq!(Method::parse("amiga"), None);
    }

    #[test]
    fn every_method_names_the_overview_and_writes_the_token_to_a_file() {
        for method in Method::ALL {
            let commands: Vec<String> = steps(method, "https://a.example/x", Some("0123abcd"))
                .into_iter()
                .map(|step| step.command)
                .collect();
            let all = commands.join("\n");
            assert!(all.contains("https://a.example/x"), "{all}");
            for line in all.lines().filter(|line| line.contains("0123abcd")) {
                assert!(line == "0123abcd" || line.starts_with("Set-Content"), "{line}");
            }
            assert!(all.contains("0123abcd") && !all.contains(NO_TOKEN), "{all}");
        }
    }
}
