"""The few methods of an MLflow client that stages and ledger use, in memory: for hundreds of histories in a minute."""

from types import SimpleNamespace
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST


class Page(list[Any]):
    token = None


class MemoryClient:
    """Models, versions, aliases and tags as MLflow keeps them; numbers of deleted versions never come again."""

    def __init__(self) -> None:
        self.models: dict[str, SimpleNamespace] = {}
        self.runs: list[SimpleNamespace] = []

    def create_registered_model(self, name: str, tags: Any = None, description: str = "") -> None:
        if name in self.models:
            raise MlflowException(name, RESOURCE_ALREADY_EXISTS)
        self.models[name] = SimpleNamespace(
            name=name, tags=tags or {}, aliases={}, versions={}, made=0, creation_timestamp=0, description=description
        )

    def get_registered_model(self, name: str) -> SimpleNamespace:
        if name not in self.models:
            raise MlflowException(name, RESOURCE_DOES_NOT_EXIST)
        return self.models[name]

    def delete_registered_model(self, name: str) -> None:
        del self.models[self.get_registered_model(name).name]

    def search_registered_models(self, **_: Any) -> list[SimpleNamespace]:
        return list(self.models.values())

    def create_model_version(self, name: str) -> str:
        model = self.get_registered_model(name)
        model.made += 1
        number = str(model.made)
        facts = {"run_id": "", "source": f"memory:{number}", "creation_timestamp": 0, "description": ""}
        model.versions[number] = SimpleNamespace(version=number, tags={"stage": "None"}, **facts)
        return number

    def search_model_versions(self, text: str, **_: Any) -> list[SimpleNamespace]:
        return list(self.get_registered_model(text.split("'")[1]).versions.values())

    def delete_model_version(self, name: str, number: str) -> None:
        model = self.get_registered_model(name)
        del model.versions[number]
        model.aliases = {alias: held for alias, held in model.aliases.items() if held != number}

    def set_model_version_tag(self, name: str, number: str, key: str, value: str) -> None:
        self.get_registered_model(name).versions[number].tags[key] = value

    def set_registered_model_alias(self, name: str, alias: str, number: str) -> None:
        self.get_registered_model(name).aliases[alias] = number

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self.get_registered_model(name).aliases.pop(alias, None)

    def get_experiment(self, _: str) -> SimpleNamespace:
        return self.get_experiment_by_name("experiment")

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, experiment_id="1", lifecycle_stage="active")

    def create_run(self, *_: Any, tags: Any, **__: Any) -> SimpleNamespace:
        self.runs.append(SimpleNamespace(data=SimpleNamespace(tags=tags)))
        return SimpleNamespace(info=SimpleNamespace(run_id=str(len(self.runs))))

    def set_terminated(self, _: str) -> None:
        return None

    def search_runs(self, *_: Any, filter_string: str, **__: Any) -> Page:
        name = filter_string.split("'")[1]
        return Page(run for run in self.runs if run.data.tags["model"] == name)


class IgnoreCalls:
    """In place of `zenml_sync`: accepts every call and does nothing."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None
