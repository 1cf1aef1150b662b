//===- ProfileFile.cpp - Profiles in JSON ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks each entry where it stands, so that a fault has its place.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/ProfileFile.h"
#include "PlanFormats.h"

#include "dit/Support/JsonReader.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads the entries of one file.
class ProfileReader {
public:
  ProfileReader(const SiteList &sites,
                llvm::function_ref<bool(StringRef)> isPlan, PlanFile &file)
      : sites(sites), isPlan(isPlan), file(file) {}

  bool read(const json::Value &value, json::Path path);
  Profile &getProfile() { return profile; }

private:
  bool readMeasured(const json::Value &value, json::Path path);
  bool readQuantity(const json::Object &object, Measurement &entry,
                    json::Path path);
  bool readValues(const json::Value &value, Measurement &entry,
                  json::Path path);
  bool readNumber(const json::Value &value, double most, double &number,
                  json::Path path);
  bool readList(const json::Value &value, int64_t &extent, StringRef what,
                llvm::function_ref<bool(const json::Value &, json::Path)> read,
                json::Path path);
  bool readTrial(const json::Value &value, json::Path path);

  const SiteList &sites;
  llvm::function_ref<bool(StringRef)> isPlan;
  PlanFile &file;
  Profile profile;
  llvm::StringSet<> quantities, plans;
};

} // namespace

bool ProfileReader::readNumber(const json::Value &value, double most,
                               double &number, json::Path path) {
  if (!json::fromJSON(value, number, path))
    return false;
  return (std::isfinite(number) && number >= 0.0 && number <= most) ||
         report(file, path,
                std::isfinite(most)
                    ? "expected a number between 0 and 1"
                    : "expected a finite number that is not negative");
}

/// Reads a list of `extent` entries, which it sets if it is 0; a single entry
/// stands for a list of one.
bool ProfileReader::readList(
    const json::Value &value, int64_t &extent, StringRef what,
    llvm::function_ref<bool(const json::Value &, json::Path)> read,
    json::Path path) {
  const json::Array *list = value.getAsArray();
  int64_t size = list ? list->size() : 1;
  if (extent == 0)
    extent = size;
  if (size != extent || size == 0)
    return report(file, path,
                  llvm::formatv("expected values of {0} {1}, got {2}",
                                std::max<int64_t>(extent, 1), what, size));
  if (!list)
    return read(value, path);
  for (auto [index, entry] : llvm::enumerate(*list))
    if (!read(entry, path.index(index)))
      return false;
  return true;
}

bool ProfileReader::readValues(const json::Value &value, Measurement &entry,
                               json::Path path) {
  double most = entry.metric == Metric::Sparsity ? 1.0 : HUGE_VAL;
  int64_t steps = profile.getNumSteps();
  entry.heads = entry.ages = 0;
  auto readOne = [&](const json::Value &value, json::Path path) {
    return readNumber(value, most, entry.values.emplace_back(), path);
  };
  auto readHead = [&](const json::Value &value, json::Path path) {
    return readList(value, entry.ages, "ages", readOne, path);
  };
  auto readStep = [&](const json::Value &value, json::Path path) {
    return readList(value, entry.heads, "heads", readHead, path);
  };
  if (!readList(value, steps, "steps", readStep, path))
    return false;
  bool hasAges =
      entry.mode && entry.mode->hasSource() && entry.metric != Metric::Seconds;
  return entry.ages == 1 || hasAges ||
         report(file, path,
                "expected ages only of the error of a share or of a residual");
}

