"""Does each component of a registered stack answer? One line a component: ok, or what is missing and how to mend it.

Asks and changes nothing, except one small file that is written to the artifact store, read and removed. Nothing may
take long: who does not answer within seconds counts as silent. What MLflow needs is in `stacks.mlflow`.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from accidents.configuration.redaction import redact_credentials
from stacks.component_status import ComponentCheck, ComponentUnavailable
from stacks.mlflow import ask_tracker

if TYPE_CHECKING:
    from zenml.models import ComponentResponse, StackResponse
    from zenml.stack import StackComponent

TIMEOUT_SECONDS = 10.0


def check_stack(stack: "StackResponse") -> list[ComponentCheck]:
    """Ask every component of the stack, and ZenML whether they go together."""
    models = [model for components in stack.components.values() for model in components]
    answers = [_answer(model) for model in sorted(models, key=lambda model: str(model.type))]
    if all(answer.ok for answer in answers):
        answers.append(_together(stack))
    return answers


def _answer(model: "ComponentResponse") -> ComponentCheck:
    try:
        component = _component(model)
    except Exception as error:  # components of any provider: whatever they raise is their answer
        return ComponentCheck(str(model.type), model.name, model.flavor_name, ok=False, text=_in_words(error))
    questions: dict[str, Callable[[StackComponent], str]] = {
        "artifact_store": _artifact_store,
        "experiment_tracker": _experiment_tracker,
        "orchestrator": _orchestrator,
    }
    question = questions.get(str(model.type), _installed)
    ok, text = _within_limit(lambda: question(component))
    return ComponentCheck(str(model.type), model.name, model.flavor_name, ok, text)


def _component(model: "ComponentResponse") -> "StackComponent":
    """The component itself. Not under the limit: imports of its libraries take their time on a busy machine."""
    from zenml.stack import StackComponent

    _check_requirements(str(model.integration or ""))
    return StackComponent.from_model(model)


def _check_requirements(integration: str) -> None:
    """Refuse what is not installed; flavors built into ZenML need nothing."""
    from packaging.requirements import Requirement
    from zenml.integrations.registry import integration_registry

    if integration not in integration_registry.integrations:
        return
    for text in integration_registry.integrations[integration].get_requirements():
        requirement = Requirement(text)
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            raise ComponentUnavailable(f"{requirement.name} is not installed; pip install '{text}'") from None
        if not requirement.specifier.contains(installed, prereleases=True):
            raise ComponentUnavailable(f"{requirement.name} {installed} is installed; pip install '{text}'")


def _installed(component: "StackComponent") -> str:
    return "installed; not asked" if component.config.is_remote else "installed"


def _orchestrator(component: "StackComponent") -> str:
    return "runs steps in this process" if component.flavor == "local" else _installed(component)


def _artifact_store(component: Any) -> str:
    """Write a small file, read it, remove it."""
    content = uuid4().hex
    file = f"{component.path.rstrip('/')}/.check-{content}"
    try:
        if not component.exists(component.path):
            component.makedirs(component.path)
        with component.open(file, "w") as stream:
            stream.write(content)
        with component.open(file, "r") as stream:
            read = stream.read()
        component.remove(file)
    except OSError as error:
        raise ComponentUnavailable(
            f"{component.path} cannot be written and read: {error}; mend the rights or the path"
        ) from None
    if read != content:
        raise ComponentUnavailable(f"{component.path} gives back something else than was written to it")
    return f"reads and writes {component.path}"


def _experiment_tracker(component: Any) -> str:
    return ask_tracker(component) if component.flavor == "mlflow" else _installed(component)


def _together(stack: "StackResponse") -> ComponentCheck:
    def validate() -> str:
        from zenml.stack import Stack

        Stack.from_model(stack).validate(fail_if_secrets_missing=True)
        return "the components go together"

    ok, text = _within_limit(validate)
    return ComponentCheck("stack", stack.name, "", ok, text)


def _within_limit(question: Callable[[], str], seconds: float = TIMEOUT_SECONDS) -> tuple[bool, str]:
    """Whether the answer is good, and its text. A thread that hangs does not keep the program from ending."""
    answer: list[tuple[bool, str]] = []

    def ask() -> None:
        try:
            answer.append((True, redact_credentials(question())))
        except Exception as error:  # as above
            answer.append((False, _in_words(error)))

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else (False, f"no answer within {seconds:g} seconds; is its service running?")


def _in_words(error: Exception) -> str:
    """What an error says; its type as well where it is none of ours."""
    text = redact_credentials(" ".join(str(error).split()))
    return text if isinstance(error, ComponentUnavailable) else f"{type(error).__name__}: {text}"
