"""From a folder of real and fake to a bundle: each file is named after what a person asks for.

index -> split -> extract -> loader(augment) -> fit -> calibrate -> evaluate -> export -> card
"""
