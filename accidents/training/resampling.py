"""What can be done about imbalance, always and only on the accidents that a model learns from."""

import numpy as np

from accidents.models.base import Dataset


def resample(sample: Dataset, method: str, seed: int) -> Dataset:
    """Balance the classes of `sample`.

    Args:
        sample: accidents to learn from.
        method: `none`; `class_weight`, which lets both classes weigh the same; `undersample`, which drops accidents of
            the larger class at random; `smote`, which adds synthetic ones of the smaller class (Chawla et al., 2002).
        seed: of what is drawn.
    """
    if method == "class_weight":
        from sklearn.utils.class_weight import compute_sample_weight

        return Dataset(sample.X, sample.y, compute_sample_weight("balanced", sample.y))
    if method == "undersample":
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=seed)
        sampler.fit_resample(sample.X, sample.y)
        kept = np.sort(sampler.sample_indices_)
        return Dataset(sample.X[kept], sample.y[kept])
    if method == "smote":
        return _with_synthetic(sample, seed)
    return sample


def _with_synthetic(sample: Dataset, seed: int) -> Dataset:
    """Neighbours are sought among imputed, standardised rows; recorded rows stay as they are, with their NaN."""
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
    X, y = pipeline.fit_resample(sample.X, sample.y)
    synthetic = pipeline["scale"].inverse_transform(X[len(sample.X) :])
    return Dataset(np.vstack([sample.X, synthetic], dtype=np.float32), y.astype(np.int8))
