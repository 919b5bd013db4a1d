//! Each kind of channel that uses HTTP, from the channel file to the request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster_overview::notify::Message;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::receiver::{Receiver, Request};
use crate::{SIGNING_SECRET, Setup, heading, open_incident, send, test_message};

/// Checks a request as its receiver does, with the secret.
fn assert_signed(request: &Request, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, timestamp) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    mac.update(format!("{id}.{timestamp}.{}", request.body).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(request.header("webhook-signature"), expected);
    let sent: i64 = timestamp.parse().unwrap();
    assert!((cluster_overview::clock::wall().0 / 1_000 - sent).abs() < 60, "{timestamp}");
}

#[test]
fn a_webhook_gets_the_signed_message_and_the_same_id_at_every_try() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    let channels = setup.channel(&format!(
        "kind = 'webhook'\nurl = '{}'\nsecret_file = 'secret'\nallow_private = true",
        receiver.url("/hook?a=b")
    ));
    let message = Message::new(heading(), vec![open_incident()]);
    let delivered = send(&channels, &message).unwrap();
    assert_eq!(delivered.answer, format!("{} answered 200: ok", receiver.url("")));
    // The secret is read again at each use.
    let new_secret = format!("whsec_{}", STANDARD.encode([7; 32]));
    setup.write("secret", &new_secret);
    send(&channels, &message).unwrap();
    let requests = receiver.requests();
    assert_signed(&requests[0], SIGNING_SECRET);
    assert_signed(&requests[1], &new_secret);
    for request in &requests {
        assert_eq!(request.path(), "/hook?a=b");
        assert_eq!(request.header("webhook-id"), "msg_1");
        assert_eq!(request.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(request.json(), serde_json::to_value(&message).unwrap());
    }
}

#[test]
fn a_secret_file_that_was_spoiled_leaves_the_last_secret_in_use() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    setup.write("address", &receiver.url("/first"));
    let channels = setup.channel("kind = 'slack'\nurl_file = 'address'\nallow_private = true");
    setup.write("address", &receiver.url("/second"));
    send(&channels, &test_message()).unwrap();
    setup.write("address", "");
    send(&channels, &test_message()).unwrap();
    let paths: Vec<_> =
        receiver.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/second", "/second"]);
    setup.write("address", "not an address");
    let said = send(&channels, &test_message()).unwrap_err().to_string();
    assert!(said.contains("address begins with neither https:// nor http://"), "{said}");
}

#[test]
fn slack_and_teams_get_blocks_and_a_card() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    setup.write("address", &receiver.url("/services/hidden"));
    for kind in ["slack", "teams"] {
        let fields = format!("kind = '{kind}'\nurl_file = 'address'\nallow_private = true");
        send(&setup.channel(&fields), &test_message()).unwrap();
    }
    let [slack, teams] = [0, 1].map(|place| receiver.requests()[place].json());
    assert_eq!(slack["blocks"][0]["text"]["text"], "Test of the channel ops");
    let card = &teams["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][0]["text"], "Test of the channel ops");
    assert_eq!(card["version"], "1.4");
}

#[test]
fn ntfy_gets_the_topic_and_the_token() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    setup.write("token", "tk_hidden");
    let channels = setup.channel(&format!(
        "kind = 'ntfy'\nurl = '{}'\nsecret_file = 'token'\nallow_private = true",
        receiver.url("/base/my-topic")
    ));
    send(&channels, &Message::new(heading(), vec![open_incident()])).unwrap();
    let request = receiver.only_request();
    assert_eq!(request.path(), "/base/");
    assert_eq!(request.header("authorization"), "Bearer tk_hidden");
    let body = request.json();
    assert_eq!(body["topic"], "my-topic");
    assert_eq!(body["title"], "The service of web-1 does not respond");
    assert_eq!(body["priority"], 5);
}

#[test]
fn pagerduty_gets_an_event_for_each_incident_and_its_key_is_not_repeated() {
    let answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 46\r\nConnection: close\r\n\r\n\
                  {\"status\":\"success\",\"key\":\"hidden-routing-key\"}";
    let (setup, receiver) = (Setup::new(), Receiver::answering(answer));
    setup.write("key", "hidden-routing-key");
    let channels = setup.channel(&format!(
        "kind = 'pagerduty'\nurl = '{}'\nsecret_file = 'key'\nallow_private = true",
        receiver.url("/v2/enqueue")
    ));
    let delivered = send(&channels, &test_message()).unwrap();
    assert!(delivered.answer.contains("answered 202"), "{}", delivered.answer);
    assert!(!delivered.answer.contains("hidden-routing-key"), "{}", delivered.answer);
    let events: Vec<_> = receiver.requests().iter().map(Request::json).collect();
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].clone()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    for event in &events {
        assert_eq!(event["routing_key"], "hidden-routing-key");
        assert_eq!(event["dedup_key"], json!("msg_1"));
    }
}
