//! What is shown, as plain values: one pure function of the facts, a moment and an address.

use std::sync::Arc;

pub(crate) use crate::page::hints::model::{Action, Advice, Group};
pub(crate) use crate::page::panel::model::{Ask, Item, Panel, Section};
pub(crate) use crate::page::servers::list::{self, Chip, Order, Pager, Tools};
pub(crate) use crate::page::servers::model::{Beats, Block, COLUMNS, Cell, Column, Kept, Line};
pub(crate) use crate::page::settings::model::{Entry, Form};

use crate::cluster::hints::Arg;
use crate::cluster::{Health, HintId, Overview, Snapshot, Span, Timestamp};
use crate::i18n::{self, Words};
use crate::page::route::{self, Done, Place};
use crate::page::{hints, panel, servers, settings};

/// The page's opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first sentence.
    pub(crate) headline: String,
    /// Who and why.
    pub(crate) detail: String,
    /// The cluster's health.
    pub(crate) health: Health,
    /// Since when the values below are merely the last ones known.
    pub(crate) blind: Option<Timestamp>,
    /// What came of the last thing that was done here.
    pub(crate) done: Option<String>,
}

/// One fact of the configuration: label, value, detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// What it is.
    pub(crate) label: &'static str,
    /// Its value.
    pub(crate) value: String,
    /// What belongs to it.
    pub(crate) detail: String,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The opening.
    pub(crate) head: Head,
    /// The configuration.
    pub(crate) facts: Vec<Fact>,
    /// Its form, while it is open.
    pub(crate) form: Option<Form>,
    /// What stands above the servers.
    pub(crate) tools: Tools,
    /// The servers of this page of the list, with the moments of their heartbeats.
    pub(crate) blocks: Vec<(Arc<Block>, Beats)>,
    /// The advice.
    pub(crate) groups: Vec<Group>,
    /// What is open beside the page.
    pub(crate) panel: Option<Panel>,
    /// The list as it stands in every address: what opens keeps it.
    pub(crate) list: String,
}

/// What a view is made of.
pub(crate) struct Scene<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) overview: &'a Overview,
    pub(crate) now: Timestamp,
    pub(crate) place: &'a Place,
    pub(crate) words: &'static Words,
}

impl View {
    /// What a place of the page shows at `now`, with at most `rows` servers.
    pub(crate) fn of(
        snapshot: &Snapshot,
        now: Timestamp,
        place: &Place,
        rows: usize,
        kept: &mut Kept,
        words: &'static Words,
    ) -> Self {
        let overview = snapshot.overview(now);
        let findings = snapshot.findings(&overview, now);
        let hints = snapshot.hints_of(&overview, &findings);
        let said = words.verdict(&overview, &hints);
        let scene = Scene { snapshot, overview: &overview, now, place, words };
        let (tools, shown) = list::list(&scene, rows);
        let blocks = servers::model::blocks(&shown, &scene, &findings, kept);
        let view = Self {
            head: Head {
                headline: said.headline,
                detail: said.detail,
                // Where nobody has reported, nothing is well either.
                health: if overview.servers.is_empty() { Health::Unknown } else { overview.health },
                blind: overview.blind_since,
                done: place.done.as_ref().map(|done| scene.done(done)),
            },
            facts: facts(&scene),
            form: settings::model::form(&scene),
            groups: hints::model::groups(&hints, kept, &scene),
            panel: panel::model::panel(&scene),
            tools,
            blocks,
            list: route::written(place.kept()),
        };
        kept.keep(overview);
        view
    }

    /// The same, as last known by a page that has had no news since `since`: it is the page that
    /// cannot see, and nobody knows about the overview's database. `refusal` is what the overview said when it
    /// refused an answer.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser is cut off"))]
    pub(crate) fn cut_off(mut self, since: Timestamp, refusal: &str, words: &Words) -> Self {
        self.head.headline = words.say("cut-off.verdict", &[("since", Arg::Moment(since))]);
        self.groups = vec![hints::model::cut_off(since, refusal, words)];
        self
    }
}

impl Scene<'_> {
    /// What came of what was just done.
    fn done(&self, done: &Done) -> String {
        let Done::Removed(Some((server, role))) = done else {
            return self.words.say(&format!("done.{}", done.as_str()), &[]);
        };
        let args = [("server", Arg::Text(server.to_string()))];
        let back = self.overview.components().map(|status| &status.component).find(|component| {
            component.server == *server && role.is_none_or(|role| role == component.role)
        });
        let key = match back {
            Some(component) if component.came_back.is_some() => {
                format!("{}.title", HintId::CameBack.as_str())
            }
            Some(_) => "done.restarted".to_owned(),
            None => format!("done.removed.{}", role.map_or("server", |role| role.as_str())),
        };
        self.words.say(&key, &args)
    }
}

fn facts(scene: &Scene<'_>) -> Vec<Fact> {
    let Scene { snapshot, overview, words, .. } = *scene;
    let settings = &snapshot.settings;
    let counts = &overview.counts;
    let on = |on: bool| words.label(if on { "fact.on" } else { "fact.off" }).to_owned();
    let judged: usize = overview
        .servers
        .iter()
        .filter(|s| s.components.iter().any(|c| !c.component.is_observer() && !c.component.stopped))
        .count();
    let reference = overview
        .reference_version
        .as_ref()
        .and_then(|reference| overview.versions.iter().find(|count| count.version == *reference));
    let fact = |key, value, detail| Fact { label: words.label(key), value, detail };
    let span = |key, span: String| words.say(key, &[("span", Arg::Text(span))]);
    let number = |name, number| (name, Arg::Number(number));
    vec![
        fact(
            "fact.servers",
            i18n::number(counts.servers),
            words.say(
                "fact.components",
                &[number("web", counts.web), number("service", counts.service)],
            ),
        ),
        fact("settings.balancing.label", on(settings.load_balancing), String::new()),
        fact(
            "settings.failover.label",
            on(settings.automatic_failover),
            span("fact.stale-after", settings.stale_timeout().to_string()),
        ),
        fact(
            "fact.heartbeat",
            span("fact.every", settings.interval().to_string()),
            span("fact.web-window", hours(settings.web_window())),
        ),
        match reference {
            Some(count) => {
                let of = [number("count", count.servers), number("total", judged)];
                fact("fact.software", count.version.clone(), words.say("fact.software.on", &of))
            }
            None => fact("fact.software", "–".to_owned(), String::new()),
        },
    ]
}

/// A day is what people call 24 hours here.
fn hours(span: Span) -> String {
    if span == Span::minutes(24 * 60) { "24 h".to_owned() } else { span.to_string() }
}
