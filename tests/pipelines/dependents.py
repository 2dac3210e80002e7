"""Which steps depend on which files of the project, written down by hand.

Every file of the packages that a step can reach has its place in `TABLE`. A bare name is a module, a name with a dot is
a data file. The table says what people expect who know what the modules are for; it is never computed.
"""

INGEST = frozenset({"ingest"})
FEATURES = frozenset({"build_features"})
XGBOOST = frozenset({"train_xgboost"})
LIGHTGBM = frozenset({"train_lightgbm"})
FOREST = frozenset({"train_random_forest"})
REGRESSION = frozenset({"train_logistic_regression"})
TRAINING = XGBOOST | LIGHTGBM | FOREST | REGRESSION
COMPARISON = frozenset({"compare_models"})
EVALUATION = frozenset({"evaluate_model"})
TRACKING = frozenset({"track_training"})
ASSESSMENT = COMPARISON | EVALUATION
RECORDS = ASSESSMENT | TRACKING
MODELS = TRAINING | RECORDS
AFTER_INGESTION = FEATURES | MODELS
EVERY = INGEST | AFTER_INGESTION
NONE: frozenset[str] = frozenset()

TABLE: tuple[tuple[frozenset[str], str, str], ...] = (
    (EVERY, "accidents", "__init__ errors tables"),
    (INGEST, "accidents", "ingestion"),
    (AFTER_INGESTION, "accidents", "compiling"),
    (MODELS, "accidents", "bundle"),
    (ASSESSMENT, "accidents", "assessment"),
    (EVALUATION, "accidents", "unseen"),
    (INGEST | ASSESSMENT, "accidents", "background synthetic"),
    # A record of a training draws the accidents that it keeps as the split draws its parts.
    (TRAINING | EVALUATION | TRACKING, "accidents", "split"),
    # What is registered carries accidents as requests, and answers.
    (TRACKING, "accidents", "prediction smoke texts"),
    (NONE, "accidents", "exploration versions"),
    (EVERY, "accidents/columns", "__init__ specification caracteristiques lieux vehicules usagers"),
    (INGEST | MODELS, "accidents/configuration", "__init__ base"),
    (INGEST, "accidents/configuration", "expectations ingestion source"),
    (INGEST | TRACKING, "accidents/configuration", "limits"),
    (TRAINING, "accidents/configuration", "features"),
    (TRAINING | EVALUATION | TRACKING, "accidents/configuration", "training"),
    (ASSESSMENT, "accidents/configuration", "evaluation"),
    (TRACKING, "accidents/configuration", "tracking"),
    (NONE, "accidents/configuration", "deployment effective files inference promotion records serving"),
    (
        INGEST,
        "accidents/sources",
        "__init__ cache catalogue datagouv download edition embedded fingerprint folder names",
    ),
    (INGEST, "accidents/sources", "resolution"),
    # Cells of a request are read, and its place is checked, as those of a file.
    (INGEST | TRACKING, "accidents/reading", "__init__ cells findings layout text"),
    (INGEST, "accidents/reading", "edition old parsing table"),
    (INGEST | TRACKING, "accidents/cleaning", "__init__ coordinates department_boxes.json usual_contents.json"),
    (INGEST, "accidents/cleaning", "checks clean contents dates displacement exchange label roads rows"),
    (INGEST, "accidents/expectations", "__init__ checking engine report suites totals"),
    (INGEST, "accidents/expectations/templates", "expectations.html.j2"),
    (INGEST, "accidents/sample", "__init__ coding drawing facts frequencies injuries layouts names network writing"),
    (INGEST, "accidents/sample", "domains.json scores.parquet frequencies.parquet"),
    (NONE, "accidents/sample", "faults"),
    (EVERY, "accidents/schemas", "__init__ accidents raw"),
    (AFTER_INGESTION - TRACKING, "accidents/schemas", "features"),
    (NONE, "accidents/schemas", "predictions"),
    (
        AFTER_INGESTION,
        "accidents/features",
        "__init__ arrays catalogue encoders encodings engine frame groups kernels",
    ),
    (AFTER_INGESTION, "accidents/features", "keys layout place_kernels plan specification"),
    (MODELS, "accidents/models", "__init__ base"),
    (XGBOOST, "accidents/models", "xgboost _xgboost_trees"),
    (LIGHTGBM, "accidents/models", "lightgbm _lightgbm_trees"),
    (XGBOOST | LIGHTGBM, "accidents/models", "_boosted _trees"),
    (FOREST, "accidents/models", "random_forest _descent"),
    (REGRESSION, "accidents/models", "logistic_regression"),
    (FOREST | REGRESSION, "accidents/models", "_imputation"),
    (TRAINING, "accidents/training", "__init__ decision examples fit resampling train tuning"),
    (MODELS, "accidents/evaluation", "__init__ kernels metrics"),
    (ASSESSMENT, "accidents/evaluation", "bootstrap curves evaluate groups"),
    (RECORDS, "accidents/evaluation", "results"),
    (RECORDS, "accidents/explanation", "__init__ topics"),
    (ASSESSMENT, "accidents/explanation", "importance"),
    (TRACKING, "accidents/explanation", "reasons"),
    (RECORDS, "accidents/plots", "__init__ style"),
    (ASSESSMENT, "accidents/plots", "explanation groups performance"),
    (NONE, "accidents/plots", "choices places quality severity waterfall"),
    (NONE, "accidents/evaluation", "costs"),
    (NONE, "accidents/explanation", "single"),
    (NONE, "accidents/training", "learning"),
    # A record keeps reports that are there, under the names that they have for models.
    (RECORDS, "accidents/report", "__init__ files subject"),
    (ASSESSMENT, "accidents/report", "card comparison evaluation rendering"),
    (RECORDS, "accidents/report", "card.html.j2 card.md.j2 comparison.html.j2 evaluation.html.j2 macros.html.j2"),
    (RECORDS, "accidents/report", "page.html.j2 style.css"),
    (
        TRACKING,
        "accidents/requests",
        "__init__ flat form gathering nested parsing problems reader request values writing",
    ),
    (NONE, "accidents/inference", "__init__ batch editions files output parts score"),
    (NONE, "accidents/promotion", "__init__ decision measuring results"),
    (EVERY, "materializers", "__init__ frame page"),
    (MODELS, "materializers", "bundle"),
    (COMPARISON | TRACKING, "materializers", "reports"),
    (EVERY, "steps", "__init__ borders caching metadata refusals"),
    (INGEST, "steps/ingestion", "__init__ ingest"),
    (FEATURES, "steps/features", "__init__ build_features"),
    (TRAINING | COMPARISON, "steps/training", "__init__"),
    (TRAINING, "steps/training", "train_model"),
    (COMPARISON, "steps/training", "compare_models"),
    (EVALUATION, "steps/evaluation", "__init__ evaluate_model"),
    (NONE, "steps/inference", "__init__ score_accidents"),
    (NONE, "steps/deployment", "__init__ check_model deploy_model select_model"),
    (NONE, "steps/promotion", "__init__ promote_models"),
    (TRACKING, "steps/tracking", "__init__ origin track_training"),
    (TRACKING, "tracking", "__init__ assembling connection destination environment errors mirror model names"),
    (TRACKING, "tracking", "pyfunc_model registration source_code training"),
    (NONE, "tracking", "checking deployment ledger lock promotion proof proving registry stages"),
)

DEPENDENT = {
    f"{folder}/{name if '.' in name else f'{name}.py'}": steps
    for steps, folder, names in TABLE
    for name in names.split()
}
"""The steps that run again after a change of a file."""
