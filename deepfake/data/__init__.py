"""Files of real and fake -> batches that a network is fitted to.

    datasets -> index -> split -> extract (cutter, cut, journal) -> rows -> sampling -> loader (selfblend, augment)

`config` is what a run is told; `demo` writes a small data set to try it all on.
"""
