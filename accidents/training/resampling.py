"""Resampling of the training set against class imbalance."""

import numpy as np

from accidents.models.base import Dataset


def resample(dataset: Dataset, method: str, seed: int) -> Dataset:
    """Balance the classes of a training set.

    Args:
        dataset: the training set.
        method: `none`; `class_weight`, equal total weight of both classes; `undersample`, accidents of the majority
            class dropped at random; `smote`, synthetic accidents of the minority class (Chawla et al., 2002).
        seed: random seed.

    Returns:
        A new dataset, or the same one for `none`.
    """
    if method == "class_weight":
        from sklearn.utils.class_weight import compute_sample_weight

        return Dataset(dataset.X, dataset.y, compute_sample_weight("balanced", dataset.y))
    if method == "undersample":
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=seed)
        sampler.fit_resample(dataset.X, dataset.y)
        kept = np.sort(sampler.sample_indices_)
        return Dataset(dataset.X[kept], dataset.y[kept])
    if method == "smote":
        return _smote(dataset, seed)
    return dataset


def _smote(dataset: Dataset, seed: int) -> Dataset:
    """Synthetic rows from imputed, standardised neighbours; the given rows keep their NaN."""
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import Pipeline
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    pipeline = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("smote", SMOTE(random_state=seed)),
        ]
    )
    X, y = pipeline.fit_resample(dataset.X, dataset.y)
    synthetic = pipeline["scale"].inverse_transform(X[len(dataset.X) :])
    return Dataset(np.vstack([dataset.X, synthetic], dtype=np.float32), y.astype(np.int8))
