"""Who sees what: asked of each node through its own people, and of the relay's folder on disk."""

import pathlib

ROWS = (
    ("agreement LANTERN", "agreement"), ("strategy", "strategy"), ("line NET-1", "NET-1"),
    ("line FIN-1", "FIN-1"),
)


def mark_of_record(record):
    files = record.get("files", [])
    if not files:
        return "reads"
    here = sum(file["state"] == "here" for file in files)
    if here == len(files):
        return f"reads, {len(files)} file{'s' if len(files) > 1 else ''}"
    return f"reads, {here} of {len(files)} files"


class Sight:
    def __init__(self, federation):
        self.f = federation

    def records(self, code):
        """What a body's own node lists, by reference."""
        f = self.f
        found = {}
        for noun in ("evidence", "task"):
            for record in f.ask(code, noun, "list")["records"]:
                found[record["ref"]] = record
        return found

    def of(self, code):
        f = self.f
        seen = {}
        agreements = f.ask(code, "agreement", "list")["agreements"]
        if any(view["state"] == "IN_FORCE" for view in agreements):
            seen["agreement"] = "reads"
        if any(view["state"] == "AGREED" for view in f.ask(code, "strategy", "show")["strategies"]):
            seen["strategy"] = "reads"
        for line in f.ask(code, "line", "list")["records"]:
            seen[line["line"]["code"]] = "reads"
        for ref, record in self.records(code).items():
            seen[ref] = mark_of_record(record)
        return seen

    def cards(self, code):
        progress = self.f.ask(code, "progress")
        return progress.get("cards", []), progress.get("rows", [])

    def relay_knows(self, needles):
        """Which of these texts stand anywhere in what the relay keeps."""
        found = set()
        for path in pathlib.Path(self.f.folder / "relay").rglob("*"):
            if path.is_file() and not path.is_socket():
                content = path.read_bytes()
                found |= {needle for needle in needles if needle.encode() in content}
        return found

    def table(self, refs):
        f = self.f
        seen = {code: self.of(code) for code in f.codes}
        titles = {}
        for code in f.codes:
            for ref, record in self.records(code).items():
                titles[ref] = record["title"]
        rows = [(title, key) for title, key in ROWS]
        rows += [(titles.get(ref, name), ref) for name, ref in refs.items()]
        cards, _ = self.cards("EJ")
        tasks = {ref for name, ref in refs.items() if ref.startswith("T-")}
        known = self.relay_knows([title for title, _ in rows])
        lines = []
        for title, key in rows:
            cells = [seen[code].get(key, "-") for code in f.codes]
            if key in tasks and cells[-1] == "-" and cards:
                cells[-1] = "card"
            cells.append("READS" if title in known else "-")
            lines.append((title, *cells))
        return lines


def render(head, lines):
    widths = [max(len(str(line[i])) for line in [head, *lines]) for i in range(len(head))]
    out = []
    for line in [head, tuple("-" * width for width in widths), *lines]:
        out.append("  " + "  ".join(str(cell).ljust(width)
                                    for cell, width in zip(line, widths)).rstrip())
    return "\n".join(out)
