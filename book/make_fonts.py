"""Cut the book's fonts out of the complete ones: `python book/make_fonts.py FOLDER`.

FOLDER has the unpacked releases of Adobe's Source fonts, as the npm packages
`source-serif` 4.5.1, `source-sans` 3.52.0 and `source-code-pro` 2.42.0 hold them, each
in a folder of its name. It needs `fonttools` and `brotli`, and the theme, whose icons
(Font Awesome Free) are cut too. The pages load what is written to `book/assets/fonts`;
figures use what is written to `charlm/book/fonts`. All of it stays under the SIL Open
Font License, copied beside it. It reserves the name of the complete fonts, so the cut
ones are called Charlm.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

BOOK = Path(__file__).parent
PAGES = BOOK / "assets" / "fonts"
FIGURES = BOOK.parent / "charlm" / "book" / "fonts"
LETTERS = (
    "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x3B1, 0x3CA)]))
    + "ŁłŚśŹźŻżŐőŞşĞğİıʻ–—‘’“”„…•·×−±√∞≈≠≤≥→←↑↓↳★●▸▾"
)
ON_PAGES = {  # file: name, style, source
    "serif": ("Charlm Serif", "Regular", "source-serif/TTF/SourceSerif4-Regular.ttf"),
    "serif-italic": ("Charlm Serif", "Italic", "source-serif/TTF/SourceSerif4-It.ttf"),
    "serif-semibold": (
        "Charlm Serif",
        "Semibold",
        "source-serif/TTF/SourceSerif4Subhead-Semibold.ttf",
    ),
    "sans": ("Charlm Sans", "Regular", "source-sans/VF/SourceSans3VF-Upright.ttf"),
    "mono": ("Charlm Mono", "Regular", "source-code-pro/VF/SourceCodeVF-Upright.ttf"),
}
IN_FIGURES = {
    "sans": ("Charlm Sans", "Regular", "source-sans/TTF/SourceSans3-Regular.ttf"),
    "sans-bold": (
        "Charlm Sans",
        "Bold",
        "source-sans/TTF/SourceSans3-Semibold.ttf",
    ),
}


# Bars, search, sun, moon, half a circle, arrows, outside, copy, check: the theme's.
ICONS = (
    "\uf0c9\uf002\uf185\uf186\uf042\uf062\uf104\uf105"
    "\uf053\uf054\uf35d\uf0c5\uf00c\uf0c1"
)
THEIRS = "theme/pydata_sphinx_theme/static/vendor/fontawesome/webfonts/fa-solid-900.ttf"


def cut(path, name, style, letters=LETTERS):
    """The font with only some letters in it, of weights 400 to 650 if it varies."""
    font = TTFont(path, recalcTimestamp=False)
    features = ["kern", "tnum", "lnum"] + ["liga"] * ("Serif" in name)
    options = Options(layout_features=features, hinting=False, notdef_outline=True)
    options.name_IDs = [1, 2, 3, 4, 6, 13, 14]
    subsetter = Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(font)
    if "fvar" in font:
        font = instantiateVariableFont(font, {"wght": (400, 650)})
    if style == "Bold":  # what matplotlib asks for
        font["OS/2"].usWeightClass = 700
    names = {1: name, 2: style, 3: f"{name} {style}", 4: f"{name} {style}"}
    names[6] = f"{name} {style}".replace(" ", "-")
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    return font


def write(font, file):
    font.save(file)
    print(f"{file.relative_to(BOOK.parent)}: {file.stat().st_size / 1000:.1f} kB")


def main(folder):
    for place, fonts in ((PAGES, ON_PAGES), (FIGURES, IN_FIGURES)):
        place.mkdir(exist_ok=True)
        copyfile(folder / "source-sans" / "LICENSE.md", place / "LICENSE.md")
        for stem, (name, style, path) in fonts.items():
            font = cut(folder / path, name, style)
            font.flavor = "woff2" if place is PAGES else None
            write(font, place / f"{stem}.{font.flavor or 'ttf'}")
    theme = Path(find_spec("pydata_sphinx_theme").origin).parent
    icons = cut(theme / THEIRS, "Charlm Icons", "Regular", ICONS)
    icons.flavor = "woff2"
    write(icons, PAGES / "icons.woff2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
