"""An SMTP server that prints each e-mail as a line of JSON.

smtp_server.py PORT plain | smtp_server.py PORT starttls|tls CERTIFICATE KEY
With TLS it wants the user "overview" with the password "pässword". It refuses recipients that begin with "refused".
"""

import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, mode = int(sys.argv[1]), sys.argv[2]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": mode == "tls" or session.ssl is not None,
            "authenticated": bool(session.authenticated),
            "content": envelope.content.decode("ascii"),
        }), flush=True)
        return "250 2.0.0 queued as 4711"


def authenticate(server, session, envelope, mechanism, data):
    right = LoginPassword("overview".encode(), "pässword".encode())
    return AuthResult(success=data == right, handled=False)


options = {}
if mode != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    options = {"authenticator": authenticate, "auth_required": True}
    if mode == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"ssl_context": context, "auth_require_tls": False}
Controller(Handler(), hostname="127.0.0.1", port=port, **options).start()
print("ready", flush=True)
threading.Event().wait()
