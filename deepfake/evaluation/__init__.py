"""A model -> numbers of its quality, their pictures, and its card.

`evaluate`: on faces and clips; `robustness`: under corruption; `adversarial`: against an attacker; `fairness`: by
who is shown (`face_attributes`). `metrics` computes, `plots`, `quality_plot` and `show` draw, `card` writes.
"""
