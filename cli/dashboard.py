"""ZenML's dashboard: `python -m cli.dashboard start [PORT]` and `python -m cli.dashboard stop`.

Whoever is connected with a ZenML server is given its address. For everybody else a server is started on 127.0.0.1 that
looks into the same database as the `zenml` command and the pipelines. Their configuration stays as it is: they go on
writing to the database themselves, which is faster, and there is nothing to put back afterwards.
"""

import os
import socket
import sys
import webbrowser
from typing import Any

from accidents.errors import ConfigurationError
from cli.exit_codes import DONE, REFUSED, ended
from cli.zenml_session import prepare

_PORT = 8237
_SECONDS = 120


def main(arguments: list[str]) -> int:
    """Start or stop; returns the exit code: 0 done, 1 failed, 2 refused."""
    action, *rest = arguments or ["start"]
    if action not in {"start", "stop"} or len(rest) > 1 or not all(text.isdecimal() for text in rest):
        print(__doc__, file=sys.stderr)
        return REFUSED
    return ended(lambda: _main(action, int(rest[0]) if rest else _PORT), debug=False)


def _main(action: str, port: int) -> int:
    prepare(None, debug=False)
    if action == "stop":
        print("stopped" if stop() else "no dashboard was running on this machine")
        return DONE
    address = start(port)
    print(f"dashboard {address}")
    print("stop it   make dashboard-stop")
    _open(address)
    return DONE


def start(port: int = _PORT) -> str:
    """The address of the server that the client is connected with, or of one that is started on this machine.

    Raises:
        ConfigurationError: the port is taken, or ZenML keeps its data where a server on this machine does not look.
    """
    if address := running():
        return address
    from zenml.config.global_config import GlobalConfiguration
    from zenml.zen_server.deploy.deployer import LocalServerDeployer

    world = GlobalConfiguration()
    if world.store_configuration.url != world.get_default_store().url:
        raise ConfigurationError(
            "ZenML is configured to keep its data in a database of your own; open the dashboard of a server for it "
            "(zenml login ADDRESS)"
        )
    _refuse_taken(port)
    deployed = LocalServerDeployer().deploy_server(_configuration(port), timeout=_SECONDS)
    if deployed.status is None or not deployed.status.url:
        raise ConfigurationError("the dashboard did not start; zenml logs says why")
    _nothing_to_sign()
    return str(deployed.status.url)


def _nothing_to_sign() -> None:
    """Spare whoever opens the dashboard of this machine for the first time the forms that ask for an e-mail address."""
    from zenml.client import Client
    from zenml.models import UserUpdate

    client = Client()
    if client.active_user.email_opted_in is None:
        client.zen_store.update_user(
            client.active_user.id, UserUpdate(email_opted_in=False, user_metadata={"finished_onboarding_survey": True})
        )


def running() -> str | None:
    """The address of the dashboard that shows what this client does, where one runs."""
    from zenml.utils.dashboard_utils import get_server_dashboard_url
    from zenml.utils.server_utils import get_local_server

    if connected := get_server_dashboard_url():
        return connected
    local = get_local_server()
    return str(local.status.url) if local and local.status and local.status.url else None


def page_of(run: Any) -> str | None:
    """Where the dashboard shows a run, if one runs."""
    from zenml.utils.dashboard_utils import get_run_url

    local = running()
    return get_run_url(run) or (f"{local}/projects/{run.project.name}/runs/{run.id}" if local else None)


def stop() -> bool:
    """Stop the server of this machine, if there is one; a client that was connected with it is on its own again."""
    from zenml.utils.server_utils import get_local_server
    from zenml.zen_server.deploy.deployer import LocalServerDeployer

    found = get_local_server() is not None
    LocalServerDeployer().remove_server(timeout=_SECONDS)
    return found


def _configuration(port: int) -> Any:
    from zenml.enums import ServerProviderType
    from zenml.zen_server.deploy.deployment import LocalServerDeploymentConfig

    return LocalServerDeploymentConfig(provider=ServerProviderType.DAEMON, port=port)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigurationError(f"port {port} is taken: make dashboard PORT=8238")


def _open(address: str) -> None:
    """Open the address where a person sits in front of a screen."""
    if sys.stdout.isatty() and (sys.platform == "darwin" or os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
        webbrowser.open(address)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
