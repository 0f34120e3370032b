"""Write the pages that are made from the code: `python -m infra.reference`."""

import sys

from infra.reference.pages import PAGES, ROOT

if __name__ == "__main__":
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
        sys.stderr.write(f"{path} is written\n")
