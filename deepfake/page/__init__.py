"""The page that people use, and the same answers for programs.

    request -> guard (is it for us?) -> arriving (is it too much?) -> uploads (is it allowed?) -> jobs (whose turn?)
    -> Detector -> answers (HTML) | rest (JSON)

`layout` builds the widgets, `actions` fills them (`widgets` names them, `evidence` draws what a video shows), `serve`
opens the port, `rest` is the plain HTTP route, `history` is what one browser has asked, `clients` says who asks,
`about` explains. Needs the extra `app` (Gradio); nothing else in the package does.
"""
