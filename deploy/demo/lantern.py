"""The opening of Operation LANTERN, played through the command line by four people."""

import pathlib


class Story:
    """`parts` are (sentence, function) pairs, so that whoever plays it can show each step."""

    def __init__(self, federation, evidence, own_files=None):
        self.f = federation
        self.evidence = pathlib.Path(evidence)
        self.own_files = own_files
        self.refs = {}  # short name → reference
        self.parts = (
            ("Arvenia proposes the agreement; Borland and Corvia read and sign", self.agreement),
            ("The strategy is drafted, proposed and signed by all three", self.strategy),
            ("Lines of enquiry, each for those who work on it", self.lines),
            ("Arvenia registers evidence for Borland, and some for itself alone", self.share),
            ("Tasks across borders: accepted, carried out, declined", self.tasks),
            ("Borland answers with a result and releases it to Corvia", self.release),
            ("Everything has arrived and been verified", self.f.wait_in_sync),
        )

    def agreement(self):
        f = self.f
        f.run("XA", "agreement", "propose", "--code-name", "LANTERN",
              "--purpose", "Trafficking in human beings and laundering of its proceeds",
              "--legal-basis", "fd2002-465", "--offence", "Trafficking in human beings",
              "--offence", "Money laundering",
              "--party", "XA:anna.moreau:prosecutor", "--party", "XB:boris.lind:prosecutor",
              "--party", "XC:clara.voss:prosecutor", "--participant", "EJ",
              "--admin", "XA:anna.moreau", "--from", f.day(-30), "--to", f.day(335),
              "--evidence-clause", "Evidence is gathered under the law of the State where it is "
              "taken and released item by item.")
        for code in ("XA", "XB", "XC"):
            f.wait_until(f"the proposal at {code}", lambda c=code: self.versions(c, "SIGNING"))
            f.run(code, "agreement", "sign")
        for code in f.codes:
            f.wait_until(f"the agreement in force at {code}",
                         lambda c=code: self.versions(c, "IN_FORCE"))

    def versions(self, code, state):
        views = self.f.ask(code, "agreement", "list")["agreements"]
        return [view for view in views if view["state"] == state]

    def strategy(self):
        f = self.f
        f.run("XA", "strategy", "draft", "--title", "First strategy",
              "--objectives", "Free the persons held at Harbour Lane; dismantle the network",
              "--financial", "Follow the couriers to Kestrel Exchange; freeze before the action day",
              "--victims", "Contact through support organisations alone", "--priority", "Victims",
              "--priority", "Money", "--line", "NET-1", "--line", "FIN-1")
        f.run("XA", "strategy", "propose")
        for code in ("XA", "XB", "XC"):
            f.wait_until(f"the strategy at {code}", lambda c=code: self.strategies(c, "PROPOSED"))
            f.run(code, "strategy", "sign")
        for code in ("XA", "XB", "XC"):
            f.wait_until(f"the strategy agreed at {code}",
                         lambda c=code: self.strategies(c, "AGREED"))

    def strategies(self, code, state):
        views = self.f.ask(code, "strategy", "show")["strategies"]
        return [view for view in views if view["state"] == state]

    def lines(self):
        f = self.f
        f.run("XA", "line", "add", "--code", "NET-1", "--title", "Transport from Ostmark",
              "--kind", "network", "--lead", "XB", "--support", "XA", "--audience", "XA,XB")
        f.run("XC", "line", "add", "--code", "FIN-1", "--title", "Kestrel Exchange",
              "--kind", "financial", "--lead", "XC", "--support", "XA,XB",
              "--audience", "XA,XB,XC")

    def add(self, name, code, title, files, audience, *more):
        paths = [self.evidence / file for file in files]
        who = ("--audience", audience) if audience else ()
        view = self.f.ask(code, "evidence", "add", *paths, "--title", title, *who, *more)["record"]
        self.refs[name] = view["ref"]
        return view["ref"]

    def share(self):
        if self.own_files:
            for index, path in enumerate(self.own_files):
                self.add(f"own file {index + 1}", "XA", path.name, [path], "XA,XB",
                         "--measure", "as stated by the owner")
        else:
            self.add("surveillance", "XA", "Surveillance of Harbour Lane",
                     ["surveillance report XA-2031-0388.pdf", "camera 04 Harbour Lane.png"],
                     "XA,XB", "--kind", "surveillance", "--measure", "surveillance order 14 Gs 207",
                     "--line", "NET-1", "--exhibit", "XA-0388")
            self.add("call", "XA", "Call of 16 March, line 3", ["call 2031-03-16 line 3.wav"],
                     "XA,XB", "--kind", "intercept", "--measure", "interception order 14 Gs 211")
        self.add("bank register", "XC", "Register of Kestrel Exchange",
                 ["bank register Kestrel Exchange.csv"], "XA,XB,XC", "--kind", "financial",
                 "--measure", "production order", "--line", "FIN-1")
        self.add("statement", "XA", "Statement of V-07", ["statement of V-07.pdf"], "",
                 "--kind", "statement", "--measure", "interview")
        self.add("source note", "XA", "Note on a source", ["note on a source.pdf"], "",
                 "--kind", "document", "--measure", "source report")

    def assign(self, name, code, to, title, kind, due):
        f = self.f
        view = f.ask(code, "task", "assign", "--to", to, "--title", title, "--kind", kind,
                     "--due", f.day(due), "--legal-basis", "Agreement, clause 5")["record"]
        self.refs[name] = view["ref"]
        f.wait_until(f"{view['ref']} at {to}", lambda: any(
            task["ref"] == view["ref"] for task in f.ask(to, "task", "list")["records"]))
        return view["ref"]

    def tasks(self):
        f = self.f
        extraction = self.assign("extraction task", "XA", "XB", "Read out telephone, exhibit 3",
                                 "digital-extraction", 21)
        f.run("XB", "task", "accept", extraction, "--assignee", "Forensic unit, Ostmark")
        f.run("XB", "task", "update", extraction, "--state", "in-progress")
        freezing = self.assign("freezing task", "XB", "XC", "Freeze the accounts of the exchange",
                               "freezing", 10)
        f.run("XC", "task", "accept", freezing)
        interview = self.assign("interview task", "XA", "XC", "Interview the bookkeeper",
                                "interview", 5)
        f.run("XC", "task", "decline", interview, "--reason",
              "Not before the accounts are frozen; the interview would warn the exchange.")

    def release(self):
        f = self.f
        report = self.add("extraction report", "XB", "Extraction report, exhibit 3",
                          ["extraction report exhibit 3.json"], "XA,XB",
                          "--kind", "extraction-report", "--measure", "house search, Ostmark")
        f.run("XB", "task", "done", self.refs["extraction task"], "--result", report,
              "--note", "Contacts and messages of nine weeks; see the report.")
        f.run("XB", "evidence", "release", report, "--to", "XC", "--purpose",
              "Comparison with the register of Kestrel Exchange")
