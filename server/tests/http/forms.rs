//! The page's forms, as a browser without scripts sends them.

use crate::harness::{Answer, Running, component, heartbeat, with_field};
use serde_json::json;

fn post(overview: &Running, path: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    overview.send("POST", path, &headers, form.as_bytes())
}

/// The target of the redirect that answers a form.
fn sent_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location")
}

#[test]
fn settings_without_an_effect_are_saved_at_once() {
    let overview = Running::start();
    let form =
        "automatic_failover=on&stale_timeout_s=10+min&heartbeat_interval_s=60&web_window_s=2+d";
    let shown = post(&overview, "/settings", form);
    // Failover without a live service is an effect, so it is shown before it is saved.
    assert!(sent_to(&shown).starts_with("/?configure=&"), "{}", shown.header("location"));
    let form = form.trim_start_matches("automatic_failover=on&");
    assert_eq!(sent_to(&post(&overview, "/settings", form)), "/?done=saved");
    let settings = overview.get("/api/v1/settings").body;
    assert_eq!(settings["heartbeat_interval_s"], 60);
    assert_eq!(settings["stale_timeout_s"], 600);
    assert_eq!(settings["web_window_s"], 172_800);
}

#[test]
fn settings_with_an_effect_are_saved_after_it_was_shown() {
    let overview = Running::start();
    let form = "load_balancing=on&stale_timeout_s=300&heartbeat_interval_s=30&web_window_s=86400";
    let shown = post(&overview, "/settings", form);
    let page = overview.get(sent_to(&shown)).body;
    let page = page.as_str().unwrap();
    assert!(page.contains("Only one web server is available"), "the effect is said");
    let (_, seen) = page.split_once("name=\"seen\" value=\"").unwrap();
    let (seen, _) = seen.split_once('"').unwrap();
    let seen = seen.replace("&amp;", "&").replace('=', "%3D").replace('&', "%26");
    assert_eq!(overview.get("/api/v1/settings").body["load_balancing"], false);
    // After another change of the draft its effect is shown again.
    let other = form.replace("86400", "172800");
    let answer = post(&overview, "/settings", &format!("{other}&seen={seen}"));
    assert!(sent_to(&answer).starts_with("/?configure"));
    let answer = post(&overview, "/settings", &format!("{form}&seen={seen}"));
    assert_eq!(sent_to(&answer), "/?done=saved");
    assert_eq!(overview.get("/api/v1/settings").body["load_balancing"], true);
}

#[test]
fn invalid_input_comes_back_with_the_error_next_to_its_field() {
    let overview = Running::start();
    let form = "stale_timeout_s=soon&heartbeat_interval_s=2+h&web_window_s=1+d&load_balancing=on";
    let answer = post(&overview, "/settings", form);
    let page = overview.get(sent_to(&answer)).body;
    let page = page.as_str().unwrap();
    for said in
        ["value=\"soon\"", "Enter a duration", "value=\"2 h\"", "Enter 1 s to 1 h, not 2 h."]
    {
        assert!(page.contains(said), "{said}");
    }
    assert!(
        !page.contains("http-equiv=\"refresh\""),
        "a form is not emptied while it is filled in"
    );
    assert_eq!(overview.get("/api/v1/settings").body["heartbeat_interval_s"], 30);
}

#[test]
fn removing_a_live_component_needs_two_confirmations() {
    let overview = Running::start();
    overview.beat(&heartbeat("web 1", "service", 1));
    let asked = post(&overview, "/removal", "server=web+1&role=service");
    assert_eq!(sent_to(&asked), "/?remove=web+1&role=service&again=");
    assert_eq!(overview.overview()["counts"]["service"], 1);
    let page = overview.get(sent_to(&asked)).body;
    assert!(page.as_str().unwrap().contains("will reappear with its next heartbeat"));
    let done = post(&overview, "/removal", "server=web+1&role=service&force=true");
    assert_eq!(sent_to(&done), "/?done=removed");
    assert_eq!(overview.overview()["counts"]["service"], 0);
    let gone = post(&overview, "/removal", "server=web+1&role=service&force=true");
    assert!(sent_to(&gone).ends_with("&refused=absent"), "{}", gone.header("location"));
}

