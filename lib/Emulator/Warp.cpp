//===- Warp.cpp - What lanes of a warp do together ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shuffles, votes, reductions and elections, as the PTX ISA defines them. Each
// lane brings its operands on its stack; the last lane to come computes the
// results of all.
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <algorithm>

using namespace dit_emu;

/// Calls `fn` for each of `lanes`.
template <typename Fn>
static void forEachLane(uint32_t lanes, Fn fn) {
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    if (lanes >> lane & 1)
      fn(lane);
}

extern "C" void dit_emu_syncwarp(uint32_t mask, const char *place) {
  getCta().collective("bar.warp.sync", mask, nullptr, place,
                      [](Cta &, unsigned, uint32_t, const char *) {});
}

//===----------------------------------------------------------------------===//
// Shuffles
//===----------------------------------------------------------------------===//

namespace {
struct Shuffle {
  int32_t kind;
  uint32_t value, offset, clamp;
  uint32_t result;
  bool valid;
};
} // namespace

/// The lane that lane `lane` reads from, and whether it is in range.
static std::pair<unsigned, bool> getSource(unsigned lane, const Shuffle &op) {
  unsigned clamp = op.clamp & 31, segments = op.clamp >> 8 & 31;
  unsigned offset = op.offset & 31;
  unsigned last = (lane & segments) | (clamp & ~segments);
  unsigned first = lane & segments;
  int source = 0;
  bool valid = false;
  switch (op.kind) {
  case 0: // bfly
    source = lane ^ offset;
    valid = source <= int(last);
    break;
  case 1: // up: `last` is the lowest lane here
    source = int(lane) - int(offset);
    valid = source >= int(last);
    break;
  case 2: // down
    source = lane + offset;
    valid = source <= int(last);
    break;
  default: // idx
    source = first | (offset & ~segments);
    valid = source <= int(last);
  }
  return {valid ? source : lane, valid};
}

static void executeShuffle(Cta &cta, unsigned warp, uint32_t lanes,
                           const char *place) {
  forEachLane(lanes, [&](unsigned lane) {
    auto &op = cta.operandsOf<Shuffle>(warp, lane);
    auto [source, valid] = getSource(lane, op);
    if (!(lanes >> source & 1))
      cta.fail(place, format("shfl.sync: lane %u reads lane %u, which takes no "
                             "part",
                             lane, source));
    op.result = cta.operandsOf<Shuffle>(warp, source).value;
    op.valid = valid;
  });
}

extern "C" uint32_t dit_emu_shuffle(int32_t kind, uint32_t mask, uint32_t value,
                                    uint32_t offset, uint32_t clamp,
                                    bool *valid, const char *place) {
  ++getCounters().shuffle;
  Shuffle op{kind, value, offset, clamp, 0, false};
  getCta().collective("shfl.sync", mask, &op, place, executeShuffle);
  if (valid)
    *valid = op.valid;
  return op.result;
}

//===----------------------------------------------------------------------===//
// Votes and elections
//===----------------------------------------------------------------------===//

namespace {
struct Vote {
  int32_t kind;
  bool predicate;
  uint32_t result;
};
} // namespace

static void executeVote(Cta &cta, unsigned warp, uint32_t lanes, const char *) {
  uint32_t ballot = 0;
  forEachLane(lanes, [&](unsigned lane) {
    ballot |= uint32_t(cta.operandsOf<Vote>(warp, lane).predicate) << lane;
  });
  forEachLane(lanes, [&](unsigned lane) {
    auto &op = cta.operandsOf<Vote>(warp, lane);
    switch (op.kind) {
    case 0:
      op.result = ballot != 0;
      break;
    case 1:
      op.result = ballot == lanes;
      break;
    case 2:
      op.result = ballot;
      break;
    default:
      op.result = ballot == 0 || ballot == lanes;
    }
  });
}

extern "C" uint32_t dit_emu_vote(int32_t kind, uint32_t mask, bool predicate,
                                 const char *place) {
  static const char *const names[] = {"vote.sync.any", "vote.sync.all",
                                      "vote.sync.ballot", "vote.sync.uni"};
  Vote op{kind, predicate, 0};
  getCta().collective(names[kind], mask, &op, place, executeVote);
  return op.result;
}

extern "C" bool dit_emu_elect(uint32_t mask, const char *place) {
  bool elected = false;
  getCta().collective(
      "elect.sync", mask, &elected, place,
      [](Cta &cta, unsigned warp, uint32_t lanes, const char *) {
        unsigned lane = __builtin_ctz(lanes);
        cta.operandsOf<bool>(warp, lane) = true;
      });
  return elected;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
/// NVVM's numbers of `redux.sync`.
enum class Redux { Add = 1, And, Max, Min, Or, Umax, Umin, Xor };
struct ReduxOperands {
  Redux kind;
  uint32_t value;
};
} // namespace

static uint32_t combine(Redux kind, uint32_t a, uint32_t b) {
  switch (kind) {
  case Redux::Add:
    return a + b;
  case Redux::And:
    return a & b;
  case Redux::Max:
    return std::max(int32_t(a), int32_t(b));
  case Redux::Min:
    return std::min(int32_t(a), int32_t(b));
  case Redux::Or:
    return a | b;
  case Redux::Umax:
    return std::max(a, b);
  case Redux::Umin:
    return std::min(a, b);
  case Redux::Xor:
    return a ^ b;
  }
  __builtin_unreachable();
}

static void executeRedux(Cta &cta, unsigned warp, uint32_t lanes,
                         const char *) {
  unsigned first = __builtin_ctz(lanes);
  ReduxOperands result = cta.operandsOf<ReduxOperands>(warp, first);
  forEachLane(lanes & (lanes - 1), [&](unsigned lane) {
    result.value = combine(result.kind, result.value,
                           cta.operandsOf<ReduxOperands>(warp, lane).value);
  });
  forEachLane(lanes, [&](unsigned lane) {
    cta.operandsOf<ReduxOperands>(warp, lane).value = result.value;
  });
}

extern "C" uint32_t dit_emu_redux(int32_t kind, uint32_t mask, uint32_t value,
                                  const char *place) {
  ReduxOperands op{Redux(kind), value};
  getCta().collective("redux.sync", mask, &op, place, executeRedux);
  return op.value;
}
