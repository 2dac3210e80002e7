"""The Bayesian network of the synthetic year: the parents of each variable.

Every entry is a variable and its parents, the most important first. Its distribution is counted, and sampled, for every
combination of the first none, one, two … parents; rare combinations fall back on fewer. Variables are sampled in the
order of the entries.
"""

Parents = tuple[str, ...]
Network = dict[str, Parents]

PLACE: Network = {
    "dep": (),
    "agg": ("dep",),
    "catr": ("agg", "dep"),
    "vma": ("catr", "agg", "dep"),
    "cell": ("dep", "agg"),
    "com": ("cell", "dep"),
    "police": ("dep", "agg", "catr"),
    "vehicles": ("agg", "catr", "dep"),
    "pedestrians": ("agg", "vehicles", "dep"),
}
"""Variables of an accident before its vehicles; `police` is which of two styles the form is filled in."""

VEHICLE_KIND: Network = {
    "kind": ("vehicles", "previous_kind", "agg", "catr", "pedestrians", "dep"),
}
"""The kind of each vehicle of an accident, in sequence."""

CIRCUMSTANCES: Network = {
    "month": ("weak", "pedestrians", "agg"),
    "weekday": ("weak", "pedestrians", "agg"),
    "hour": ("pedestrians", "weak", "weekday", "agg"),
    "minute": (),
    "lum": ("hour", "light_month", "agg", "overseas"),
    "atm": ("weather_month", "dep"),
    "surf": ("atm", "agg", "vehicles"),
    "col": ("vehicles", "pedestrians", "weak", "strong", "agg", "catr"),
    "int": ("agg", "col", "weak", "catr", "dep"),
    "circ": ("catr", "dep", "agg"),
    "nbv": ("circ", "catr", "agg", "dep"),
    "vosp": ("nbv", "catr", "weak"),
    "prof": ("dep", "agg"),
    "plan": ("vehicles", "agg", "catr", "weak", "prof"),
    "infra": ("int", "catr", "dep"),
    "situ": ("catr", "weak", "agg", "vehicles"),
    "larrout": ("police", "dep", "catr", "nbv"),
    "post": ("catr", "dep"),
}
"""Other variables of an accident, given its vehicles; `post` is the state of the kilometre post."""

VEHICLE: Network = {
    "catv": ("kind", "agg", "dep"),
    "fled": ("police", "pedestrians", "kind", "previous_kind", "dep"),
    "manv": ("col", "previous_manv", "kind", "int", "agg"),
    "choc": ("col", "previous_choc", "kind", "manv"),
    "obs": ("vehicles", "col", "kind", "agg", "choc"),
    "obsm": ("vehicles", "pedestrians", "col", "obs", "kind"),
    "senc": ("catr", "dep", "manv"),
    "motor": ("catv", "dep"),
    "occupants": ("kind",),
    "passengers": ("kind", "vehicles", "hour_band", "agg"),
}
"""Variables of a vehicle, for the vehicles of an accident in sequence."""

PERSON: Network = {
    "age": ("role", "kind", "driver_band", "agg", "hour_band"),
    "sexe": ("role", "kind", "band", "driver_sexe"),
    "place": ("role", "kind", "seat"),
    "trajet": ("police", "role", "kind", "band", "dep", "hour_band"),
    "secu1": ("role", "kind", "police", "dep", "band"),
    "secu2": ("secu1", "police", "kind", "dep"),
    "secu3": ("police", "secu2", "dep"),
    "locp": ("role", "police", "agg", "int"),
    "actp": ("role", "police", "locp"),
    "etatp": ("role", "police", "locp", "agg"),
}
"""Variables of a person; drivers are sampled before their passengers."""

INJURY: Network = {
    "severe": ("own", "exposure", "band", "agg"),
    "also_severe": ("own", "exposure", "band", "agg"),
    "killed": ("own", "agg", "band"),
    "slight": ("own", "exposure", "priority", "band"),
    "also_slight": ("own", "exposure", "priority", "band"),
}
"""Injuries of a person: `severe` in a priority accident, `slight` if not severe; `also` where somebody else is."""

NETWORK: Network = {**PLACE, **VEHICLE_KIND, **CIRCUMSTANCES, **VEHICLE, **PERSON, **INJURY}
