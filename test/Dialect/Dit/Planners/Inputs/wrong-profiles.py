# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Spoils a profile in one place at a time and prints what the import says.

    wrong-profiles.py DIT_OPT MODULE PROFILE FOLDER
"""

import copy
import json
import pathlib
import subprocess
import sys

# dit-opt may come with flags.
*DIT_OPT, MODULE, PROFILE, FOLDER = sys.argv[1:]
GOOD = json.loads(pathlib.Path(PROFILE).read_text())
DELETE = object()

# What is wrong, where, and the value there.
WRONG = [
    ("no timesteps", ["timesteps"], DELETE),
    ("unknown site", ["measured", 0, "site"], "b"),
    ("unknown metric", ["measured", 0, "metric"], "speed"),
    ("too few steps", ["measured", 0, "values"], [1, 2]),
    ("ragged heads", ["measured", 2, "values", 1], [0.5]),
    ("other heads", ["measured", 2, "values"], [[0, 0, 0]] * 3),
    ("ages of a window", ["measured", 1, "values"], [[[1, 2]]] * 3),
    ("not a number", ["measured", 0, "values", 1], float("nan")),
    ("infinite", ["measured", 0, "values", 1], "1e999"),
    ("negative", ["measured", 0, "values", 2], -1),
    ("text", ["measured", 0, "values", 0], "fast"),
    ("sparsity above 1", ["measured", 2, "values", 0, 1], 1.5),
    ("no mass", ["measured", 2, "at"], DELETE),
    ("mass of 1", ["measured", 2, "at"], 1),
    ("no mode", ["measured", 3, "mode"], DELETE),
    ("unknown mode", ["measured", 3, "mode"], "skip"),
    ("source", ["measured", 3, "mode"], {"mode": "share", "from": 0}),
    ("twice", ["measured", 5], GOOD["measured"][0]),
    ("unknown key", ["measured", 0, "unit"], "s"),
    ("other program", ["fingerprint"], "0" * 16),
    ("unknown plan", ["trials", 1, "plan"], "gone"),
    ("no errors", ["trials", 0, "errors"], []),
    ("two dense trials", ["trials", 1], GOOD["trials"][0]),
]


def spoil(path, value):
    """The text of the profile with `value` at `path`."""
    profile = copy.deepcopy(GOOD)
    *parents, last = path
    place = profile
    for key in parents:
        place = place[key]
    if value is DELETE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    # JSON has no such number; a reader makes infinity of it.
    return json.dumps(profile).replace('"1e999"', "1e999")


for name, path, value in WRONG:
    file = pathlib.Path(FOLDER, "wrong.json")
    file.write_text(spoil(path, value))
    run = subprocess.run(
        [*DIT_OPT, MODULE, f"--dit-import-profile=file={file}"],
        capture_output=True, text=True)
    errors = [line for line in run.stderr.splitlines() if "error: " in line]
    assert run.returncode == 1 and len(errors) == 1, (name, run.stderr)
    assert "dit.profile" not in run.stdout, name
    print(f"{name}: {errors[0].split('wrong.json' + chr(39) + ': ')[1]}")
