"""Whether a commit's subject has the form `scope: what it does`, as CONTRIBUTING asks.

    python .ci/subject.py .git/COMMIT_EDITMSG

Git's own subjects pass too: those of a merge, a revert, a fixup.
"""

import re
import sys
from pathlib import Path

MAX_LENGTH = 72
FORM = re.compile(r"[a-z][\w.-]*(, [a-z][\w.-]*)*: \S.*")
BY_GIT = re.compile(r"Merge |Revert \"|(fixup|squash|amend)! ")
EXAMPLE = "part3: compare rungs over four seeds"


def fault(subject):
    """What is wrong with a subject, or an empty string."""
    if BY_GIT.match(subject):
        return ""
    if not FORM.fullmatch(subject):
        return "write it as `scope: what it does`"
    if len(subject) > MAX_LENGTH:
        return f"it has {len(subject)} characters; {MAX_LENGTH} is the most"
    if subject.endswith("."):
        return "leave out the full stop"
    return ""


def main(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if line.strip() and not line.startswith("#")]
    subject = said[0] if said else ""
    if found := fault(subject):
        print(f"The subject is: {subject}\n{found}, as in `{EXAMPLE}`.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
