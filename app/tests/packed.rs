//! Does a page notice that it cannot read what another build wrote?

#![allow(clippy::unwrap_used, reason = "a value that cannot be packed fails the test")]

use cluster_overview_app::packed::{FORMAT, pack};
use cluster_overview_app::protocol::OverviewDelta;
use serde_json::json;

/// Everything that can travel in one.
fn delta() -> OverviewDelta {
    let boot = json!({"id": "0b0e8a6e", "sequence": 7, "ip": "10.0.0.1", "returned_at": 5});
    let key = "9f".repeat(32);
    let component = json!({
        "server": "web-1", "role": "web", "stopped": true, "first_seen": 1, "last_heartbeat": 2, "told_interval": 3,
        "facts": {
            "product": "ProGet", "version": "5.3", "os": {"name": "Debian", "version": "12"}, "ip": "10.0.0.2",
            "key_check": key, "machine_key_check": key, "messenger_port": 33237, "source": "probe"
        },
        "boots": {"current": boot, "former": [boot], "returns": [4], "duplicate": true},
        "skew": {"last": -5, "before": 6},
        "interruptions": {
            "starts": [{"at": 1, "ran": 2, "silence": 3, "stopped_cleanly": true, "new_version": true}],
            "gaps": [{"start": 1, "end": 2}]
        },
        "came_back": 9,
        "messengers": [{"seen_by": "web-2", "since": 3, "port": 1, "failure": "refused"}]
    });
    let change = json!({
        "blind_since": 1, "outage": "full", "max_servers": 20000, "changed_at": 2, "whole": true,
        "upkeep": {
            "certificate": {"file": "a", "expires_at": 3}, "disk": {"folder": "b", "free": 1, "total": 2},
            "tokens": [{"name": "c", "role": "node", "expires_at": 1, "used_at": 2}],
            "channels": [{"name": "d", "since": 1, "error": "no"}]
        },
        "rejected": [{"server": "web-1", "since": 1, "until": 2, "why": {"probe": {"role": "web", "reason": "no"}}, "from": "10.0.0.3"}], "blind_periods": [{"start": 1, "end": 2, "clock_set": true}],
        "settings": {}, "references": {"encryption": {"check": key, "agreed": true}, "machine": null},
        "incidents": [{
            "id": "1-0123456789abcdef", "hint": "service-stale", "severity": "error",
            "advised_since": 2, "worst": "error",
            "server": "web-1", "role": "service", "began": 1, "turned": 2, "ended": 3, "turns": 4,
            "replaced_by": "many-silent", "acknowledged": {"by": "ann", "at": 5, "note": "mine"}
        }],
        "components": [component],
        "heartbeats": [{"server": "a", "role": "service", "sequence": 1, "at": 2, "told": 3, "skew": null}],
        "removed": [{"server": "b", "role": "web"}]
    });
    let delta = json!({"cursor": "1.2.3", "now": 4, "change": change, "build": "0123"});
    serde_json::from_value(delta).unwrap()
}

/// The packed text of [`delta`] in this [`FORMAT`].
const KNOWN: (u8, &str) = (
    3,
    "ăą1.2.3ĈāāĂāāāƠƜāāāāaĆāābāĂāācĄnodeĂĄāādĂĂnoāāąweb-1ĂĄąĀĂnoāĈ10.0.0.3ĄāāĀĀĞƬĂƀƣąāā@9f9f9\
     f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9fāĀāāĂĄāāĒ1-0123456789abcdefċĀ\
     ĄĀāąweb-1āāĂĄāĆĄāĂāăannĊĄmineāąweb-1ĀāĆProGetă5.3ĆDebianĂ12Ĉ10.0.0.2ā@9f9f9f9f9f9f9f9f9f\
     9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9fā@9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f\
     9f9f9f9f9f9f9f9f9f9f9f9fāǕƃĂāāĀĎĈ10.0.0.1āĊāĀĎĈ10.0.0.1āĊāĈāĂĄĆāĉāČāĂĄĆāāāĂĄāĒāāĂĆāąweb-\
     2āāaāĂĄĆĀāābĀĄ0123",
);

#[test]
fn what_travels_is_written_as_the_number_of_the_format_says() {
    assert_eq!(
        (FORMAT, pack(&delta()).unwrap().as_str()),
        KNOWN,
        "a type that travels has changed: raise FORMAT in packed.rs, and record both here"
    );
}
