//! Malformed bodies of every kind, and bodies at their limit.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::json;

use super::{named, with_one};
use crate::harness::{Running, TOKEN, heartbeat, with_field};

/// The body in another encoding of Unicode.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_body_that_is_not_json_is_400_and_json_that_is_not_a_heartbeat_is_422() {
    let (overview, picture) = with_one();
    let good = heartbeat("web-1", "web", 2).to_string();
    let field = |value: &str| good.replacen("\"sequence\":2", &format!("\"sequence\":{value}"), 1);
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let no_json: Vec<Vec<u8>> = vec![
        vec![],
        b" \n ".to_vec(),
        good[..good.len() - 1].into(),
        format!("{good}{good}").into(),
        format!("{good},").into(),
        format!("[{good},]").into(),
        format!("[{good}").into(),
        format!("\u{feff}\u{feff}{good}").into(),
        utf16(&good),
        [&[0xff, 0xfe], utf16(&good).as_slice()].concat(),
        good.replace('"', "'").into(),
        good.replace("web-1", "web\n1").into(),
        good.replace("web-1", "web\\x1").into(),
        good.replace("web-1", "web\\ud800").into(),
        [b"{\"server\":\"", [0xff].as_slice(), b"\"}"].concat(),
        [b"{\"server\":\"", [0xed, 0xa0, 0x80].as_slice(), b"\"}"].concat(),
        field("NaN").into(),
        field("Infinity").into(),
        field("1e999").into(),
        field("01").into(),
        field("+1").into(),
        field("0x1").into(),
        field("1 /* one */").into(),
        format!("{}{good}{}", "[".repeat(1_000), "]".repeat(1_000)).into(),
        "[".repeat(1 << 20).into(),
        "{\"a\":".repeat(100_000).into(),
        // The beginning of gzip data. Nothing is decompressed here.
        vec![0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03],
        b"server=web-1&role=web".to_vec(),
    ];
    for body in no_json {
        let answer = overview.beat_raw(&body);
        let body = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    for body in ["7", "null", "true", "\"beat\"", "{}", "[]", "[[]]", "[{}]", "[null]", &nested(99)]
    {
        assert_eq!(overview.beat_raw(body.as_bytes()).status, 422, "{body}");
    }
    assert_eq!(overview.overview(), picture);
}

#[test]
fn a_byte_order_mark_before_json_is_ignored_and_other_encodings_are_named_as_the_error() {
    let overview = Running::start();
    let good = heartbeat("web-1", "web", 1).to_string();
    for body in [format!("\u{feff}{good}"), format!("\u{feff}[{good}]")] {
        let answer = overview.beat_raw(body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let latin1 = [b"{\"server\":\"B", [0xfc].as_slice(), b"ro\"}"].concat();
    for (body, place) in [
        (latin1, "byte 0xfc at position 13"),
        ([&[0xff, 0xfe], utf16(&good).as_slice()].concat(), "byte 0xff at position 1"),
    ] {
        let answer = overview.beat_raw(&body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(answer.status, 400, "{detail}");
        assert!(detail.contains(&format!("not UTF-8 ({place})")), "{detail}");
        assert!(detail.contains("Windows PowerShell"), "{detail}");
    }
    assert_eq!(overview.overview()["counts"]["servers"], 1);
}

#[test]
fn a_compressed_body_is_not_decompressed() {
    let (overview, picture) = with_one();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let packed = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03];
    let answer = overview.send("POST", "/api/v1/heartbeats", &headers, &packed);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(overview.overview(), picture);
}

#[test]
fn of_a_field_that_occurs_twice_the_last_value_counts() {
    let overview = Running::start();
    let good = heartbeat("web-1", "web", 2).to_string();
    let twice = |first: &str, then: &str| good.replacen(first, &format!("{first},{then}"), 1);
    let answer = overview.beat_raw(twice("\"role\":\"web\"", "\"role\":\"db\"").as_bytes());
    assert_eq!(named(&answer), [("role", "must be \"web\" or \"service\"")]);
    assert_eq!(overview.overview()["counts"]["servers"], 0);
    let service = twice("\"role\":\"web\"", "\"role\":\"service\"");
    assert_eq!(overview.beat_raw(service.as_bytes()).status, 200);
    let counts = overview.overview()["counts"].clone();
    assert_eq!((&counts["web"], &counts["service"]), (&json!(0), &json!(1)));
}

/// A heartbeat of this length, by an unknown field.
fn of_length(server: &str, length: usize) -> String {
    let padded = |padding: usize| {
        with_field(heartbeat(server, "web", 1), "padding", json!("x".repeat(padding))).to_string()
    };
    padded(length - padded(0).len())
}

#[test]
fn a_heartbeat_of_16_kib_and_a_body_of_1_mib_are_accepted_and_one_byte_more_is_not() {
    let overview = Running::start();
    assert_eq!(overview.beat_raw(of_length("a", 16 << 10).as_bytes()).status, 200);
    let large = overview.beat_raw(of_length("b", (16 << 10) + 1).as_bytes());
    assert_eq!(large.status, 413, "{}", large.body);
    let among = format!("[{},{}]", heartbeat("b", "web", 1), of_length("c", 17 << 10));
    let large = overview.beat_raw(among.as_bytes());
    assert_eq!(large.status, 413);
    assert!(large.body["detail"].as_str().unwrap().contains("element 1"), "{}", large.body);
    let filled = |server: &str, length: usize| {
        let beat = heartbeat(server, "web", 1).to_string();
        let blanks = " ".repeat(length - beat.len());
        beat + &blanks
    };
    assert_eq!(overview.beat_raw(filled("d", 1 << 20).as_bytes()).status, 200);
    for length in [(1 << 20) + 1, (3 << 20) / 2, 2 << 20] {
        let large = overview.beat_raw(filled("e", length).as_bytes());
        assert_eq!(large.status, 413, "the sender of {length} bytes sees the answer");
    }
    assert_eq!(overview.overview()["counts"]["servers"], 2, "the first and the last good one");
}

/// Sends a request whose body ends early, and returns the response.
fn cut_short(overview: &Running, framing: &str, body: &str) -> String {
    let address = overview.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /api/v1/heartbeats HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_body_that_ends_early_is_not_stored_even_if_it_is_a_valid_heartbeat() {
    let (overview, picture) = with_one();
    let good = heartbeat("web-1", "web", 2).to_string();
    let long = format!("content-length: {}", good.len() + 1);
    let chunk = format!("{:x}\r\n{good}\r\n", good.len());
    for (framing, body) in [
        (long.as_str(), good.as_str()),
        ("transfer-encoding: chunked", chunk.as_str()),
        ("transfer-encoding: chunked", "zz\r\nno length\r\n"),
    ] {
        let said = cut_short(&overview, framing, body);
        assert!(said.contains(" 400 "), "{framing}: {said}");
        assert_eq!(overview.overview(), picture, "{framing}");
    }
}
