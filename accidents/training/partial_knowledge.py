"""Partial knowledge for a trained model: what answers where fields are unknown, what is worth asking, its figures."""

from dataclasses import replace

from accidents.bundle import Bundle
from accidents.bundle.partial_model import PARTIAL_TYPE
from accidents.knowledge.measurement import measure_by_knowledge
from accidents.training.partial_fit import fit_partial_model
from accidents.training.training_data import Rows, TrainingData
from accidents.training.value_distributions import learn_questions

_MEASURED = 1000  # test accidents


def learn_partial_knowledge(bundle: Bundle, data: TrainingData, training: Rows, validation: Rows) -> Bundle:
    """Add the partial model and the question model, which are alike for all model types on the same accidents.

    Args:
        bundle: a model of whole accidents.
        data: all accidents with `arrays`, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
    """
    if data.arrays is None:
        return bundle
    fit, arrays, settings = fit_partial_model(data, training, validation), data.arrays, data.settings
    # Questions are weighed by one model, the teacher, so that those of all types are the same.
    teacher = replace(
        bundle, model_type=PARTIAL_TYPE, model=fit.teacher, calibration=fit.calibration, partial=fit.partial
    )
    held_out = arrays.take(validation), data.labels(validation)
    questions = data.share(
        ("questions", settings.refit, settings.calibrate, training.tobytes(), validation.tobytes()),
        lambda: learn_questions(teacher, arrays.take(training), held_out, settings.seed),
        large=False,
    )
    return replace(bundle, partial=fit.partial, questions=questions)


def measured_by_knowledge(bundle: Bundle, data: TrainingData, test: Rows) -> Bundle:
    """Add metrics of at most 1,000 test accidents by what is known of them."""
    if data.arrays is None:
        return bundle
    settings, test = data.settings, test[:_MEASURED]
    measured = measure_by_knowledge(
        lambda masked: bundle.predict(masked, settings.threads),
        data.arrays.take(test),
        data.labels(test),
        threshold=bundle.threshold,
        bins=settings.calibration_bins,
        seed=settings.seed,
    )
    return replace(bundle, by_knowledge=measured)
