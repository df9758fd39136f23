"""The networks, written against `keras` and `keras.ops` alone, so that any Keras 3 backend trains them.

crop -> residual (SRM, Bayar) -> blocks (noise stream) ┐
     -> a MobileNet (visual stream) ───────────────────┴-> network (evidence, gate, logit) -> losses
"""
