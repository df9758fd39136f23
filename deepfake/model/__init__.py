"""Crops -> Scores: the bundle that ships, and how its graph is run.

`bundle`: the folder of a model, checked.
`scorer`: the graph on LiteRT.
`srm`: the fixed filters of the noise stream.
`metrics`: what is known about a bundle, read and written; `measured`, `stress_tests` and `lineage` are its parts.
`hub`: a model's name, folder or URL -> its folder; `download` fetches.
"""
