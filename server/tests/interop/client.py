# Uses the client that was generated from the OpenAPI document: sends a heartbeat, reads the overview, saves settings.
import sys
import uuid

from generated import AuthenticatedClient
from generated.api.default import beat, configure, overview, settings
from generated.models import Heartbeat, Os, Role

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)

heartbeat = Heartbeat(
    server="generated-1", role=Role.SERVICE, version="1.2.3", os=Os(name="Debian GNU/Linux", version="12"),
    ip="10.0.0.11", boot_id=str(uuid.uuid4()), sequence=1,
)
response = beat.sync(client=client, body=heartbeat)
assert response.applied is True and response.next_in_ms > 0, response

picture = overview.sync(client=client)
assert [server.name for server in picture.servers] == ["generated-1"], picture
assert picture.servers[0].components[0].version == "1.2.3", picture

wanted = settings.sync(client=client)
wanted.stale_timeout_s = 600
assert configure.sync(client=client, body=wanted).stale_timeout_s == 600

twice = beat.sync(client=client, body=[heartbeat])
assert twice.applied == 0, twice
refused = Heartbeat(**{**heartbeat.to_dict(), "os": heartbeat.os, "role": heartbeat.role, "version": ""})
problem = beat.sync(client=client, body=refused)
assert problem.status == 422 and problem.errors[0].field == "version", problem
