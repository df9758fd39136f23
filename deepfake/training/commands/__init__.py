"""The commands of the training path, in the order in which they are used."""

from deepfake.training.commands.data import demo, extract, index_command, split
from deepfake.training.commands.fitting import (
    average,
    calibrate,
    ensemble,
    export,
    export_detector_command,
    fine_tune,
    fit,
)
from deepfake.training.commands.measuring import ablate, attack, audit, card, evaluate, sweep

COMMANDS = (
    demo,
    index_command,
    split,
    extract,
    fit,
    fine_tune,
    average,
    ensemble,
    calibrate,
    export,
    evaluate,
    sweep,
    attack,
    audit,
    ablate,
    card,
    export_detector_command,
)
"""What the command line offers beside `detect`, `scan` and `serve`."""
