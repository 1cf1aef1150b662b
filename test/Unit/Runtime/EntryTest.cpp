//===- EntryTest.cpp - Unit tests of checked calls ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>

namespace {

/// A memref descriptor of rank 2.
struct Descriptor {
  float *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
};

/// out = 2 * in, for both forms of results.
void doubleInto(const Descriptor &in, float *out) {
  for (int64_t i = 0; i < in.sizes[0] * in.sizes[1]; ++i)
    out[i] = 2 * in.aligned[i];
}

void callStatic(void **descriptors) {
  doubleInto(*static_cast<Descriptor *>(descriptors[1]),
             static_cast<Descriptor *>(descriptors[2])->aligned);
}

void callDynamic(void **descriptors) {
  const auto &in = *static_cast<Descriptor *>(descriptors[1]);
  auto &out = *static_cast<Descriptor *>(descriptors[0]);
  out = in;
  out.allocated = out.aligned = static_cast<float *>(
      std::malloc(in.sizes[0] * in.sizes[1] * sizeof(float)));
  doubleInto(in, out.aligned);
}

/// Gives one buffer for two results.
void callShared(void **descriptors) {
  callDynamic(descriptors);
  auto *results = static_cast<Descriptor *>(descriptors[0]);
  results[1] = results[0];
}

/// The bytes of the input for a workspace, and its extents for the result.
void query(void **descriptors) {
  const auto &in = *static_cast<Descriptor *>(descriptors[0]);
  auto *values = reinterpret_cast<int64_t *>(
      static_cast<Descriptor *>(descriptors[1])->aligned);
  values[0] = in.sizes[0] * in.sizes[1] * sizeof(float);
  values[1] = in.sizes[0];
  values[2] = in.sizes[1];
}

class EntryTest : public ::testing::Test {
protected:
  const int64_t staticSizes[2] = {2, 2}, dynamicSizes[2] = {-1, 2};
  dit_rt_arg_spec staticSpecs[2] = {{"x", DIT_RT_F32, 2, staticSizes},
                                    {"y", DIT_RT_F32, 2, staticSizes}};
  dit_rt_arg_spec dynamicSpecs[2] = {{"x", DIT_RT_F32, 2, dynamicSizes},
                                     {"y", DIT_RT_F32, 2, dynamicSizes}};
  dit_rt_entry fixed = {"f", 1,       1,          staticSpecs, 0,
                        0,   nullptr, callStatic, nullptr,     0};
  dit_rt_entry dynamic = {"g", 1,       1,           dynamicSpecs, 0,
                          0,   nullptr, callDynamic, nullptr,      1};
  dit_rt_entry queried = {"h", 1,       1,          dynamicSpecs, -1,
                          0,   nullptr, callStatic, query,        0};

  float in[4] = {1, 2, 3, 4}, out[4] = {};
  int64_t inSizes[2] = {2, 2}, outSizes[2] = {2, 2};
  dit_buffer inBuffer = {in, DIT_RT_F32, 2, inSizes, nullptr};
  dit_buffer outBuffer = {out, DIT_RT_F32, 2, outSizes, nullptr};
  dit_buffer *args[2] = {&inBuffer, &outBuffer};

  void expectOut(std::initializer_list<float> values) {
    EXPECT_TRUE(std::equal(values.begin(), values.end(), out));
  }
};

TEST_F(EntryTest, WritesIntoTheCallersMemory) {
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OK);
  EXPECT_STREQ(dit_rt_last_error(), "");
  expectOut({2, 4, 6, 8});
}

TEST_F(EntryTest, TakesStridedBuffers) {
  const int64_t columnMajor[2] = {1, 2};
  inBuffer.strides = columnMajor;
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OK);
  expectOut({2, 6, 4, 8});
  outBuffer.strides = columnMajor;
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OK);
  expectOut({2, 4, 6, 8});
}

TEST_F(EntryTest, ChecksBuffers) {
  args[0] = nullptr;
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_INVALID_ARGUMENT);
  EXPECT_STREQ(dit_rt_last_error(), "f: input 'x' is a null buffer");
  args[0] = &inBuffer;
  outSizes[0] = 3;
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_SHAPE_MISMATCH);
  EXPECT_STREQ(dit_rt_last_error(),
               "f: result 'y': expected extent 2 in dimension 0, got 3");
  inSizes[0] = -1;
  EXPECT_EQ(dit_rt_invoke(&dynamic, args, nullptr), DIT_RT_SHAPE_MISMATCH);
}

TEST_F(EntryTest, ChecksTheWorkspace) {
  fixed.workspace_size = 128;
  alignas(64) char workspace[192];
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_INVALID_ARGUMENT);
  EXPECT_EQ(dit_rt_invoke(&fixed, args, workspace + 1),
            DIT_RT_INVALID_ARGUMENT);
  EXPECT_EQ(dit_rt_invoke(&fixed, args, workspace), DIT_RT_OK);
}

