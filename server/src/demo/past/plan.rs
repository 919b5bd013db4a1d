//! What happened in the past of the demo's cluster, from the first day to the last.

use app::cluster::Role::Service;
use app::cluster::{BlindPeriod, Settings, Span, Timestamp};

use crate::demo::past::life::{End, Life};
use crate::demo::servers::{FORMER_ADDRESS, REPLACED, SERVERS, SimServer, VERSION};
use crate::demo::timeline::BASE_SETTINGS;

const DAY: Span = Span::minutes(24 * 60);
/// How long the past is.
pub(super) const LENGTH: Span = DAY.times(7);
/// The settings with which the cluster began.
const FIRST_SETTINGS: Settings = Settings {
    heartbeat_interval_s: 30,
    stale_timeout_s: 300,
    web_window_s: 3_600,
    ..BASE_SETTINGS
};
/// Nothing happens within this time before the past ends: no hint may be left of it.
const QUIET: Span = Span::minutes(3 * 60);

/// What happened, and who sent heartbeats.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) begins: Timestamp,
    pub(super) settings: Settings,
    pub(super) lives: Vec<Life>,
    pub(super) blind_periods: Vec<BlindPeriod>,
    /// What an admin did, in order.
    pub(super) acts: Vec<(Timestamp, Act)>,
}

#[derive(Debug)]
pub(super) enum Act {
    Configure(Settings),
    Remove(&'static SimServer),
}

/// The past that ends at `now`.
pub(super) fn until(now: Timestamp) -> Plan {
    let begins = now - LENGTH;
    let mut plan = Plan {
        begins,
        settings: FIRST_SETTINGS,
        lives: Vec::new(),
        blind_periods: Vec::new(),
        acts: Vec::new(),
    };
    plan.add_first_servers(now);
    plan.disturb_network(clock_time(now, 6, [8, 40, 12]));
    plan.raise_stale_timeout(clock_time(now, 6, [15, 20, 41]));
    plan.replace_server(clock_time(now, 5, [10, 2, 33]), now);
    plan.upgrade_servers(clock_time(now, 4, [20, 0, 17]));
    plan.crash_again_and_again(clock_time(now, 3, [14, 10, 26]));
    plan.change_address(clock_time(now, 2, [7, 30, 5]));
    plan.update_overview(clock_time(now, 2, [22, 15, 8]));
    let night = clock_time(now, 0, [3, 12, 24]);
    plan.crash_in_the_night(if now - night < QUIET { night - DAY } else { night });
    plan
}

/// A time of the clock (UTC), so many days before the day of `now`.
fn clock_time(now: Timestamp, days_before: i64, [hour, minute, second]: [i64; 3]) -> Timestamp {
    let midnight = Timestamp(now.0 - now.0.rem_euclid(DAY.0));
    midnight - DAY.times(days_before) + Span::seconds((hour * 60 + minute) * 60 + second)
}

impl Plan {
    /// All servers of today but one, and the one that it replaces.
    fn add_first_servers(&mut self, now: Timestamp) {
        let permanent = SERVERS.iter().filter(|server| server.permanent && server.name != "app-6");
        let mut at = self.begins + Span::seconds(1);
        for server in permanent.chain([&REPLACED]) {
            self.add_server(server, at, now);
            at = at + Span(1_700);
        }
        for life in self.lives_of("web-3") {
            life.runs.iter_mut().for_each(|run| run.ip = FORMER_ADDRESS);
        }
    }

    fn add_server(&mut self, server: &'static SimServer, at: Timestamp, until: Timestamp) {
        for (role, after) in server.roles.iter().zip(0..) {
            self.lives.push(Life::new(server, *role, [at + Span(700).times(after), until]));
        }
    }

    fn lives_of(&mut self, server: &'static str) -> impl Iterator<Item = &mut Life> {
        self.lives.iter_mut().filter(move |life| life.server.name == server)
    }

    fn service_of(&mut self, server: &'static str) -> Option<&mut Life> {
        self.lives_of(server).find(|life| life.role == Service)
    }

    /// One morning the network of a server is unreliable.
    fn disturb_network(&mut self, at: Timestamp) {
        /// Minutes after the first one, and for how many seconds.
        const GAPS: [(i64, i64); 6] =
            [(0, 150), (11, 190), (19, 400), (34, 130), (47, 430), (71, 215)];
        if let Some(service) = self.service_of("app-5") {
            for (minutes, seconds) in GAPS {
                service.lose(at + Span::minutes(minutes), Span::seconds(seconds));
            }
        }
    }

    /// Therefore an admin gives services more time.
    fn raise_stale_timeout(&mut self, at: Timestamp) {
        let settings = Settings { stale_timeout_s: 420, ..FIRST_SETTINGS };
        self.acts.push((at, Act::Configure(settings)));
    }

    /// A server is stopped and removed, and another one is installed in its place.
    fn replace_server(&mut self, at: Timestamp, now: Timestamp) {
        self.lives_of(REPLACED.name).for_each(|life| life.stop(at));
        self.acts.push((at + Span::seconds(17 * 60 + 50), Act::Remove(&REPLACED)));
        let new = SERVERS.iter().find(|server| server.name == "app-6");
        if let Some(server) = new {
            self.add_server(server, at + Span::seconds(29 * 60 + 8), now);
        }
    }

    /// One evening all servers are upgraded, one after the other.
    fn upgrade_servers(&mut self, at: Timestamp) {
        let servers = SERVERS.iter().filter(|server| server.permanent);
        for (server, place) in servers.zip(0..) {
            let at = at + Span::seconds(253).times(place);
            for (life, after) in self.lives_of(server.name).zip(0..) {
                let pause = Span::seconds(9 + 2 * place);
                if let Some(run) = life.restart(at + Span(900).times(after), End::Stop, pause) {
                    run.version = VERSION;
                }
            }
        }
    }

    /// One afternoon a service crashes soon after each start, for ten minutes.
    fn crash_again_and_again(&mut self, at: Timestamp) {
        if let Some(service) = self.service_of("app-4") {
            for crash in 0..8 {
                let at = at + Span::seconds(75).times(crash);
                service.restart(at, End::Crash, Span::seconds(4));
            }
        }
    }

    /// A server gets another address while it is off.
    fn change_address(&mut self, at: Timestamp) {
        for life in self.lives_of("web-3") {
            let ip = life.server.ip;
            if let Some(run) = life.restart(at, End::Stop, Span::seconds(220)) {
                run.ip = ip;
            }
        }
    }

    /// The overview itself is updated, and observes nothing for six minutes.
    fn update_overview(&mut self, at: Timestamp) {
        let period = BlindPeriod { start: at, end: at + Span::minutes(6), clock_set: false };
        self.blind_periods.push(period);
    }

    /// One night a service crashes, and is started again after 14 minutes.
    fn crash_in_the_night(&mut self, at: Timestamp) {
        if let Some(service) = self.service_of("web-2") {
            service.restart(at, End::Crash, Span::minutes(14));
        }
    }
}
