#!/usr/bin/env python3
"""Each lint finds the violation it is there for, and leaves good code alone."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOOD = "// Says what it is.\n#pragma once\n\nnamespace entente {\n\nint Answer();\n\n}  // namespace entente\n"


def long_function(lines):
    return "int Long() {\n" + "  Step();\n" * (lines - 2) + "}\n"


class LintTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tree = pathlib.Path(self.folder.name)
        for name in (".clang-format", ".clang-tidy"):
            shutil.copy(ROOT / name, self.tree / name)
        self.plant("sync/good.h", GOOD)

    def tearDown(self):
        self.folder.cleanup()

    def plant(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run_lint(self, lint, *more):
        return subprocess.run([sys.executable, str(HERE / f"{lint}.py"), "--root", str(self.tree),
                               *more], capture_output=True, text=True)

    def assert_clean(self, lint, *more):
        run = self.run_lint(lint, *more)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def assert_finds(self, lint, text, *more):
        run = self.run_lint(lint, *more)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn(text, run.stdout)

    def test_layering(self):
        self.assert_clean("layering")
        cases = (
            ("crypto/a.h", '#include "sync/kv.h"', "crypto stands below"),
            ("crypto/a.h", '#include "entente/v1/entry.pb.h"', "crypto knows no messages"),
            ("sync/a.cc", '#include "node/model/model.h"', "never looks up"),
            ("sync/a.cc", "#include <sodium.h>", "libsodium stays"),
            ("node/model/a.cc", "#include <rocksdb/db.h>", "RocksDB stays"),
            ("node/model/a.cc", '#include "node/store/rocks_kv.h"', "knows no hands"),
            ("node/core/a.cc", '#include "node/driver/driver.h"', "never calls it"),
            ("node/store/a.cc", "#include <grpcpp/grpcpp.h>", "gRPC stays"),
            ("sync/a.h", '#include "entente/v1/peer.grpc.pb.h"', "gRPC stays"),
            ("node/relay/a.cc", '#include "crypto/parcel_seal.h"', "opens anything"),
            ("sync/a.cc", "#include <mutex>", "handed the world"),
            ("node/core/a.cc", "  #  include <chrono>", "handed the world"),
            ("node/model/a.cc", '#include "absl/time/clock.h"', "handed the world"),
            ("sync/a.cc", "auto t = absl::Now();", "handed the world"),
        )
        for name, text, finding in cases:
            with self.subTest(text):
                path = self.plant(name, text + "\n")
                self.assert_finds("layering", finding)
                path.unlink()

    def test_layering_allows_what_the_design_allows(self):
        self.plant("crypto/box.cc", "#include <sodium.h>\n")
        self.plant("node/store/kv.cc", "#include <rocksdb/db.h>\n#include <mutex>\n")
        self.plant("node/transport/t.cc", "#include <grpcpp/grpcpp.h>\n")
        self.plant("sync/log.cc", '#include "crypto/hash.h"\n// absl::Now() stays outside.\n')
        self.assert_clean("layering")

    def test_file_size(self):
        self.plant("sync/long.cc", "int a;\n" * 600)
        self.assert_clean("size")
        self.plant("sync/long.cc", "int a;\n" * 601)
        self.assert_finds("size", "sync/long.cc:601")

    def test_function_length(self):
        self.plant("sync/f.cc", "namespace a {\n" + long_function(70) + "}\n")
        self.assert_clean("size")
        self.plant("sync/f.cc", "namespace a {\n" + long_function(71) + "}\n")
        self.assert_finds("size", "function of 71 lines")

    def test_function_length_in_a_class_and_a_test(self):
        body = "  Step(\"}\");  // {\n" * 80
        for head in ("class A : public B {\n  A(int x) : B(x), y_{x} {\n" + body + "  }\n};\n",
                     "TEST(A, B) {\n" + body + "}\n",
                     "template <typename T>\nstd::vector<T> A<T>::F(int x) const noexcept {\n"
                     + body + "}\n"):
            with self.subTest(head[:20]):
                self.plant("sync/f.cc", head)
                self.assert_finds("size", "function of 8")

    def test_words(self):
        self.assert_clean("words")
        for text in ("// TO" + "DO: later", "TEST(A, DIS" + "ABLED_B)", "GTEST_" + "SKIP();",
                     "see /ho" + "me/someone/file", "<" * 7 + " mine"):
            with self.subTest(text):
                self.plant("sync/open.cc", text + "\n")
                self.assert_finds("words", "sync/open.cc:1")

    def test_tree(self):
        for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
                     "docs/architecture.md", "docs/protocol.md", "docs/glossary.md",
                     "docs/README.md", "sync/README.md"):
            self.plant(name, "Text.\n")
        shutil.copy(ROOT / "LICENSE", self.tree / "LICENSE")
        self.assert_clean("tree")
        self.plant("README.md", "[there](docs/none.md) [out](https://example.org/x)\n")
        self.assert_finds("tree", "dead link docs/none.md")
        self.plant("README.md", "Text.\n")
        self.plant("LICENSE", "Do as you like.\n")
        self.assert_finds("tree", "LICENSE: is not")
        (self.tree / "LICENSE").unlink()
        self.assert_finds("tree", "LICENSE: missing")
        shutil.copy(ROOT / "LICENSE", self.tree / "LICENSE")
        self.plant("node/store/kv.h", GOOD)
        self.assert_finds("tree", "node/store/README.md: missing")

    def test_format(self):
        self.assert_clean("format")
        self.plant("sync/bad.cc", "int  f( ){return 1 ;}\n")
        self.assert_finds("format", "clang-format -i sync/bad.cc")
        (self.tree / "sync/bad.cc").unlink()
        self.plant("tests/lint/blank.py", "x = 1 \n")
        self.assert_finds("format", "trailing blank")

    def test_shell(self):
        head = "#!/usr/bin/env bash\nset -euo pipefail\n"
        self.plant("deploy/good", head + 'echo "$HOME"\n')
        self.assert_clean("shell")
        self.plant("deploy/bad", head + "rm -rf $1\n")
        self.assert_finds("shell", "SC2086")
        (self.tree / "deploy/bad").unlink()
        self.plant("deploy/lax", "#!/usr/bin/env bash\ntrue\n")
        self.assert_finds("shell", "deploy/lax: does not say")

    def test_tidy(self):
        source = self.plant("sync/t.cc", "int* Find();\nbool Has() { return Find() != 0; }\n")
        (self.tree / "sync/good.cc").write_text("int Good() { return 1; }\n")
        names = [str(source), str(self.tree / "sync/good.cc")]
        self.plant("build/compile_commands.json", json.dumps(
            [{"directory": str(self.tree), "file": name, "command": f"c++ -std=c++20 -c {name}"}
             for name in names]))
        build = str(self.tree / "build")
        self.assert_clean("tidy", "--build", build, "sync/good.cc")
        source.write_text("int Twice(int x) {\n  int y;\n  if (x == x) y = 2;\n  return y;\n}\n")
        self.assert_finds("tidy", "sync/t.cc:3", "--build", build, "sync")


if __name__ == "__main__":
    unittest.main()
