//===- Stripes.td - A pattern of another dialect -----------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HOST_STRIPES_TD
#define HOST_STRIPES_TD

include "dit/Dialect/Dit/IR/DitInterfaces.td"
include "mlir/IR/AttrTypeBase.td"

def HostDialect : Dialect {
  let name = "host";
  let cppNamespace = "::host";
  let useDefaultAttributePrinterParser = 1;
}

def Host_StripesAttr : AttrDef<HostDialect, "Stripes",
    [DeclareAttrInterfaceMethods<Dit_PatternAttrInterface>]> {
  let mnemonic = "stripes";
  let summary = "Keys a multiple of `period` away from the query";
  let parameters = (ins "int64_t":$period);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // HOST_STRIPES_TD
