"""Frames -> Faces -> Crops: the only geometry.

`mtcnn`: the face detector, a cascade on a pyramid of small pictures (`pyramid`).
`search`: the faces of many frames, in batches that fit the memory.
`tracks`: which faces of a video are one person.
`crops`: the square that the networks see; training cuts its crops here, too.
"""
