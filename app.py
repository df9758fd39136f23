"""The page, as a Hugging Face Space starts it.

python app.py            http://127.0.0.1:7860
python app.py --share    a public link, for as long as it runs

The same as `python -m deepfake serve`; the page itself is `deepfake/page`.
"""

from __future__ import annotations

import sys

from deepfake.cli.main import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]], prog_name="app.py")
