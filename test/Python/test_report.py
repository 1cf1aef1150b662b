# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.report: what the page says, and how a browser shows it."""

import html
import html.parser
import json
import re
import shutil
import subprocess

import pytest

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
from dit import report
from dit.report.__main__ import main

STEPS = 6
TIMES = [1000 * (STEPS - i) / STEPS for i in range(STEPS)]
SITES = ["blocks.0.attn1", "blocks.0.mlp"]
PROFILE = {"timesteps": TIMES, "measured": [
    {"site": SITES[0], "metric": "seconds", "values": [0.25] * STEPS},
    {"site": SITES[1], "metric": "seconds", "values": [0.5] * STEPS},
    {"site": SITES[0], "metric": "seconds", "mode": {"mode": "window", "width": 4},
     "values": [0.125] * STEPS},
    {"site": SITES[0], "metric": "sparsity", "at": 0.9, "values": [[0.125, 0.875]] * STEPS},
    {"site": SITES[0], "metric": "step_difference", "values": [0, 0.5, 0.01, 0.01, 0.02, 0.5]},
    {"site": SITES[1], "metric": "step_difference", "values": [0, 0.1, 0, 0.01, 0.02, 0.1]},
    {"site": SITES[0], "metric": "rse", "mode": "share", "values": [[[0, 0], [0.1, 0.2]]] * STEPS}],
    "trials": [{"errors": [0.0], "seconds": 6.5}]}
WINDOW = {"mode": "window", "width": 4}
PLAN = {"timesteps": TIMES, "branches": [
    {"site": SITES[0], "kind": "full", "cache": "before_projection",
     "modes": ["full", ["share", WINDOW], WINDOW, {"mode": "full", "half": "first"}, "full", "share"]},
    {"site": SITES[1], "kind": "mlp", "modes": ["full", "share", "share", "full", "full", "share"]}]}


