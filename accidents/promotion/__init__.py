"""Whether a trained model may replace another, both measured anew on accidents that neither has learned from.

`measuring` scores models, `decision` applies the rule of `configs/promotion.yaml`, `results` is what passes between.
"""
