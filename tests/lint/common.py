"""What the lint scripts share: the list of files, a C++ stripper, and how findings are reported.

Each lint is a script `NAME.py [--root DIR]` that prints one finding a line and exits 1 when there
is any. --root points at the tree to look at; the self-test points it at planted violations.
"""

import argparse
import pathlib
import subprocess
import sys

CPP = (".h", ".cc")
SOURCE_FOLDERS = ("crypto", "sync", "node", "tests")


def arguments(description, add=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2],
                        type=pathlib.Path, help="the tree to look at")
    if add:
        add(parser)
    return parser.parse_args()


def files(root):
    """Paths relative to root of all files that are, or could be, tracked; sorted."""
    if (root / ".git").exists():
        out = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], check=True, capture_output=True).stdout
        names = [name for name in out.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith("build")]
    return sorted(pathlib.PurePosixPath(name) for name in set(names) if (root / name).is_file())


def cpp_files(root, folders=SOURCE_FOLDERS):
    return [path for path in files(root) if path.suffix in CPP and path.parts[0] in folders]


def read(root, path):
    return (root / path).read_text(encoding="utf-8", errors="replace")


def strip_cpp(text):
    """The text with comments, strings and character literals blanked, line breaks kept."""
    out = []
    i, n = 0, len(text)
    while i < n:
        pair = text[i:i + 2]
        if pair == "//":
            end = text.find("\n", i)
            i = n if end < 0 else end
        elif pair == "/*":
            end = text.find("*/", i + 2)
            end = n if end < 0 else end + 2
            out.append("\n" * text.count("\n", i, end))
            i = end
        elif text[i] == '"' and text[i - 1:i] == "R" and not text[i - 2:i - 1].isalnum():
            open_at = text.find("(", i)
            close = ")" + text[i + 1:open_at] + '"'
            end = text.find(close, open_at)
            end = n if end < 0 else end + len(close)
            out.append('""' + "\n" * text.count("\n", i, end))
            i = end
        elif text[i] == '"' or (text[i] == "'" and not text[i - 1:i].isalnum()):
            quote, j = text[i], i + 1
            while j < n and text[j] != quote and text[j] != "\n":
                j += 2 if text[j] == "\\" else 1
            out.append(quote * 2)
            i = j + 1
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def finish(findings, what):
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding(s): {what}")
        sys.exit(1)
    print(f"clean: {what}")
