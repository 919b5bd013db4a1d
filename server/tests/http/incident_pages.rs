//! The pages about incidents: one with its form, and the list of all.

use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, wait_until_ok};

use crate::harness::{Answer, FORM, OWN, Running, heartbeat, with_field};
use crate::incidents::{be_tight, incident_when, incidents, open, text};

/// Sends the form of an incident's page, as a browser without scripts does.
fn send_form(overview: &Running, id: &str, fields: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[FORM], headers].concat();
    overview.send("POST", &format!("/incidents/{id}"), &headers, fields.as_bytes())
}

#[test]
fn the_form_of_an_incident_keeps_a_note_that_is_rejected_and_leads_back_to_the_hint() {
    let overview = Running::start();
    be_tight(&overview, true);
    let id = text(&open(&overview, "timers-tight"), "id").to_owned();
    let long = "x".repeat(1_001);
    let rejected = send_form(&overview, &id, &format!("note={long}"), &[OWN]);
    assert_eq!(rejected.status, 422);
    let page = rejected.body.as_str().unwrap();
    assert!(page.contains(&long), "nothing that was typed is lost");
    assert!(page.contains("The note has more than 1,000 characters"), "{page}");
    let other_site = [("sec-fetch-site", "cross-site")];
    assert_eq!(send_form(&overview, &id, "note=theirs", &other_site).status, 403);
    assert_eq!(open(&overview, "timers-tight")["acknowledged"], Value::Null);

    let sent = send_form(&overview, &id, "note=one%0D%0Atwo", &[OWN]);
    assert_eq!((sent.status, sent.header("location")), (303, "/#hint-timers-tight"));
    assert_eq!(open(&overview, "timers-tight")["acknowledged"]["note"], "one\ntwo");
    let german = overview.get(&format!("/incidents/{id}?lang=de"));
    assert!(german.body.as_str().unwrap().contains("Notiz speichern"), "{}", german.body);
    let sent = send_form(&overview, &format!("{id}?lang=de"), "withdraw=true", &[OWN]);
    assert_eq!((sent.status, sent.header("location")), (303, "/?lang=de#hint-timers-tight"));
    assert_eq!(open(&overview, "timers-tight")["acknowledged"], Value::Null);

    let locked = overview.lock_database();
    let failed = send_form(&overview, &id, "note=kept", &[OWN]);
    assert_eq!(failed.status, 503);
    let page = failed.body.as_str().unwrap();
    assert!(page.contains("cannot write to its database") && page.contains("kept"), "{page}");
    let list = overview.get("/notifications");
    assert_eq!(list.status, 200);
    assert!(list.body.as_str().unwrap().contains("The overview cannot read or write its database"));
    drop(locked);
    wait_until_ok("the overview to write again", DEFAULT_TIMEOUT, || {
        let sent = send_form(&overview, &id, "note=", &[OWN]);
        if sent.status == 303 { Ok(()) } else { Err(sent.status) }
    });

    be_tight(&overview, false);
    incident_when(&overview, |one| one["id"] == id.as_str() && one["state"] == "ended");
    let late = send_form(&overview, &id, "note=late", &[OWN]);
    assert_eq!((late.status, late.header("location")), (303, format!("/incidents/{id}").as_str()));
    let page = overview.get(&format!("/incidents/{id}")).body;
    let page = page.as_str().unwrap();
    assert!(page.contains("Ended") && !page.contains("<textarea"), "{page}");
    assert_eq!(overview.get("/incidents/1-00000000000000ff").status, 404);
}

#[test]
fn the_notifications_page_filters_by_severity_and_server_and_leads_to_older_ones() {
    let overview = Running::start();
    for server in ["app-8", "app-9"] {
        overview.beat(&heartbeat(server, "web", 1));
    }
    for server in ["app-1", "db-1"] {
        let other_key = json!("07".repeat(32));
        overview.beat(&with_field(heartbeat(server, "web", 1), "key_check", other_key));
        incident_when(&overview, |one| one["server"] == server);
    }
    be_tight(&overview, true);
    open(&overview, "timers-tight");
    let shown = |query: &str| {
        let page =
            overview.get(&format!("/notifications{query}")).body.as_str().unwrap().to_owned();
        ["app-1 uses", "db-1 uses", "The stale timeout is too short"]
            .map(|text| page.contains(text))
    };
    assert_eq!(shown(""), [true, true, true]);
    assert_eq!(shown("?severity=info"), [false, false, true]);
    assert_eq!(shown("?severity=error"), [true, true, false]);
    assert_eq!(shown("?server=DB"), [false, true, false]);
    assert_eq!(shown("?severity=warning&server=db"), [false, false, false]);
    assert_eq!(shown("?severity=none&before=none"), [true, true, true], "another version's words");
    // More than one page of incidents that ended.
    for turn in 0..51 {
        let server = format!("old-{turn}");
        let other_key = json!("07".repeat(32));
        overview.beat(&with_field(heartbeat(&server, "web", 1), "key_check", other_key));
    }
    wait_until_ok("all of them", DEFAULT_TIMEOUT, || {
        let count = incidents(&overview, "?open=true&limit=1000").len();
        if count >= 53 { Ok(()) } else { Err(count) }
    });
    for turn in 0..51 {
        let path = format!("/api/v1/servers/old-{turn}?force=true");
        assert_eq!(overview.send("DELETE", &path, &[], &[]).status, 204);
    }
    wait_until_ok("all of them to end", DEFAULT_TIMEOUT, || {
        let count = incidents(&overview, "?open=false&limit=1000").len();
        if count >= 51 { Ok(()) } else { Err(count) }
    });
    let first = overview.get("/notifications?severity=error").body;
    let (_, older) = first.as_str().unwrap().split_once("href=\"?before=").unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&");
    let (older, anchor) = older.split_once('#').unwrap();
    assert_eq!(anchor, "past");
    let second = overview.get(&format!("/notifications?before={older}")).body;
    let second = second.as_str().unwrap();
    let rows = |page: &str| page.matches("Show the overview at that moment").count();
    assert_eq!((rows(first.as_str().unwrap()), rows(second)), (50, 1));
    assert!(!second.contains("href=\"?before="), "there are no more");
}