#[test]
fn a_key_is_accepted_after_the_page_named_the_servers_that_would_no_longer_match() {
    let overview = Running::start();
    for server in ["web-1", "web-2"] {
        overview.beat(&heartbeat(server, "web", 1));
    }
    let other = "07".repeat(32);
    overview.beat(&with_field(heartbeat("web-3", "web", 1), "key_check", json!(other)));
    let page = overview.get("/?accept=07070707").body;
    assert!(page.as_str().unwrap().contains("decryption failure: web-1, web-2."));
    let done = post(&overview, "/acceptance", "kind=encryption&key_check=07070707");
    assert_eq!(sent_to(&done), "/?done=accepted");
    let body = overview.overview();
    assert_eq!(component(&body, "web-3", "web").unwrap()["key_in_sync"], true);
    assert_eq!(component(&body, "web-1", "web").unwrap()["key_in_sync"], false);
    let absent = post(&overview, "/acceptance", "kind=encryption&key_check=deadbeef");
    assert_eq!(sent_to(&absent), "/?accept=deadbeef&refused=absent");
}

#[test]
fn a_form_that_no_page_could_have_sent_is_rejected_with_the_reason() {
    let overview = Running::start();
    for (path, form) in [
        ("/settings", ""),
        ("/removal", "role=web"),
        ("/removal", "server=a/b"),
        ("/removal", "server=web-1&role=printer"),
        ("/acceptance", "kind=paper&key_check=07070707"),
        ("/acceptance", "kind=machine"),
    ] {
        let answer = post(&overview, path, form);
        assert_eq!(answer.status, 422, "{path} {form}");
        assert!(
            answer.body["detail"].as_str().unwrap().contains("is missing or has an invalid value")
        );
    }
    let headers = [("content-type", "application/json")];
    assert_eq!(overview.send("POST", "/settings", &headers, b"{}").status, 415);
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let foreign = overview.send("POST", "/removal", &headers, b"server=web-1&force=true");
    assert_eq!(foreign.status, 403, "a page of another site cannot press our buttons");
}

#[test]
fn a_change_while_blind_is_rejected_and_keeps_the_input() {
    let overview = Running::start();
    let away = overview.lock_database();
    let form = "stale_timeout_s=10+min&heartbeat_interval_s=60&web_window_s=2+d";
    let answer = post(&overview, "/settings", form);
    let place = sent_to(&answer).to_owned();
    assert!(place.contains("refused=blind"), "{place}");
    let page = overview.get(&place).body;
    assert!(page.as_str().unwrap().contains("cannot write to its database"));
    assert!(page.as_str().unwrap().contains("value=\"10 min\""));
    drop(away);
}

#[test]
fn saving_one_field_does_not_undo_what_another_admin_saved_meanwhile() {
    let overview = Running::start();
    let page = overview.get("/?configure").body;
    let (_, began) = page.as_str().unwrap().split_once("name=\"began\" value=\"").unwrap();
    let began = began.split('"').next().unwrap();
    let mut settings = overview.get("/api/v1/settings").body;
    settings["web_window_s"] = json!(7_200);
    assert_eq!(overview.json("PUT", "/api/v1/settings", &settings).status, 200);
    let form =
        format!("stale_timeout_s=10+min&heartbeat_interval_s=30+s&web_window_s=24+h&began={began}");
    let shown = post(&overview, "/settings", &form);
    assert_eq!(sent_to(&shown), "/?done=saved");
    let settings = overview.get("/api/v1/settings").body;
    assert_eq!(settings["stale_timeout_s"], 600);
    assert_eq!(settings["web_window_s"], 7_200, "the other admin's");
}
