"""Training in a process of its own, where this one cannot have the waiting policy of OpenMP any more."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from accidents.bundle import Bundle
from accidents.configuration.environment import load_environment, wait_policy_is_late
from accidents.errors import ModelError
from accidents.training.train import TrainingResult, train
from accidents.worker_process import initialise_worker, without_main_module


def train_with_wait_policy(
    *arguments: Any, progress: Callable[[str], None] = lambda _: None, **options: Any
) -> TrainingResult:
    """As `train`; in a process of its own where LightGBM was imported before the waiting policy of OpenMP was set.

    Beside ZenML, LightGBM takes 4 to 10 times as long without it.

    Args:
        *arguments: as of `train`.
        progress: called with a message after each stage.
        **options: as of `train`.

    Raises:
        ModelError: the process was killed.
    """
    if not wait_policy_is_late():
        return train(*arguments, progress=progress, **options)
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(sender, arguments, options), daemon=True)
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
    bundle, predictions = message
    return TrainingResult(Bundle.from_bytes(bundle, "the trained model"), predictions)


def _train(sender: Connection, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Send the messages of the training, then its result, or the exception that it raised."""
    initialise_worker()
    load_environment()
    try:
        result = train(*arguments, progress=sender.send, **options)
        sender.send((result.bundle.to_bytes(), result.predictions))
    except Exception as error:  # for the process that waits
        sender.send(error)
