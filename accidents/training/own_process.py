"""Fits in a process of their own, where this one cannot have the waiting policy of OpenMP any more."""

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from accidents.bundle import Bundle
from accidents.configuration.environment import load_environment, wait_policy_is_late
from accidents.errors import ModelError
from accidents.training.train import TrainingResult
from accidents.worker_process import initialise_worker, without_main_module

R = TypeVar("R", Bundle, TrainingResult)


@dataclass(frozen=True)
class _BundleFile:
    """A bundle on its way between processes; its model may not be picklable."""

    content: bytes


@dataclass(frozen=True)
class SentBundle:
    """A bundle among the arguments of a call that may run in another process; there and only there it is packed."""

    bundle: Bundle

    def __reduce__(self) -> tuple[Any, ...]:
        return _received_bundle, (pack(self.bundle),)


def _received_bundle(packed: _BundleFile) -> SentBundle:
    return SentBundle(unpack(packed))


def with_wait_policy(
    fit: Callable[..., R],
    *arguments: Any,
    progress: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> R:
    """Call a function that fits models; in a process of its own where LightGBM was imported before the policy was set.

    Beside ZenML, LightGBM takes 4 to 10 times as long without the waiting policy of OpenMP.

    Args:
        fit: `train` or `fit_final_model`.
        *arguments: its arguments.
        progress: called with a message after each stage.
        **options: its options.

    Raises:
        ModelError: the process was killed.
    """
    if not wait_policy_is_late():
        return fit(*arguments, progress=progress, **options)
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    packed = tuple(map(pack, arguments))
    process = context.Process(target=_call, args=(sender, fit, packed, options), daemon=True)
    with without_main_module():
        process.start()
    sender.close()
    try:
        while isinstance(message := receiver.recv(), str):
            progress(message)
    except EOFError:
        process.join()
        reason = f"the process that trained the model ended with {process.exitcode}; is there memory enough?"
        raise ModelError(reason) from None
    finally:
        process.join()
    if isinstance(message, Exception):
        raise message
    return unpack(message)


def _call(sender: Connection, fit: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Send the messages of the fit, then its result, or the exception that it raised."""
    initialise_worker()
    load_environment()
    try:
        sender.send(pack(fit(*map(unpack, arguments), progress=sender.send, **options)))
    except Exception as error:  # for the process that waits
        sender.send(error)


def pack(value: Any) -> Any:
    """A value as it is sent to another process."""
    if isinstance(value, TrainingResult):
        return pack(value.bundle), value.predictions
    return _BundleFile(value.to_bytes()) if isinstance(value, Bundle) else value


def unpack(value: Any) -> Any:
    """The value that `pack` was given."""
    if isinstance(value, tuple):
        return TrainingResult(unpack(value[0]), value[1])
    return Bundle.from_bytes(value.content, "the trained model") if isinstance(value, _BundleFile) else value
