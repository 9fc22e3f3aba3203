"""Sphinx's settings. The pages of the catalogue and of the command line are written before Sphinx reads the folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generate

from maquette import __version__

generate.write(Path(__file__).parent)

project = "Maquette"
author = "The Maquette authors"
release = version = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Maquette"
html_show_copyright = False
exclude_patterns = ["_build"]