@pytest.fixture
def files(tmp_path):
    for name, content in (("profile", PROFILE), ("plan", PLAN),
                          ("run", {"plan": "plan.json", "time_s": 4.25})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def make(folder, *arguments):
    paths = [str(folder / name) if name.endswith(".json") else name for name in arguments]
    assert main([*paths, "--out", str(folder / "page.html")]) == 0
    return (folder / "page.html").read_text()


class Elements(html.parser.HTMLParser):
    """Counts tags, collects titles and what would be fetched, and checks nesting."""

    def __init__(self, page):
        super().__init__()
        self.open, self.counts, self.titles, self.links = [], {}, [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.titles.append(data)


def test_page(files):
    page = make(files, "profile.json", "plan.json", "--run", "run.json")
    elements = Elements(page)
    # Two heads and one, at each step; nothing runs and nothing is fetched.
    cells = [title for title in elements.titles if "(t = " in title]
    assert len(cells) == 3 * STEPS
    assert "blocks.0.attn1, head 1, step 1 (t = 833.333): window width 4" in cells
    assert "blocks.0.attn1, head 0, step 1 (t = 833.333): share" in cells
    assert "blocks.0.attn1, head 0, step 3 (t = 500): full half first" in cells
    assert "blocks.0.attn1, head 1, step 0: 0.875" in elements.titles
    assert "script" not in elements.counts and not elements.links
    assert "url(" not in page and "@import" not in page


def test_times(files):
    """Full 2 x, half the heads in a window, a window, half of the batch: of 0.25
    s; the MLP runs 3 times. Beside the branches a run takes 2 s."""
    titles = Elements(make(files, "profile.json", "plan.json", "--run", "run.json")).titles
    attention = 2 * 0.25 + 0.125 / 2 + 0.125 + 0.25 / 2
    assert f"branches, predicted: {attention + 1.5:.4g} s" in titles
    assert "dense run, measured: 6.5 s" in titles
    assert f"planned run, predicted: {2 + attention + 1.5:.4g} s" in titles
    assert "planned run, measured: 4.25 s" in titles


def test_without_plan(files):
    page = make(files, "profile.json", "--title", "A <title>")
    assert "What the plan does" not in page and "Memory" not in page
    assert "A &lt;title&gt;" in page and "Sparsity" in page
    Elements(page)


def test_with_model(source_root, tmp_path, capsys):
    """A plan of any form, and caches in bytes: one attention output of 2 MiB."""
    folder = source_root / "examples" / "wan-mini"
    (tmp_path / "plan.json").write_text(json.dumps(
        {"broadcast": {"full": {"period": 2, "window": [0, 1001]}}}))
    (tmp_path / "profile.json").write_text(json.dumps({
        "timesteps": [1000, 500], "measured": [
            {"site": f"blocks.{layer}.{branch}", "metric": "seconds", "values": [1, 1]}
            for layer in range(4) for branch in ("attn1", "attn2", "mlp")]}))
    page = make(tmp_path, "profile.json", "plan.json", "--model", str(folder))
    assert "blocks.3.attn1, head 0, step 1 (t = 500): share" in Elements(page).titles
    assert "8 MiB at the peak" in page and "caches: 8 MiB" in page
    (tmp_path / "plan.json").write_text("{")
    assert main([str(tmp_path / "profile.json"), str(tmp_path / "plan.json"), "--model",
                 str(folder)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dit.report: ") and error.count("\n") == 1


def test_held(files):
    """A value is held until the last step that takes it."""
    from dit.report._page import _is_held

    plan = report.read_plan(files / "plan.json")
    assert [_is_held(plan.branches[1], step) for step in range(STEPS)] == [
        True, True, False, False, True, False]


def change(content, path, value):
    content = json.loads(json.dumps(content))
    *parents, last = path
    place = content
    for key in parents:
        place = place[key]
    place[last] = value
    return content


@pytest.mark.parametrize("name,content,message", [
    ("profile", [], "profile.json: expected an object"),
    ("profile", {"timesteps": [1]}, "measured: expected an array"),
    ("profile", change(PROFILE, ["timesteps", 0], "x"), "timesteps: expected an array of numbers"),
    ("profile", change(PROFILE, ["measured", 1], 3), "measured[1]: expected an object with site"),
    ("profile", change(PROFILE, ["measured", 0, "values"], [1]),
     "measured[0].values: expected an entry for each of the 6 steps"),
    ("profile", change(PROFILE, ["measured", 0, "values", 3], None),
     "measured[0].values: expected finite numbers"),
    ("profile", change(PROFILE, ["measured", 0, "values", 3], float("nan")),
     "measured[0].values: expected finite numbers"),
    ("profile", change(PROFILE, ["measured", 3, "values", 3], [1]),
     "measured[3].values: expected as many numbers at each step"),
    ("plan", {"broadcast": {}}, "expected a plan as a table, with branches; --model"),
    ("plan", change(PLAN, ["timesteps"], TIMES[1:]),
     "branches[0].modes: expected one for each of the 5 steps"),
    ("plan", change(PLAN, ["branches", 1, "modes", 2], 7), "expected names or objects with mode"),
    ("plan", change(PLAN, ["branches", 1, "site"], "other"), "which has no 'other'"),
    ("plan", {"timesteps": [1000], "branches": []}, "expected a plan for the 6 steps of the profile"),
    ("run", {"plan": None}, "expected what dit.sample --json prints")])
def test_errors(files, capsys, name, content, message):
    (files / f"{name}.json").write_text(json.dumps(content))
    arguments = [str(files / "profile.json"), str(files / "plan.json"), "--run",
                 str(files / "run.json"), "--out", str(files / "page.html")]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("dit.report: ") and error.count("\n") == 1 and message in error
    assert not (files / "page.html").exists()


def test_missing_files(files, capsys):
    assert main([str(files / "none.json")]) == 1
    assert "none.json: No such file" in capsys.readouterr().err
    (files / "plan.json").write_text("{")
    assert main([str(files / "profile.json"), str(files / "plan.json")]) == 1
    assert "plan.json: no JSON" in capsys.readouterr().err
    (files / "plan.json").write_text(json.dumps(PLAN))
    assert main([str(files / "profile.json"), "--out", str(files / "no" / "page.html")]) == 1
    assert "--out: " in capsys.readouterr().err


# The page in frames as wide as a screen and a phone; what is measured becomes
# the text of the outer page.
FRAMES = """<!DOCTYPE html><body><script>
const found = [];
addEventListener("error", event => found.push("error " + event.message));
function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement;
  const sizes = [...page.querySelectorAll("svg text, p, td")].map(element => {
    const scale = element.ownerSVGElement ? element.getScreenCTM().a : 1;
    return scale * parseFloat(frame.contentWindow.getComputedStyle(element).fontSize); });
  const charts = [...page.querySelectorAll(".chart")].map(chart => chart.clientWidth);
  const fetched = frame.contentWindow.performance.getEntriesByType("resource").length;
  found.push([frame.width, root.scrollWidth, Math.min(...sizes), Math.max(...charts),
              fetched].join(" "));
  document.title = found.join("; ");
}
</script>
<iframe width="1280" height="900" onload="measure(this)" srcdoc="PAGE"></iframe>
<iframe width="390" height="900" onload="measure(this)" srcdoc="PAGE"></iframe>
</body>"""


def test_browser(files):
    """No scrolling sideways but in charts, no small print; nothing is fetched, and the
    console has nothing to say."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    page = make(files, "profile.json", "plan.json")
    (files / "frames.html").write_text(FRAMES.replace("PAGE", html.escape(page)))
    result = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--enable-logging=stderr", f"--user-data-dir={files / 'browser'}",
         "--virtual-time-budget=10000", "--dump-dom",
         f"file://{files / 'frames.html'}"], capture_output=True, text=True, check=False,
        timeout=240)
    title = re.search(r"<title>(.*?)</title>", result.stdout)
    assert title, result.stderr
    frames = [list(map(float, line.split())) for line in title[1].split("; ")]
    assert [frame[0] for frame in frames] == [1280, 390]
    assert ":CONSOLE" not in result.stderr, result.stderr
    for width, scrolled, smallest, chart, fetched in frames:
        assert fetched == 0
        assert scrolled <= width and smallest >= 11.5 and 0.8 * min(width, 1088) <= chart <= width
