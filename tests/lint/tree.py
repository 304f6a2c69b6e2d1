#!/usr/bin/env python3
"""The tree explains itself: licence, a README in every folder that a reader enters, live links."""

import re

import common

NEEDED = ("LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
          "docs/architecture.md", "docs/protocol.md", "docs/glossary.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")


def main():
    args = common.arguments(__doc__)
    paths = common.files(args.root)
    names = {str(path) for path in paths}
    findings = [f"{name}: missing" for name in NEEDED if name not in names]

    if "LICENSE" in names and "EUROPEAN UNION PUBLIC LICENCE v. 1.2" not in common.read(
            args.root, "LICENSE"):
        findings.append("LICENSE: is not the European Union Public Licence 1.2")

    folders = {path.parts[0] for path in paths if len(path.parts) > 1}
    folders = {folder for folder in folders if not folder.startswith(".") and folder != "cmake"}
    folders |= {f"node/{path.parts[1]}" for path in paths
                if path.parts[0] == "node" and len(path.parts) > 2}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in names:
            findings.append(f"{folder}/README.md: missing: a newcomer starts there")

    for path in paths:
        if path.suffix != ".md":
            continue
        for match in LINK.finditer(common.read(args.root, path)):
            target = match.group(1)
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (args.root / path.parent / target).exists():
                findings.append(f"{path}: dead link {target}")
    common.finish(findings, "tree")


if __name__ == "__main__":
    main()
