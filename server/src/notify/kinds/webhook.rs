//! `kind = "webhook"`: the message as JSON, signed as Standard Webhooks describes it; or the body of Alertmanager.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::alertmanager;
use crate::clock;
use crate::notify::address::Address;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{HttpClient, Post};
use crate::notify::message::Message;
use crate::notify::secret_file::SecretFile;

const SECRET_PREFIX: &str = "whsec_";
/// Of a decoded secret, as Standard Webhooks has them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Own,
    Alertmanager,
}

#[derive(Clone, Debug)]
pub(in crate::notify) struct Webhook {
    address: Address,
    /// Without one, requests are not signed.
    secret: Option<SecretFile>,
    format: Format,
    http: HttpClient,
}

impl Webhook {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let formats = [("alertmanager", Format::Alertmanager)];
        let format = fields.word("format", &formats).unwrap_or(Format::Own);
        let address = Address::read(fields, true);
        let secret = match format {
            Format::Own => {
                let what = "the secret with which messages are signed, whsec_ and then base64";
                fields.required_secret_file("secret_file", what)
            }
            Format::Alertmanager => fields.secret_file("secret_file"),
        };
        let key = secret.as_ref().map(signing_key);
        if let Some(Err(error)) = key {
            fields.problem("secret_file", &error.to_string());
        }
        let http = HttpClient::read(fields);
        Some(Self { address: address?, secret, format, http })
    }

    pub(super) fn is_for_alertmanager(&self) -> bool {
        self.format == Format::Alertmanager
    }

    pub(super) async fn send(
        &self,
        channel: &str,
        message: &Message,
    ) -> Result<Delivered, DeliveryFailure> {
        let Self { address, secret, format, http } = self.clone();
        let (channel, message) = (channel.to_owned(), message.clone());
        let make = move || {
            let url = address.get()?;
            let body = match format {
                Format::Own => serde_json::to_value(&message)
                    .map_err(|error| DeliveryFailure::new(error.to_string()))?,
                Format::Alertmanager => alertmanager::body(&url, &channel, &message),
            };
            let mut post = Post::json(url, &body);
            if let Some(secret) = &secret {
                let timestamp = clock::wall().0 / 1_000;
                post.headers = sign(&signing_key(secret)?, message.id(), timestamp, &post.body);
            }
            Ok(post)
        };
        http.post(make).await
    }
}

/// The key of a secret in a file. Blocks.
fn signing_key(file: &SecretFile) -> Result<Vec<u8>, DeliveryFailure> {
    let secret = file.reveal().map_err(|error| DeliveryFailure::new(error.to_string()))?;
    let key = secret.strip_prefix(SECRET_PREFIX).and_then(|key| STANDARD.decode(key).ok());
    key.filter(|key| SECRET_BYTES.contains(&key.len())).ok_or_else(|| {
        DeliveryFailure::new(format!(
            "the secret in {} is not whsec_ followed by 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)",
            file.path().display()
        ))
    })
}

/// The headers of Standard Webhooks. `timestamp`: of this try, in seconds since 1970.
fn sign(key: &[u8], id: &str, timestamp: i64, body: &str) -> Vec<(&'static str, String)> {
    let signature = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
            STANDARD.encode(mac.finalize().into_bytes())
        }
        // A key can have any length.
        Err(_) => String::new(),
    };
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_published_one_of_standard_webhooks() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let headers =
            sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(
            headers,
            [
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
                ("webhook-timestamp", "1614265330".to_owned()),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
            ]
        );
    }
}
