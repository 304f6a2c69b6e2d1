"""Writes small, valid PDF files: a title, paragraphs and tables in Helvetica on A4 pages."""

import zlib

WIDTH, HEIGHT, MARGIN = 595, 842, 64
LINE = 15
WRAP = 88


def _escape(text):
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _wrap(text):
    line = ""
    for word in text.split():
        if len(line) + len(word) + 1 > WRAP:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def _lines(title, subtitle, blocks):
    """Yields (font, size, text, extra space above)."""
    yield "F2", 18, title, 0
    yield "F1", 11, subtitle, 4
    for block in blocks:
        if block.startswith("# "):
            yield "F2", 13, block[2:], 14
        elif block.startswith("| "):
            yield "F3", 9, block[2:], 0
        else:
            for number, line in enumerate(_wrap(block)):
                yield "F1", 11, line, 8 if number == 0 else 0


def _pages(title, subtitle, blocks, footer):
    pages, content, y = [], [], HEIGHT - MARGIN
    for font, size, text, space in _lines(title, subtitle, blocks):
        y -= LINE + space
        if y < MARGIN + 2 * LINE:
            pages.append(content)
            content, y = [], HEIGHT - MARGIN - LINE
        content.append(f"BT /{font} {size} Tf {MARGIN} {y} Td ({_escape(text)}) Tj ET")
    pages.append(content)
    for number, content in enumerate(pages, 1):
        content.append(f"0.6 G {MARGIN} {MARGIN} m {WIDTH - MARGIN} {MARGIN} l S")
        content.append(f"BT /F1 8 Tf {MARGIN} {MARGIN - 14} Td "
                       f"({_escape(footer)} - page {number} of {len(pages)}) Tj ET")
    return ["\n".join(content).encode("latin-1", "replace") for content in pages]


def document(title, subtitle, blocks, footer):
    """The bytes of a PDF. Blocks: '# heading', '| table row', or a paragraph."""
    contents = _pages(title, subtitle, blocks, footer)
    fonts = ("Helvetica", "Helvetica-Bold", "Courier")
    first_page = 3 + len(fonts)
    kids = " ".join(f"{first_page + 2 * i} 0 R" for i in range(len(contents)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode()]
    for font in fonts:
        objects.append(f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} "
                       "/Encoding /WinAnsiEncoding >>".encode())
    resources = " ".join(f"/F{i + 1} {3 + i} 0 R" for i in range(len(fonts)))
    for i, content in enumerate(contents):
        packed = zlib.compress(content)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
            f"/Resources << /Font << {resources} >> >> "
            f"/Contents {first_page + 2 * i + 1} 0 R >>".encode())
        objects.append(f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
                       + packed + b"\nendstream")

    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for offset in offsets:
        out += f"{offset:010d} 00000 n \n".encode()
    out += (f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
            f"startxref\n{table}\n%%EOF\n").encode()
    return bytes(out)
