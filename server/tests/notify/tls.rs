//! Receivers with TLS.

use crate::receiver::{Pair, Receiver};
use crate::{Setup, send, test_message};

#[test]
fn a_message_is_sent_over_tls_only_to_a_receiver_with_a_trusted_certificate_for_its_name() {
    let setup = Setup::new();
    let (right, other) =
        (Pair::new(&setup.folder, "localhost"), Pair::new(&setup.folder, "other.example"));
    for (pair, trusted, why) in [
        (&right, Some("localhost.crt"), None),
        (&right, None, Some("UnknownIssuer; if its certificate is from a CA of your own")),
        (&right, Some("other.example.crt"), Some("TLS failed")),
        (&other, Some("other.example.crt"), Some("not valid for name")),
    ] {
        let receiver = Receiver::encrypted(pair);
        let url = format!("https://localhost:{}/hidden-part", receiver.port);
        let ca_file = trusted.map(|name| format!("ca_file = '{name}'")).unwrap_or_default();
        let channels = setup.channel(&format!(
            "kind = 'webhook'\nurl = '{url}'\nsecret_file = 'secret'\nallow_private = true\n{ca_file}"
        ));
        match (send(&channels, &test_message()), why) {
            (Ok(delivered), None) => {
                assert!(delivered.answer.ends_with("answered 204"), "{}", delivered.answer);
                receiver.only_request();
            }
            (Err(failure), Some(why)) => {
                assert!(failure.to_string().contains(why), "{failure}");
                assert!(!failure.to_string().contains("hidden-part"), "{failure}");
                assert!(receiver.requests().is_empty());
            }
            (sent, why) => panic!("{sent:?}, not {why:?}"),
        }
    }
}

#[test]
fn a_receiver_that_speaks_no_tls_gets_no_message() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    let channels = setup.channel(&format!(
        "kind = 'webhook'\nurl = 'https://localhost:{}/'\nsecret_file = 'secret'\nallow_private = true",
        receiver.port
    ));
    // To a server of HTTP the handshake is a request without an end: it is left when the client hangs up.
    let failure = send(&channels, &test_message()).unwrap_err();
    assert!(!failure.to_string().is_empty());
    assert!(receiver.requests().is_empty());
}
