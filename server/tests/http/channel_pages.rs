//! The pages about channels: how each is, a test, a pause, what it was sent, and who was told of an incident.

use cluster_overview::auth::{AuthMode, AuthPolicy};
use cluster_overview::notify::Channels;
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, WebhookReceiver, wait_until_ok};

use crate::harness::{Answer, FORM, OWN, Running, bearer_headers, folder};
use crate::incidents::{be_tight, open, text};

const PAGE: &str = "/notifications/channels/ops";

/// An overview with this receiver as its channel `ops`.
fn telling(receiver: &WebhookReceiver, auth: AuthPolicy) -> Running {
    let folder = folder();
    let channels = Channels::read(&receiver.write_channel_file(&folder)).unwrap();
    Running::telling(auth, channels)
}

/// Sends a form as a browser without scripts does.
fn send_form(overview: &Running, path: &str, fields: &str, headers: &[(&str, &str)]) -> Answer {
    overview.send("POST", path, &[&[FORM], headers].concat(), fields.as_bytes())
}

#[track_caller]
fn page(overview: &Running, path: &str) -> String {
    let answer = overview.get(path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body.as_str().unwrap().to_owned()
}

#[test]
fn without_a_channel_file_the_page_says_how_to_begin() {
    let overview = Running::start();
    let list = page(&overview, "/notifications");
    assert!(list.contains("No channels are set up") && list.contains("--channels FILE"), "{list}");
    assert_eq!(overview.get(PAGE).status, 404);
}

#[test]
fn an_admin_pauses_a_channel_by_form_and_resumes_it() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    let pause = format!("{PAGE}/pause");
    let unused = page(&overview, PAGE);
    assert!(unused.contains("Not used yet") && !unused.contains("Resume"), "{unused}");

    let sent = send_form(&overview, &pause, "duration=28800&reason=+Move+to+Oslo+", &[OWN]);
    assert_eq!((sent.status, sent.header("location")), (303, PAGE));
    for path in [PAGE, "/notifications", "/notifications/channels/OPS"] {
        let paused = page(&overview, path);
        assert!(paused.contains("Paused"), "{paused}");
        assert!(paused.contains("By anybody: Move to Oslo"), "{paused}");
    }
    let german = page(&overview, &format!("{PAGE}?lang=de"));
    assert!(german.contains("Angehalten") && german.contains("Jetzt fortsetzen"), "{german}");
    let until = |overview: &Running| {
        let channels = overview.get("/api/v1/channels").body;
        channels["channels"][0]["paused"]["until"].clone()
    };
    assert!(until(&overview).is_string());

    let sent = send_form(&overview, &format!("{pause}?lang=de"), "resume=true", &[OWN]);
    assert_eq!((sent.status, sent.header("location")), (303, &*format!("{PAGE}?lang=de")));
    assert_eq!(until(&overview), Value::Null);
    let audit = overview.get("/audit").body;
    assert!(audit.as_str().unwrap().contains("ops goes on"), "{audit}");
}

#[test]
fn a_pause_that_is_rejected_keeps_what_was_typed_and_says_why() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    let pause = format!("{PAGE}/pause");
    let long = "x".repeat(201);
    for (fields, kept, why) in [
        (format!("duration=3600&reason={long}"), long.as_str(), "more than 200 characters"),
        ("duration=5&reason=mine".to_owned(), "mine", "Choose one of the times"),
        ("reason=mine".to_owned(), "mine", "Choose one of the times"),
    ] {
        let rejected = send_form(&overview, &pause, &fields, &[OWN]);
        assert_eq!(rejected.status, 422, "{fields}");
        let page = rejected.body.as_str().unwrap();
        assert!(page.contains(&format!("value=\"{kept}\"")) && page.contains(why), "{page}");
    }
    let other_site = [("sec-fetch-site", "cross-site")];
    assert_eq!(send_form(&overview, &pause, "duration=3600", &other_site).status, 403);
    assert_eq!(send_form(&overview, &format!("{PAGE}/test"), "", &other_site).status, 403);
    assert!(!page(&overview, PAGE).contains("Resume now"));
}

