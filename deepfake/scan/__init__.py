"""Many files -> rows in a store: on the cores of one machine, or on a cluster.

`files`: folders, lists and globs -> the files in them.
`row`: a line of the table; SQL, Arrow and CSV take their columns from it.
`worker`: one process with its own networks: file -> answer.
`pool`: several of them, each of which may die.
`store`: rows in SQLite, each there once, whatever dies when.
`local`: files -> the pool on this machine -> the store.
`cluster`: files -> pools on a Ray cluster -> Parquet.
`export`: the store -> CSV, Parquet, HTML, a summary, a contact sheet of the worst.
"""
