"""`python run.py dashboard ...`: ZenML's dashboard.

A user who is connected with a ZenML server gets its address. For everybody else a server is started on 127.0.0.1 with
the database of the `zenml` command and the pipelines. Their configuration does not change: they keep writing to the
database themselves, which is faster, and there is nothing to restore afterwards.
"""

import os
import socket
import sys
import webbrowser
from typing import Any

import click

from accidents.errors import ConfigurationError
from cli.options import Group, debug_enabled, debug_option
from cli.zenml_session import prepare_zenml

_PORT = 8237
_TIMEOUT_SECONDS = 120


@click.group(cls=Group)
def dashboard() -> None:
    """Start and stop the ZenML dashboard of this machine: pipelines, runs, artifacts, models."""


@dashboard.command()
@click.argument("port", type=click.IntRange(1, 65_535), default=_PORT)
@debug_option
def start(*, port: int) -> None:
    """Start it on a port, by default 8237, and print its address; that of the ZenML server if one is connected."""
    prepare_zenml(None, debug=debug_enabled())
    address = start_server(port)
    print(f"dashboard {address}\nstop it   make dashboard-stop")
    # Only where a person sits in front of a screen.
    if sys.stdout.isatty() and (sys.platform == "darwin" or os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
        webbrowser.open(address)


@dashboard.command()
@debug_option
def stop() -> None:
    """Stop it."""
    prepare_zenml(None, debug=debug_enabled())
    print("stopped" if stop_server() else "no dashboard was running on this machine")


def start_server(port: int) -> str:
    """The address of the connected ZenML server, or of a server started on this machine.

    Raises:
        ConfigurationError: the port is taken, or ZenML stores its data in another database.
    """
    if address := dashboard_url():
        return address
    from zenml.config.global_config import GlobalConfiguration
    from zenml.enums import ServerProviderType
    from zenml.zen_server.deploy.deployer import LocalServerDeployer
    from zenml.zen_server.deploy.deployment import LocalServerDeploymentConfig

    configuration = GlobalConfiguration()
    if configuration.store_configuration.url != configuration.get_default_store().url:
        raise ConfigurationError(
            "ZenML is configured to store its data in a database of your own; open the dashboard of a server for it "
            "(zenml login ADDRESS)"
        )
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigurationError(f"port {port} is taken: make dashboard PORT=8238")
    deployment = LocalServerDeploymentConfig(provider=ServerProviderType.DAEMON, port=port)
    server = LocalServerDeployer().deploy_server(deployment, timeout=_TIMEOUT_SECONDS)
    if server.status is None or not server.status.url:
        raise ConfigurationError("the dashboard did not start; zenml logs has the reason")
    _skip_onboarding_forms()
    return str(server.status.url)


def stop_server() -> bool:
    """Stop the server of this machine; False if there was none."""
    from zenml.utils.server_utils import get_local_server
    from zenml.zen_server.deploy.deployer import LocalServerDeployer

    was_running = get_local_server() is not None
    LocalServerDeployer().remove_server(timeout=_TIMEOUT_SECONDS)
    return was_running


def _skip_onboarding_forms() -> None:
    """Answer the forms of the first visit, which ask for an e-mail address."""
    from zenml.client import Client
    from zenml.models import UserUpdate

    client = Client()
    if client.active_user.email_opted_in is None:
        client.zen_store.update_user(
            client.active_user.id, UserUpdate(email_opted_in=False, user_metadata={"finished_onboarding_survey": True})
        )


def dashboard_url() -> str | None:
    """The address of the connected ZenML server or of the server of this machine; None if there is none."""
    from zenml.utils.dashboard_utils import get_server_dashboard_url
    from zenml.utils.server_utils import get_local_server

    if url := get_server_dashboard_url():
        return url
    server = get_local_server()
    return str(server.status.url) if server and server.status and server.status.url else None


def run_url(run: Any) -> str | None:
    """The address of a run in the dashboard; None if there is no dashboard."""
    from zenml.utils.dashboard_utils import get_run_url

    url = dashboard_url()
    return get_run_url(run) or (f"{url}/projects/{run.project.name}/runs/{run.id}" if url else None)
