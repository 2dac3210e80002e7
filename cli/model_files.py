"""`python run.py convert` and `python run.py export`: model files of older formats, and models for other programs.

Imports nothing heavy: `--help` must answer at once.
"""

from pathlib import Path

import click

from cli.exit_codes import DONE
from cli.options import Command, config_option, debug_option

EXPORT_FORMATS = ("joblib", "onnx")


@click.command(cls=Command, short_help="convert model files of an older format")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@debug_option
def convert(files: tuple[Path, ...]) -> int:
    """Convert model files of an older format, which held a pickle, into files of data.

    The new file, with the ending .zip, is written beside each one, which stays. Nothing in an older file is run.
    Registered models are converted by: python run.py registry convert
    """
    from accidents.atomic_write import write_bytes
    from accidents.bundle.archive import SUFFIX
    from accidents.bundle.legacy import convert as converted
    from accidents.errors import ModelError

    for file in files:
        target = file.with_suffix(SUFFIX)
        if target.exists():
            raise ModelError(f"{target}: is there already; delete or move it first")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ModelError(f"{file}: cannot be read: {error.strerror}") from None
        write_bytes(target, converted(content, str(file)))
        click.echo(f"{file} -> {target}")
    return DONE


@click.command(cls=Command, short_help="write a model as a scikit-learn estimator or as ONNX")
@click.option("--format", "kind", type=click.Choice(EXPORT_FORMATS), required=True, help="of the file to write")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="by default exports/<model>.<format>")
@click.option("--model-path", metavar="FILE", help="a model file; by default the best one of the latest training")
@click.option("--model-name", metavar="NAME", help="a registered model: its Production version")
@click.option("--version", metavar="N", help="of --model-name: the version of this number")
@config_option
@debug_option
def export(
    kind: str,
    output: Path | None,
    model_path: str | None,
    model_name: str | None,
    version: str | None,
    config: tuple[str, ...],
) -> int:
    """Write a model for your own notebooks. Nothing in the project reads these files.

    joblib: a scikit-learn estimator whose predict_proba takes the columns of the classic flat form; load it in the
    folder of the project. onnx: from the matrix of the model's columns to the calibrated probability; the computation
    of features is not part of it.
    """
    from accidents.bundle import Bundle
    from accidents.bundle.export import export_model
    from accidents.configuration.paths import project_path
    from cli.model_lookup import best_model_file, find_model_file
    from cli.run_options import RunOptions

    options = RunOptions(model_path=model_path, model_name=model_name, version=version, config=config)
    if version and not model_name:
        raise click.UsageError("--version goes with --model-name")
    if model_path and model_name:
        raise click.UsageError("--model-path and --model-name exclude each other")
    configuration = options.load_configuration()
    file = find_model_file(options, configuration) or best_model_file(configuration.training.models_folder)
    target = output or project_path(Path("exports")) / f"{file.stem}.{kind}"
    export_model(Bundle.load(file), kind, target)
    click.echo(f"{file} -> {target}")
    return DONE