bool ProfileReader::readQuantity(const json::Object &object, Measurement &entry,
                                 json::Path path) {
  const json::Value *name = readField(object, "metric", path);
  std::string text;
  if (!name || !json::fromJSON(*name, text, path.field("metric")))
    return false;
  std::optional<Metric> metric = symbolizeMetric(text);
  if (!metric)
    return report(file, path.field("metric"),
                  "expected sparsity, step_difference, guidance_difference, "
                  "rse, seconds, output_loss or sample_error, got '" +
                      text + "'");
  entry.metric = *metric;
  const json::Value *at = object.get("at");
  if (!at != (metric != Metric::Sparsity))
    return report(file, path.field("at"),
                  "expected the share of the mass of a sparsity and of nothing "
                  "else");
  if (at) {
    if (!readNumber(*at, 1.0, entry.mass.emplace(), path.field("at")))
      return false;
    if (*entry.mass == 0.0 || *entry.mass == 1.0)
      return report(file, path.field("at"), "expected a share between 0 and 1");
  }
  bool isError = metric == Metric::Rse || metric == Metric::OutputLoss ||
                 metric == Metric::SampleError;
  const json::Value *mode = object.get("mode");
  if (metric != Metric::Seconds && isError != static_cast<bool>(mode))
    return report(file, path.field("mode"),
                  "expected the mode of an rse, an output_loss or a "
                  "sample_error, and of nothing else but seconds");
  if (!mode)
    return true;
  json::Path place = path.field("mode");
  if (!readMode(file, *mode, entry.mode.emplace(), place))
    return false;
  if (entry.mode->source != Mode::kLatest)
    return report(file, place.field("from"),
                  "expected a mode without the step that it takes a value of");
  std::string fault = findModeFault(*entry.mode);
  return fault.empty() || report(file, place, std::move(fault));
}

bool ProfileReader::readMeasured(const json::Value &value, json::Path path) {
  const json::Object *object = readObject(value, path);
  Measurement entry;
  if (!object ||
      !hasOnlyKeys(*object, {"site", "metric", "at", "mode", "values"}, path))
    return false;
  const json::Value *name = readField(*object, "site", path);
  if (!name || !readName(*name, entry.site, path.field("site")))
    return false;
  std::string mismatch = Profile::findMismatch(entry, sites);
  if (!mismatch.empty())
    return report(file, path.field("site"), std::move(mismatch));
  const json::Value *values = readField(*object, "values", path);
  if (!values || !readQuantity(*object, entry, path) ||
      !readValues(*values, entry, path.field("values")))
    return false;
  mismatch = Profile::findMismatch(entry, sites);
  if (!mismatch.empty())
    return report(file, path.field("values"), std::move(mismatch));
  std::string key;
  llvm::raw_string_ostream os(key);
  os << entry.site << '\n' << stringifyMetric(entry.metric);
  if (entry.mass)
    os << " at " << formatNumber(*entry.mass);
  if (entry.mode) {
    os << " of ";
    printMode(os, *entry.mode);
  }
  if (!quantities.insert(key).second)
    return report(file, path,
                  "expected each quantity of a site once; site '" + entry.site +
                      "' has " + StringRef(key).split('\n').second.str() +
                      " twice");
  profile.add(std::move(entry));
  return true;
}

bool ProfileReader::readTrial(const json::Value &value, json::Path path) {
  const json::Object *object = readObject(value, path);
  Trial trial;
  if (!object || !hasOnlyKeys(*object, {"plan", "errors", "seconds"}, path))
    return false;
  if (const json::Value *plan = object->get("plan")) {
    json::Path place = path.field("plan");
    if (!readName(*plan, trial.plan, place))
      return false;
    if (!isPlan(trial.plan))
      return report(file, place,
                    "the module has no plan '" + trial.plan +
                        "'; import it before the profile");
  }
  if (!plans.insert(trial.plan).second)
    return report(file, path, "expected one trial of each plan");
  const json::Value *errors = readField(*object, "errors", path);
  json::Path place = path.field("errors");
  if (!errors)
    return false;
  if (!errors->getAsArray() || errors->getAsArray()->empty())
    return report(file, place, "expected the error of a sample or more");
  for (auto [index, error] : llvm::enumerate(*errors->getAsArray()))
    if (!readNumber(error, HUGE_VAL, trial.errors.emplace_back(),
                    place.index(index)))
      return false;
  if (const json::Value *seconds = object->get("seconds"))
    if (!readNumber(*seconds, HUGE_VAL, trial.seconds.emplace(),
                    path.field("seconds")))
      return false;
  profile.add(std::move(trial));
  return true;
}

