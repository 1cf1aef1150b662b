#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quality, operations and time of plans and of their rivals, and docs/Results.md.

    ./dev bench plans                          # all that is missing, then the page
    ./dev bench plans quality --seeds 2        # samples, compared with the dense ones
    ./dev bench plans time --rounds 3          # on a machine that does nothing else
    ./dev bench plans page                     # docs/Results.md and its plots
    ./dev bench plans search --models wan-mini --pattern 11010 --shift 1.75
                                               # places of steps for a plan

Rows and their plans are in benchmarks/plans/<model>/rows.json and beside it; what
was measured goes into benchmarks/plans/<model>/measured.json after every sample,
and what is there is not measured again. A row whose plan or settings changed is
another row. Samples of the dense sampler are kept in the build tree.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("DIT_BUILD_DIR", ROOT / "build"))
DATA = ROOT / "benchmarks" / "plans"
MODELS = ("wan-mini", "latte-mini")
CLIPS = 3
sys.path.insert(0, str(BUILD / "python"))

from dit import sample  # noqa: E402
from plans_page import write_page  # noqa: E402
from plans_search import Search, make_plan  # noqa: E402

#: The row that the others are compared with.
DENSE = "dense-30"


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to sample, and the key that what was measured of it has."""

    name: str
    label: str
    group: str
    settings: sample.Settings
    key: str


def read_rows(model):
    """The rows of a model. Rules of broadcast may stand in rows.json itself."""
    folder = DATA / model
    rows = []
    for entry in json.loads((folder / "rows.json").read_text()):
        plan = None
        meaning = {key: entry[key] for key in entry if key not in ("label", "group")}
        digest = hashlib.sha256(json.dumps(meaning, sort_keys=True).encode())
        if "plan" in entry:
            plan = folder / entry["plan"]
            digest.update(plan.read_bytes())
        elif "rules" in entry:
            folder_of_rules = BUILD / "plans" / model
            folder_of_rules.mkdir(parents=True, exist_ok=True)
            plan = folder_of_rules / f"{entry['name']}.json"
            plan.write_text(json.dumps(entry["rules"]))
        timesteps = tuple(entry["timesteps"]) if "timesteps" in entry else None
        if timesteps is None and plan is not None and "steps" not in entry:
            timesteps = tuple(json.loads(plan.read_text())["timesteps"])
        settings = sample.Settings(
            steps=entry.get("steps", 30), solver=entry.get("solver", "euler"),
            shift=entry.get("shift", 1.0), timesteps=timesteps, plan=plan)
        rows.append(Row(entry["name"], entry["label"], entry["group"], settings,
                        digest.hexdigest()[:16]))
    return rows


class Store:
    """What was measured of the rows of a model, kept in a file."""

    def __init__(self, model):
        self.path = DATA / model / "measured.json"
        self.rows = json.loads(self.path.read_text()) if self.path.is_file() else {}

    def of(self, row):
        entry = self.rows.get(row.name)
        if entry is None or entry["key"] != row.key:
            entry = self.rows[row.name] = {"key": row.key, "samples": {}, "seconds": []}
        return entry

    def save(self):
        text = json.dumps(self.rows, indent=1, sort_keys=True)
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, delete=False) as file:
            file.write(text + "\n")
        os.replace(file.name, self.path)


def count_operations(model, settings):
    """Operations of all steps: of the attention with what it selects, and of all."""
    total = model.report_work(settings)["total"]
    return {"attention": total["attention"] + total["selection"], "total": sum(total.values())}


class Sampling:
    """A model and the samplers that were compiled of it."""

    def __init__(self, name, threads):
        self.name, self.threads = name, threads
        self.model = sample.Model(ROOT / "examples" / name)
        self._samplers = {}

    def get_sampler(self, row):
        if row.name not in self._samplers:
            self._samplers[row.name] = self.model.compile(row.settings)
        return self._samplers[row.name]

    def sample(self, row, clip, seed):
        return self.get_sampler(row)(clip, seed, threads=self.threads)

    def reference(self, dense, clip, seed):
        path = BUILD / "plans" / self.name / f"dense-{clip}-{seed}.npy"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.npy")
            np.save(partial, self.sample(dense, clip, seed))
            os.replace(partial, path)
        return np.load(path)


def say(text, end="\n"):
    tail = "\x1b[K" if sys.stderr.isatty() else ""
    print(f"{text}{tail}", end=end if sys.stderr.isatty() or end == "\n" else "\n",
          file=sys.stderr, flush=True)


def chosen_rows(model, only):
    rows = read_rows(model)
    dense = next(row for row in rows if row.name == DENSE)
    return dense, [row for row in rows if not only or any(part in row.name for part in only)]


def measure_quality(args):
    for name in args.models:
        sampling, store = Sampling(name, args.threads), Store(name)
        dense, rows = chosen_rows(name, args.only)
        for row in rows:
            entry = store.of(row)
            if "operations" not in entry:
                entry["operations"] = count_operations(sampling.model, row.settings)
                store.save()
        # All rows of a seed first, so that a part of the work is a whole table.
        work = [(seed, clip, row) for seed in range(args.seeds)
                for clip in (range(CLIPS) if args.clips == "all" else [seed % CLIPS])
                for row in rows if row.name != DENSE]
        work = [(seed, clip, row) for seed, clip, row in work
                if f"{clip}-{seed}" not in store.of(row)["samples"]]
        for done, (seed, clip, row) in enumerate(work):
            say(f"{name}: sample {done + 1} of {len(work)}: {row.name}, clip {clip}, seed {seed}",
                end="\r")
            wanted = sampling.reference(dense, clip, seed)
            got = sampling.sample(row, clip, seed)
            store.of(row)["samples"][f"{clip}-{seed}"] = {
                "psnr": round(sample.psnr(got, wanted), 3),
                "ssim": round(sample.ssim(got, wanted), 5)}
            store.save()
        say(f"{name}: {len(rows)} rows, {args.seeds} seeds")


def measure_time(args):
    """Rounds take turns, so that what else runs hits all alike; each time is kept
    beside that of the dense sampler in the same round."""
    for name in args.models:
        sampling, store = Sampling(name, args.threads), Store(name)
        dense, rows = chosen_rows(name, args.only)
        rows = [row for row in rows if row.name != DENSE]
        for row in (dense, *rows):
            sampling.get_sampler(row)
        sampling.sample(dense, 0, 0)

        def run(row):
            start = time.perf_counter()
            sampling.sample(row, 0, 0)
            return time.perf_counter() - start

        deadline = time.monotonic() + args.limit
        for done in range(args.rounds):
            if time.monotonic() > deadline:
                break
            say(f"{name}: round {done + 1} of {args.rounds}", end="\r")
            base = run(dense)
            for row in rows:
                store.of(row)["seconds"].append([round(run(row), 4), round(base, 4)])
            store.save()
        for row in rows:
            times = store.of(row)["seconds"]
            ratio = statistics.median(base / own for own, base in times)
            say(f"{name}: {row.name}: {times[-1][0]:.3f} s, {ratio:.2f}x")


def search(args):
    """Writes the best places found as a plan, and all that were tried."""
    for name in args.models:
        sampling = Sampling(name, args.threads)
        dense, _ = chosen_rows(name, None)
        references = {(clip, seed): sampling.reference(dense, clip, seed)
                      for clip, seed in (map(int, text.split("-")) for text in args.samples)}
        path = DATA / name / "tried.json"
        tried = json.loads(path.read_text())
        log = tried["places"].setdefault(args.pattern, [])
        work = Search(sampling.model, args.pattern, references, args.threads)
        start = sample.Settings(len(args.pattern), shift=args.shift).places
        if log:
            start = max(log, key=lambda entry: entry["psnr"])["places"]
        places, best = work.run(start, 60 * args.minutes, log)
        path.write_text(json.dumps(tried, indent=0) + "\n")
        plan = make_plan(work.evaluator.sites, args.pattern, places)
        (DATA / name / f"places-{args.pattern}.json").write_text(json.dumps(plan) + "\n")
        say(f"{name}: {args.pattern}: {best:.2f} dB at {places}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="all",
                        choices=["all", "quality", "time", "page", "search"])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="rows whose name holds it")
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--clips", default="all", choices=["all", "turns"],
                        help="all for each seed (default), or one for each in turn")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--limit", type=float, default=1e9, metavar="S",
                        help="start no round after so many seconds")
    parser.add_argument("--pattern", default="11010", metavar="TEXT",
                        help="of a search: 1 for a full step, 0 for half of the batch")
    parser.add_argument("--shift", type=float, default=1.75, metavar="S")
    parser.add_argument("--samples", nargs="+", default=["2-2", "2-8", "0-3"], metavar="CLIP-SEED")
    parser.add_argument("--minutes", type=float, default=7.0, metavar="M")
    args = parser.parse_args()
    if args.what == "search":
        search(args)
    if args.what in ("all", "quality"):
        measure_quality(args)
    if args.what in ("all", "time"):
        measure_time(args)
    if args.what in ("all", "page"):
        write_page(ROOT, {name: (read_rows(name), Store(name).rows) for name in MODELS})


if __name__ == "__main__":
    main()
