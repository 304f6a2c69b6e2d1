#!/usr/bin/env python3
"""Files stay under 600 lines (400 wanted), functions under 70."""

import re

import common

FILE_LINES_MAX = 600
FILE_LINES_WANTED = 400
FUNCTION_LINES_MAX = 70
SIZED = (".h", ".cc", ".py", ".sh", ".proto", ".ts")
SPARED = {"proto/entente/v1/client.proto": 1100}  # one contract, read top to bottom

# What stands before a brace that opens a scope in which functions may be defined.
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^;{}()]*$")
# What stands before the brace of a function body: a parameter list and what may follow it.
FUNCTION = re.compile(
    r"\)(\s*(const\b|noexcept(\([^)]*\))?|override\b|final\b|&{1,2}|->\s*[\w:<>,&*\s]+|"
    r":\s*\w[^;]*|ABSL_\w+\([^)]*\)|requires[^;{}]*))*\s*$", re.S)


def functions(code):
    """Yields (first line, last line) of every function body in stripped code."""
    stack = []  # per open brace: (is scope, line of the function's brace or None, statement)
    statement = 0  # where the text before the next brace begins
    line = 1
    for i, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            before = code[statement:i]
            in_scope = all(entry[0] for entry in stack)
            is_scope = in_scope and bool(SCOPE.search(re.sub(r"<[^<>]*>|\[\[[^\]]*\]\]", "", before)))
            # clang-format puts a blank before a body's brace and none before a value's: y_{x}.
            is_function = (in_scope and not is_scope and before[-1:].isspace()
                           and bool(FUNCTION.search(before)))
            stack.append((is_scope, line if is_function else None, statement))
            statement = i + 1
        elif char == "}":
            is_scope, start, before = stack.pop() if stack else (True, None, i + 1)
            if start is not None:
                yield start, line
            # A braced value (y_{x}) is part of the statement it stands in.
            statement = i + 1 if is_scope or start is not None else before
        elif char == ";":
            statement = i + 1


def main():
    args = common.arguments(__doc__)
    findings = []
    wanted = []
    for path in common.files(args.root):
        if path.suffix not in SIZED or path.parts[0] == "docs":
            continue
        text = common.read(args.root, path)
        lines = text.count("\n")
        if lines > SPARED.get(str(path), FILE_LINES_MAX):
            findings.append(f"{path}:{lines}: {lines} lines, {FILE_LINES_MAX} at most: "
                            "probably two ideas")
        elif lines > FILE_LINES_WANTED:
            wanted.append(f"note: {path} has {lines} lines, {FILE_LINES_WANTED} are wanted")
        if path.suffix in common.CPP:
            for start, end in functions(common.strip_cpp(text)):
                if end - start + 1 > FUNCTION_LINES_MAX:
                    findings.append(f"{path}:{start}: function of {end - start + 1} lines, "
                                    f"{FUNCTION_LINES_MAX} at most")
    print("\n".join(wanted))
    common.finish(findings, "sizes")


if __name__ == "__main__":
    main()