TEST_F(EntryTest, AllocatesDynamicResults) {
  outBuffer.data = nullptr;
  outSizes[0] = outSizes[1] = 0;
  ASSERT_EQ(dit_rt_invoke(&dynamic, args, nullptr), DIT_RT_OK);
  EXPECT_EQ(outSizes[0], 2);
  EXPECT_EQ(outSizes[1], 2);
  EXPECT_EQ(static_cast<float *>(outBuffer.data)[3], 8);
  std::free(outBuffer.data);
}

TEST_F(EntryTest, FreesABufferOfTwoResultsOnce) {
  dit_rt_arg_spec specs[3] = {dynamicSpecs[0], dynamicSpecs[1],
                              dynamicSpecs[1]};
  dit_rt_entry shared = dynamic;
  shared.num_results = 2;
  shared.args = specs;
  shared.call = callShared;
  outBuffer.data = nullptr;
  int64_t otherSizes[2] = {};
  dit_buffer other = {nullptr, DIT_RT_F32, 2, otherSizes, nullptr};
  dit_buffer *three[3] = {&inBuffer, &outBuffer, &other};
  ASSERT_EQ(dit_rt_invoke(&shared, three, nullptr), DIT_RT_OK);
  ASSERT_NE(outBuffer.data, other.data);
  EXPECT_EQ(static_cast<float *>(outBuffer.data)[3], 8);
  EXPECT_EQ(static_cast<float *>(other.data)[3], 8);
  std::free(outBuffer.data);
  std::free(other.data);
}

TEST_F(EntryTest, FillsDynamicResultsOfTheRightExtents) {
  EXPECT_EQ(dit_rt_invoke(&dynamic, args, nullptr), DIT_RT_OK);
  expectOut({2, 4, 6, 8});
  outSizes[0] = 1;
  EXPECT_EQ(dit_rt_invoke(&dynamic, args, nullptr), DIT_RT_SHAPE_MISMATCH);
  EXPECT_EQ(outSizes[0], 2);
}

TEST_F(EntryTest, AsksForTheSizeOfTheWorkspace) {
  EXPECT_EQ(dit_rt_workspace_size(&fixed, args), 0);
  inBuffer.data = nullptr;
  EXPECT_EQ(dit_rt_workspace_size(&queried, args), 16);
  inSizes[1] = 3;
  EXPECT_EQ(dit_rt_workspace_size(&queried, args), -1);
  EXPECT_STREQ(dit_rt_last_error(),
               "h: input 'x': expected extent 2 in dimension 1, got 3");
}

TEST_F(EntryTest, ChecksQueriedExtentsBeforeItRuns) {
  alignas(64) char workspace[64];
  EXPECT_EQ(dit_rt_invoke(&queried, args, nullptr), DIT_RT_INVALID_ARGUMENT);
  EXPECT_EQ(dit_rt_invoke(&queried, args, workspace), DIT_RT_OK);
  expectOut({2, 4, 6, 8});
  out[0] = 7;
  outSizes[0] = 1;
  EXPECT_EQ(dit_rt_invoke(&queried, args, workspace), DIT_RT_SHAPE_MISMATCH);
  EXPECT_EQ(outSizes[0], 2);
  EXPECT_EQ(out[0], 7);
}

TEST_F(EntryTest, AllocatesQueriedResults) {
  alignas(64) char workspace[64];
  outBuffer.data = nullptr;
  outSizes[0] = outSizes[1] = 0;
  ASSERT_EQ(dit_rt_invoke(&queried, args, workspace), DIT_RT_OK);
  EXPECT_EQ(outSizes[0], 2);
  EXPECT_EQ(static_cast<float *>(outBuffer.data)[3], 8);
  std::free(outBuffer.data);
}

TEST_F(EntryTest, TellsOfMissingMemory) {
  fixed.call = [](void **) { dit_rt_alloc(uint64_t(1) << 62); };
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OUT_OF_MEMORY);
  EXPECT_STREQ(dit_rt_last_error(),
               "no memory for a buffer of 4611686018427387904 bytes");
  fixed.call = [](void **) {
    dit_rt_parallel_for(
        4, 1, [](void *, int64_t, int64_t) { dit_rt_alloc(uint64_t(1) << 62); },
        nullptr);
  };
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OUT_OF_MEMORY);
  EXPECT_EQ(dit_rt_alloc(uint64_t(1) << 62), nullptr);
}

TEST_F(EntryTest, BindsParameters) {
  void *slot = nullptr;
  dit_rt_parameter parameter = {"w", DIT_RT_F32, 2, staticSizes, &slot};
  fixed.num_parameters = 1;
  fixed.parameters = &parameter;
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_UNBOUND_PARAMETER);
  EXPECT_EQ(dit_rt_bind_parameter(&fixed, "v", &inBuffer),
            DIT_RT_INVALID_ARGUMENT);
  inBuffer.dtype = DIT_RT_I32;
  EXPECT_EQ(dit_rt_bind_parameter(&fixed, "w", &inBuffer),
            DIT_RT_SHAPE_MISMATCH);
  inBuffer.dtype = DIT_RT_F32;
  EXPECT_EQ(dit_rt_bind_parameter(&fixed, "w", &inBuffer), DIT_RT_OK);
  EXPECT_EQ(slot, in);
  EXPECT_EQ(dit_rt_invoke(&fixed, args, nullptr), DIT_RT_OK);
}

} // namespace
