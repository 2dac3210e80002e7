"""Run in a fresh process, in another folder: load registered models as anybody would, and ask them.

Takes the name of a file of JSON: `uri`, `models` (addresses), `frames` (by name, columns of texts); writes what each
model answers to each frame into the file of the second argument, or, where a frame is refused, the reason.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main(asked: Path, answered: Path) -> None:
    import mlflow
    import pandas as pd

    content = json.loads(asked.read_text())
    mlflow.set_tracking_uri(content["uri"])

    def answers(model: Any, frame: "pd.DataFrame") -> Any:
        try:
            return model.predict(frame).to_dict("list")
        except Exception as error:  # whatever a stranger gets to see
            return str(error)

    found: dict[str, Any] = {}
    for address in content["models"]:
        model = mlflow.pyfunc.load_model(address)
        frames = content["frames"].items()
        found[address] = {name: answers(model, pd.DataFrame(columns)) for name, columns in frames}
    import accidents

    found["code"], found["path"] = str(accidents.__file__), sys.path
    answered.write_text(json.dumps(found))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
