"""Engines: where calls of the domain are executed, in this process or on the workers of a cluster."""

from accidents.engine.base import RESTARTS, Engine, EngineError, WorkerLostError
from accidents.engine.connection import check_engine, connect
from accidents.engine.local import LOCAL

__all__ = ["LOCAL", "RESTARTS", "Engine", "EngineError", "WorkerLostError", "check_engine", "connect"]
