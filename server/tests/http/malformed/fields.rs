//! Every field of a heartbeat with every kind of invalid value.

use serde_json::{Value, json};

use super::{Row, each, named, set, with_one};
use crate::harness::{Running, heartbeat};

const TEXT_TYPE: &str = "must be a string";
const UNPRINTABLE: &str = "must not hold control, format or line-separating characters";
const BLANK: &str = "must not begin or end with a blank";
const NO_UUID: &str = "must be a hyphenated UUID";
const NO_MOMENT: &str = "must be a moment in RFC 3339";
const NO_KEY: &str = "must be 64 lower-case hex digits";
const EMPTY_KEY: &str = "is the check of an empty key";
/// `HMAC-SHA256` of the message with an empty key.
const OF_EMPTY_KEY: &str = "b6e484e0d04b697fb75d9b87349f8b2b4aa792a9ce4fd138846d3dc91256b695";
const NO_SEQUENCE: &str = "must be a whole number from 0 to 2^53 - 1";
const NO_PORT: &str = "must be a whole number from 1 to 65535";
const NO_ADDRESS: &str = "must be one IPv4 or IPv6 address";
const NO_ROLE: &str = "must be \"web\" or \"service\"";

/// The invalid values of a text with this limit.
fn bad_texts(field: &'static str, least: usize, most: usize) -> Vec<Row> {
    let length = |length: usize| format!("must have {least} to {most} characters; it has {length}");
    let mut rows = vec![(field, json!("é".repeat(most + 1)), length(most + 1))];
    if least > 0 {
        rows.push((field, json!(""), length(0)));
    }
    for other in [json!(7), json!(true), json!(["a"]), json!({"a": "b"})] {
        rows.push((field, other, TEXT_TYPE.to_owned()));
    }
    // ASCII, no-break and ideographic spaces.
    for blank in [' ', '\u{a0}', '\u{3000}'] {
        rows.push((field, json!(format!("{blank}a")), BLANK.to_owned()));
        rows.push((field, json!(format!("a{blank}")), BLANK.to_owned()));
    }
    // Of the categories Cc, Cf, Zl and Zp.
    for hidden in [
        '\0',
        '\t',
        '\n',
        '\u{7f}',
        '\u{9f}',
        '\u{ad}',
        '\u{200b}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        '\u{2028}',
        '\u{2029}',
    ] {
        let said = format!("{UNPRINTABLE}; it holds U+{:04X}", u32::from(hidden));
        rows.push((field, json!(format!("a{hidden}b")), said));
    }
    rows
}

/// Missing fields and invalid texts.
fn bad_words() -> Vec<Row> {
    let required = ["server", "role", "version", "os", "os.name", "os.version", "ip", "boot_id"];
    let required = required.into_iter().chain(["sequence"]);
    [
        required.map(|field| (field, Value::Null, "is required".to_owned())).collect(),
        bad_texts("server", 1, 253),
        each("server", [json!("a/b"), json!("/"), json!("a\\b")], "must hold neither / nor \\"),
        each("server", [json!("."), json!("..")], "must not be . or .."),
        bad_texts("version", 1, 100),
        bad_texts("os.name", 1, 100),
        bad_texts("os.version", 1, 100),
        bad_texts("product", 0, 100),
        each("role", [json!("WEB"), json!("db"), json!(""), json!("web ")], NO_ROLE),
        each("role", [json!(1), json!(["web"])], TEXT_TYPE),
        each(
            "os",
            [json!("Debian"), json!(["Debian", "12"]), json!(12)],
            "must be an object with name and version",
        ),
    ]
    .concat()
}

