"""Verdict -> what a person reads.

`words`: the answer, its reason and its limits, in words; `drawing`: the palette.
`heatmap`: the evidence on a face and on a frame, and p_fake over time.
`files`: JSON, annotated pictures and clips.
`pdf`: the report about one file, on a `document`.
`error_rates`, `metrics_tables`: what was measured of a model, as tables.
"""