bool ProfileReader::read(const json::Value &value, json::Path path) {
  const json::Object *root = readObject(value, path);
  if (!root ||
      !hasOnlyKeys(*root, {"timesteps", "fingerprint", "measured", "trials"},
                   path))
    return false;
  SmallVector<double> timesteps;
  PlanFileContext context{/*context=*/nullptr, sites, /*timesteps=*/{},
                          /*defaultTimesteps=*/{}};
  if (!readTimesteps(context, *root, file, timesteps, path))
    return false;
  profile = Profile(timesteps);
  std::string fingerprint = sites.getFingerprint();
  if (const json::Value *value = root->get("fingerprint");
      value && !json::fromJSON(*value, fingerprint, path.field("fingerprint")))
    return false;
  profile.setFingerprint(fingerprint);
  std::string mismatch = profile.findMismatch(sites);
  if (!mismatch.empty())
    return report(file, path.field("fingerprint"), std::move(mismatch));
  const json::Array *measured = root->getArray("measured");
  json::Path list = path.field("measured");
  if (!measured)
    return report(file, list, "expected array");
  for (auto [index, entry] : llvm::enumerate(*measured))
    if (!readMeasured(entry, list.index(index)))
      return false;
  const json::Value *trials = root->get("trials");
  list = path.field("trials");
  if (!trials)
    return true;
  if (!trials->getAsArray())
    return report(file, list, "expected array");
  for (auto [index, entry] : llvm::enumerate(*trials->getAsArray()))
    if (!readTrial(entry, list.index(index)))
      return false;
  return true;
}

llvm::Expected<Profile>
mlir::dit::parseProfileFile(const SiteList &sites,
                            llvm::function_ref<bool(StringRef)> isPlan,
                            StringRef text) {
  llvm::Expected<json::Value> value = parseJson(text);
  if (!value)
    return value.takeError();
  json::Path::Root root("profile");
  PlanFile file;
  ProfileReader reader(sites, isPlan, file);
  if (reader.read(*value, root))
    return std::move(reader.getProfile());
  return takeFault(root, file);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeValues(const Measurement &entry, json::OStream &json) {
  auto writeHead = [&](int64_t step, int64_t head) {
    if (entry.ages == 1)
      return json.value(entry.get(step, head));
    json.array([&] {
      for (int64_t age = 1; age <= entry.ages; ++age)
        json.value(entry.get(step, head, age));
    });
  };
  for (int64_t step = 0; step < entry.getNumSteps(); ++step) {
    if (entry.heads == 1 && entry.ages == 1) {
      writeHead(step, 0);
      continue;
    }
    json.array([&] {
      for (int64_t head = 0; head < entry.heads; ++head)
        writeHead(step, head);
    });
  }
}

void mlir::dit::writeMeasurements(
    const Profile &profile,
    llvm::function_ref<void(const Measurement &)> writeNumbers,
    json::OStream &json) {
  json.attribute("timesteps", json::Array(profile.getTimesteps()));
  if (!profile.getFingerprint().empty())
    json.attribute("fingerprint", profile.getFingerprint());
  json.attributeArray("measured", [&] {
    for (const Measurement &entry : profile.getMeasurements())
      json.object([&] {
        json.attribute("site", entry.site);
        json.attribute("metric", stringifyMetric(entry.metric));
        if (entry.mass)
          json.attribute("at", *entry.mass);
        if (entry.mode) {
          json.attributeBegin("mode");
          writeMode(*entry.mode, Mode::kLatest, json);
          json.attributeEnd();
        }
        writeNumbers(entry);
      });
  });
}

void mlir::dit::writeProfileFile(const Profile &profile, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    writeMeasurements(
        profile,
        [&](const Measurement &entry) {
          json.attributeArray("values", [&] { writeValues(entry, json); });
        },
        json);
    if (profile.getTrials().empty())
      return;
    json.attributeArray("trials", [&] {
      for (const Trial &trial : profile.getTrials())
        json.object([&] {
          if (!trial.plan.empty())
            json.attribute("plan", trial.plan);
          json.attribute("errors", json::Array(trial.errors));
          if (trial.seconds)
            json.attribute("seconds", *trial.seconds);
        });
    });
  });
  os << "\n";
}