/// Invalid addresses, boot IDs and key checks.
fn bad_ids() -> Vec<Row> {
    let key = "9f".repeat(32);
    let keys = |field| {
        let bad = [
            json!(""),
            json!(key[1..]),
            json!(format!("{key}0")),
            json!(key.to_uppercase()),
            json!(key.replace('9', "g")),
        ];
        [
            each(field, bad, NO_KEY),
            each(field, [json!(9), json!([key])], TEXT_TYPE),
            each(field, [json!(OF_EMPTY_KEY)], EMPTY_KEY),
        ]
        .concat()
    };
    [
        each(
            "ip",
            [
                json!(""),
                json!("10.0.0.256"),
                json!("10.0.0"),
                json!("010.0.0.1"),
                json!("10.0.0.1:80"),
                json!("10.0.0.1/24"),
                json!("10.0.0.1, 10.0.0.2"),
                json!("[::1]"),
                json!("fe80::1%eth0"),
                json!("1:2:3:4:5:6:7:8:9"),
                json!("web-1"),
            ],
            NO_ADDRESS,
        ),
        each("ip", [json!(167_772_161), json!(["10.0.0.1"])], TEXT_TYPE),
        each(
            "boot_id",
            [
                json!(""),
                json!("0b0e8a6e3c0a4d5e9f7e3d1b9f0c2a11"),
                json!("{0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11}"),
                json!("urn:uuid:0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11"),
                json!("0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a1"),
                json!("0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a111"),
                json!("0b0e8a6e-3c0a-4d5e-9f7e3-d1b9f0c2a11"),
                json!("0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a1g"),
            ],
            NO_UUID,
        ),
        each("boot_id", [json!(1)], TEXT_TYPE),
        keys("key_check"),
        keys("machine_key_check"),
    ]
    .concat()
}

/// Invalid numbers, times and booleans.
fn bad_values() -> Vec<Row> {
    [
        each(
            "sequence",
            [
                json!(-1),
                json!(9_007_199_254_740_992_i64),
                json!(u64::MAX),
                json!(1e300),
                json!(1.5),
                json!("1"),
                json!(true),
                json!([1]),
            ],
            NO_SEQUENCE,
        ),
        each(
            "sent_at",
            [
                json!(""),
                json!("yesterday"),
                json!("2026-11-22"),
                json!("2026-11-22T12Z"),
                json!("2026-11-22T12:00Z"),
                json!("2026-11-22T12:00:00"),
                json!("2026-11-22T12:00:00.Z"),
                json!("2026-11-22T12:00:00+01"),
                json!("2026-11-22T12:00:00Z[UTC]"),
                json!("20261122T120000Z"),
                json!("2026-13-22T12:00:00Z"),
                json!("2026-02-30T12:00:00Z"),
                json!("2026-11-22T25:00:00Z"),
                json!("-002026-11-22T12:00:00Z"),
                json!("+012026-11-22T12:00:00Z"),
                json!("99999-11-22T12:00:00Z"),
            ],
            NO_MOMENT,
        ),
        each("sent_at", [json!(1_795_348_800), json!(1.5), json!(false)], TEXT_TYPE),
        each(
            "messenger_port",
            [json!(0), json!(-1), json!(65_536), json!(1.5), json!("1"), json!(true)],
            NO_PORT,
        ),
        each(
            "leaving",
            [json!("true"), json!(""), json!(1), json!(0), json!([true])],
            "must be true or false",
        ),
    ]
    .concat()
}

#[test]
fn every_invalid_field_is_named_and_nothing_is_stored() {
    let (overview, picture) = with_one();
    for (field, value, said) in [bad_words(), bad_ids(), bad_values()].concat() {
        let beat = set(heartbeat("web-1", "web", 2), field, value.clone());
        let answer = overview.beat(&beat);
        assert_eq!(answer.status, 422, "{field} = {value}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        match named(&answer).as_slice() {
            [(name, message)] => {
                assert_eq!(*name, field, "{field} = {value}");
                assert!(message.starts_with(&said), "{field} = {value}: {message}");
            }
            several => panic!("{field} = {value}: {several:?}"),
        }
        assert_eq!(overview.overview(), picture, "{field} = {value}");
    }
}

