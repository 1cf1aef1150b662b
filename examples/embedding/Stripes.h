//===- Stripes.h - A pattern of another dialect -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dialect `host` with one attribute, `#host.stripes<period = n>`, which
// `dit.attention` takes wherever it takes a pattern.
//
//===----------------------------------------------------------------------===//

#ifndef HOST_STRIPES_H
#define HOST_STRIPES_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include "StripesDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "Stripes.h.inc"

#endif // HOST_STRIPES_H
