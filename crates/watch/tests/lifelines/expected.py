"""Writes expected.txt: what lifelines estimates on the data sets that it ships.

    pip install lifelines==0.30.3 && python expected.py > expected.txt
"""

import warnings

import lifelines
from lifelines import KaplanMeierFitter, datasets

# Data set, times, whether it happened, and by how much times are multiplied to be whole.
SETS = [
    ("canadian_senators", "diff_days", "observed", 1),
    ("dd", "duration", "observed", 1),
    ("g3", "time", "event", 1),
    ("gbsg2", "time", "cens", 1),
    ("kidney_transplant", "time", "death", 1),
    ("larynx", "time", "death", 10),
    ("leukemia", "t", "status", 1),
    ("lung", "time", "status", 1),
    ("lymphoma", "Time", "Censor", 1),
    ("multicenter_aids_cohort_study", "T", "D", 1000),
    ("psychiatric_patients", "T", "C", 1),
    ("rossi", "week", "arrest", 1),
    ("static_test", "t", "E", 1),
    ("waltons", "T", "E", 1),
]
# Survival is a ratio of small numbers: at round shares, rounding alone decides whether a step is reached.
QUANTILES = [0.0503, 0.2507, 0.5011, 0.7513, 0.9517]

NOTICE = """\
# Kaplan-Meier estimates by lifelines {version} on the data sets it ships (its licence lies beside); by expected.py.
# set NAME SCALE; quantile Q TIME or -; then a time, how often it happened, how often it was censored, survival after."""


def whole(time, scale):
    scaled = round(time * scale)
    assert abs(scaled - time * scale) < 1e-6, (time, scale)
    return scaled


def observations(name, time, happened):
    data = getattr(datasets, "load_" + name)().dropna(subset=[time, happened])
    return data[time].astype(float), data[happened].astype(int).astype(bool)


def write(name, time, happened, scale):
    times, events = observations(name, time, happened)
    fitter = KaplanMeierFitter().fit(times, events)
    print("set", name, scale)
    for q in QUANTILES:
        at = fitter.percentile(1 - q)
        print("quantile", q, "-" if at == float("inf") else whole(at, scale))
    survival = fitter.survival_function_["KM_estimate"]
    for at, row in fitter.event_table.iterrows():
        if row["observed"] or row["censored"]:
            print(whole(at, scale), int(row["observed"]), int(row["censored"]), repr(float(survival[at])))


warnings.simplefilter("ignore")
print(NOTICE.format(version=lifelines.__version__))
for each in SETS:
    write(*each)