#[test]
fn every_missing_required_field_is_named_and_no_other() {
    let (overview, picture) = with_one();
    for field in ["server", "role", "version", "os", "ip", "boot_id", "sequence"] {
        let mut beat = heartbeat("web-1", "web", 2);
        beat.as_object_mut().unwrap().remove(field);
        assert_eq!(named(&overview.beat(&beat)), [(field, "is required")]);
    }
    let all = overview.beat(&json!({}));
    let mut fields: Vec<&str> = named(&all).into_iter().map(|(field, _)| field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["boot_id", "ip", "os", "role", "sequence", "server", "version"]);
    assert_eq!(overview.overview(), picture);
    let mut least = heartbeat("web-1", "web", 2);
    for field in
        ["product", "sent_at", "key_check", "machine_key_check", "messenger_port", "leaving"]
    {
        least.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(overview.beat(&least).body["applied"], true, "the others may be absent");
}

#[test]
fn all_errors_are_named_at_once_with_their_place_in_an_array() {
    let (overview, picture) = with_one();
    let bad = set(set(heartbeat("web-1", "web", 2), "role", json!("db")), "leaving", json!(1));
    let bad = set(set(bad, "os.name", json!("")), "sequence", json!(-1));
    let mut alone: Vec<(String, String)> = named(&overview.beat(&bad))
        .into_iter()
        .map(|(field, said)| (field.to_owned(), said.to_owned()))
        .collect();
    alone.sort();
    let fields: Vec<&str> = alone.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["leaving", "os.name", "role", "sequence"]);

    let good = heartbeat("web-1", "web", 3);
    let among = overview.beat(&json!([good, bad, good, 7, [good], null, "beat"]));
    let mut expected: Vec<(String, String)> =
        alone.into_iter().map(|(field, said)| (format!("[1].{field}"), said)).collect();
    for place in 3..7 {
        let said = "must be a JSON object: one heartbeat";
        expected.push((format!("[{place}]"), said.to_owned()));
    }
    let mut all: Vec<(String, String)> = named(&among)
        .into_iter()
        .map(|(field, said)| (field.to_owned(), said.to_owned()))
        .collect();
    all.sort();
    assert_eq!((among.status, all), (422, expected));
    assert_eq!(overview.overview(), picture, "the good among the bad are not stored either");
}

#[test]
fn every_value_exactly_at_its_limit_is_accepted() {
    let overview = Running::start();
    let upper = "0B0E8A6E-3C0A-4D5E-9F7E-3D1B9F0C2A11";
    let good: Vec<(&str, Value)> = vec![
        ("server", json!("é".repeat(253))),
        ("server", json!("...")),
        ("server", json!("web 1")),
        ("server", json!("سرور-۱")),
        ("server", json!("<script>")),
        ("product", json!("")),
        ("product", json!("é".repeat(100))),
        ("version", json!("é".repeat(100))),
        ("version", json!("1")),
        ("os.name", json!("é".repeat(100))),
        ("os.version", json!("é".repeat(100))),
        ("ip", json!("::")),
        ("ip", json!("2001:DB8::1")),
        ("ip", json!("::ffff:10.0.0.1")),
        ("boot_id", json!(upper)),
        ("sequence", json!(0)),
        ("sequence", json!(9_007_199_254_740_991_i64)),
        ("sent_at", json!("0000-01-01T00:00:00Z")),
        ("sent_at", json!("9999-12-30T00:00:00.999999999Z")),
        ("sent_at", json!("2026-11-22t12:00:00.5z")),
        ("sent_at", json!("2026-11-22T12:00:00-11:30")),
        ("key_check", json!("0123456789abcdef".repeat(4))),
        ("messenger_port", json!(1)),
        ("messenger_port", json!(65_535)),
        ("leaving", json!(false)),
        ("something_new", json!({"of": ["a", "later", "version"]})),
    ];
    let count = good.len();
    for (number, (field, value)) in good.into_iter().enumerate() {
        let beat = heartbeat(&format!("server-{number}"), "service", 1);
        let answer = overview.beat(&set(beat, field, value.clone()));
        assert_eq!(answer.status, 200, "{field} = {value}: {}", answer.body);
    }
    assert_eq!(overview.overview()["counts"]["servers"], count);
}
