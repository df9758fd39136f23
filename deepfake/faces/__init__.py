"""Frames -> Faces -> Crops: the only geometry.

`mtcnn`: the face detector, a cascade on a pyramid of small pictures (`pyramid`).
`tracks`: which faces of a video are one person.
`crops`: the square that the networks see; training cuts its crops here, too.
"""