#[test]
fn a_channel_that_fails_says_since_when_and_one_that_is_gone_waits_for_somebody() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    overview.change_database(
        "insert into channels (name, created_at, failing_since, last_error)
         values ('ops', 0, 1764579600000, 'answered <500>')
         on conflict (name) do update set failing_since = excluded.failing_since,
             last_error = excluded.last_error",
    );
    for path in [PAGE, "/notifications"] {
        let failing = page(&overview, path);
        assert!(
            failing.contains("Failing") && failing.contains("2025-12-01T09:00:00"),
            "{failing}"
        );
        assert!(failing.contains("Last error: answered &lt;500&gt;"), "{failing}");
    }
    overview.change_database(
        "update channels set paused_until = 253402214400000, paused_by = 'the receiver'",
    );
    let gone = page(&overview, PAGE);
    assert!(gone.contains("Until somebody resumes it"), "{gone}");
    assert!(gone.contains("By the receiver") && gone.contains("Last error"), "{gone}");
}

#[test]
fn a_viewer_reads_the_pages_and_finds_no_buttons() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::new(AuthMode::Password));
    let viewer = overview.token("viewer");
    let read = |path: &str| {
        let answer = overview.send("GET", path, &bearer_headers(&viewer), &[]);
        assert_eq!(answer.status, 200);
        answer.body.as_str().unwrap().to_owned()
    };
    for path in ["/notifications", PAGE] {
        let page = read(path);
        assert!(page.contains("ops") && page.contains("Webhook"), "{page}");
        assert!(!page.contains("/test\"") && !page.contains("/pause\""), "{page}");
    }
    for (form, fields) in [("pause", "duration=3600"), ("test", "")] {
        let path = format!("{PAGE}/{form}");
        let headers = [&[FORM], bearer_headers(&viewer).as_slice()].concat();
        assert_eq!(overview.send("POST", &path, &headers, fields.as_bytes()).status, 403);
    }
}

#[test]
fn a_test_shows_what_the_receiver_answered_or_what_to_do() {
    let receiver = WebhookReceiver::start();
    let overview = telling(&receiver, AuthPolicy::open());
    let test = format!("{PAGE}/test");
    let sent = send_form(&overview, &test, "", &[OWN]);
    assert_eq!((sent.status, sent.header("location")), (303, &*format!("{PAGE}#test")));
    assert_eq!(receiver.received().len(), 1);
    let accepted = page(&overview, PAGE);
    assert!(accepted.contains("The receiver accepted the last test"), "{accepted}");
    assert!(accepted.contains("Answer: http") && accepted.contains("answered 200"), "{accepted}");
    assert!(accepted.contains("Works"), "{accepted}");

    receiver.answer(500);
    assert_eq!(send_form(&overview, &test, "", &[OWN]).status, 303);
    let rejected = page(&overview, PAGE);
    assert!(rejected.contains("The receiver did not accept the last test"), "{rejected}");
    assert!(rejected.contains("500") && rejected.contains("Check that the receiver runs"));
    let shown = [rejected.contains("Not accepted"), rejected.contains("Delivered")];
    assert_eq!(shown, [true, true], "both are in the log: {rejected}");
    assert!(!rejected.contains("/hook"), "of the address only the origin is shown: {rejected}");
}

#[test]
fn a_test_whose_receiver_is_slow_is_shown_later() {
    let receiver = WebhookReceiver::start();
    receiver.answer(WebhookReceiver::SILENT);
    let overview = telling(&receiver, AuthPolicy::open());
    let sent = send_form(&overview, &format!("{PAGE}/test"), "", &[OWN]);
    assert_eq!(sent.status, 303);
    let (there, anchor) = sent.header("location").split_once('#').unwrap();
    assert_eq!(anchor, "test");
    let waiting = page(&overview, there);
    assert!(waiting.contains("The receiver has not answered yet"), "{waiting}");
    wait_until_ok("the end of the test", DEFAULT_TIMEOUT, || {
        let ended = page(&overview, there);
        if ended.contains("did not accept the last test") { Ok(()) } else { Err(ended) }
    });
}

#[test]
fn the_log_leads_to_older_messages_and_to_their_incidents() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    be_tight(&overview, true);
    let id = text(&open(&overview, "timers-tight"), "id").to_owned();
    overview.change_database(
        "insert into deliveries (id, channel, news, begun_at, tries, ended_at, outcome, answer)
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 60)
         select 'msg_' || n, 'ops', case n when 60 then (select json_array(json_array(i.id, 'begun'),
                 json_array('1-00000000000000ff', 'ended')) from incidents i) else '[]' end,
             i.began_at + n * 1000, 1, i.began_at + n * 1000 + 500, 'delivered', 'answer ' || n || ';'
         from numbers, (select began_at from incidents) i",
    );
    let rows = |page: &str| page.matches("<tr role=\"row\"><th role=\"rowheader\"").count();
    let first = page(&overview, PAGE);
    assert_eq!(rows(&first), 50, "{first}");
    assert!(first.contains("1 new, 1 over"), "{first}");
    assert!(first.contains(&format!("/incidents/{id}\"")), "{first}");
    assert!(first.contains("and 1 more"), "one incident is no longer kept: {first}");
    assert!(first.contains("answer 60;") && first.contains("answer 11;"));
    assert!(!first.contains("answer 10;"));
    let (_, older) = first.split_once("href=\"?before=").unwrap();
    let (older, anchor) = older.split('"').next().unwrap().split_once('#').unwrap();
    assert_eq!(anchor, "messages");
    let second = page(&overview, &format!("{PAGE}?before={older}"));
    assert_eq!(rows(&second), 10, "{second}");
    assert!(second.contains("answer 10;") && second.contains("answer 1;"));
    assert!(!second.contains("href=\"?before=") && second.contains("Latest"), "{second}");
}

#[test]
fn the_page_of_an_incident_says_who_was_told_or_why_nobody_was() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    be_tight(&overview, true);
    let id = text(&open(&overview, "timers-tight"), "id").to_owned();
    let incident = format!("/incidents/{id}");
    let nobody = page(&overview, &incident);
    assert!(nobody.contains("Nobody has been told yet."), "{nobody}");
    assert!(nobody.contains("No channel asks for incidents of this severity."), "{nobody}");
    // What the channel was told, as its courier writes it. The first message became a part of the second.
    overview.change_database(
        "insert into channels (name, created_at) select 'ops', min(began_at) from incidents where true
         on conflict (name) do nothing",
    );
    overview.change_database(
        "insert into told (channel, incident, severity, told_at, flapping, ended)
         select 'ops', id, 'info', (select max(created_at) from channels), 0, 0 from incidents",
    );
    overview.change_database(
        "insert into deliveries (id, channel, news, begun_at, tries, ended_at, outcome)
         select 'msg_' || number, 'ops', json_array(json_array(id, 'begun')),
             (select max(created_at) from channels) + number, 1, 1, outcome
         from incidents, (select 0 as number, 'merged' as outcome union all select 1, 'given-up')",
    );
    let told = page(&overview, &incident);
    assert!(told.contains("That it is open") && told.contains("Given up after a day"), "{told}");
    assert!(told.contains(&format!("href=\"{PAGE}\"")), "{told}");
    overview.change_database("update deliveries set outcome = 'delivered' where id = 'msg_1'");
    overview.change_database("update told set ended = 1");
    let told = page(&overview, &incident);
    assert!(told.contains("That it has ended") && told.contains("Delivered"), "{told}");
}

#[test]
fn a_page_of_a_channel_that_is_not_there_says_so() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    let html = [("accept", "text/html")];
    for name in ["none", "..%2F..%2Fsettings", "%22%3E%3Cb%3E", "a%20b"] {
        let path = format!("/notifications/channels/{name}");
        let absent = overview.send("GET", &path, &html, &[]);
        assert_eq!(absent.status, 404, "{name}");
        let said = absent.body.as_str().unwrap();
        assert!(said.contains("There is no channel with this name"), "{said}");
        assert!(!said.contains("<b>"), "{said}");
        for (form, fields) in [("pause", "resume=true"), ("test", "")] {
            assert_eq!(send_form(&overview, &format!("{path}/{form}"), fields, &[OWN]).status, 404);
        }
    }
    let unreadable = overview.get("/notifications/channels/%FF");
    assert_eq!(unreadable.status, 400);
}

#[test]
fn a_blind_overview_says_that_it_does_not_know_the_channel() {
    let overview = telling(&WebhookReceiver::start(), AuthPolicy::open());
    let locked = overview.lock_database();
    let paused =
        send_form(&overview, &format!("{PAGE}/pause"), "duration=3600&reason=kept", &[OWN]);
    assert_eq!(paused.status, 503);
    let failed = paused.body.as_str().unwrap();
    assert!(failed.contains("cannot write to its database") && failed.contains("kept"), "{failed}");
    let blind = overview.get(PAGE);
    assert_eq!(blind.status, 503);
    let blind = blind.body.as_str().unwrap();
    assert!(blind.contains("does not know the state of this channel"), "{blind}");
    assert!(blind.contains("The messages cannot be read at present"), "{blind}");
    let list = page(&overview, "/notifications");
    assert!(list.contains("does not know the state of the channels"), "{list}");
    drop(locked);
    wait_until_ok("the overview to read again", DEFAULT_TIMEOUT, || {
        let status = overview.get(PAGE).status;
        if status == 200 { Ok(()) } else { Err(json!(status)) }
    });
}
