/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Reads a module from the file that stdin is. If it was bytecode, writes it as
   bytecode to the file that descriptor 3 is. Writes "ok", or the first error as
   "line:column:message", to stdout. The arguments are the name of the file in
   locations and the number of seconds after which to die. libdit-c.so lets it
   read modules that may crash the parser or hang it. Not for people: on a crash
   it says nothing. */

#include "dit-c/Module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kOutput = 3 };

static int hasError;

static void printFirstError(const DitDiagnostic *diagnostic, void *unused) {
  (void)unused;
  if (hasError || diagnostic->severity != DIT_SEVERITY_ERROR)
    return;
  hasError = 1;
  printf("%d:%d:%s", (int)diagnostic->line, (int)diagnostic->column,
         diagnostic->message);
}

static DitStatus writeModule(DitModule *module) {
  DitText bytecode;
  DitStatus status = ditModuleWriteBytecode(module, &bytecode);
  if (status != DIT_OK)
    return status;
  for (size_t done = 0; done < bytecode.size;) {
    ssize_t size = write(kOutput, bytecode.data + done, bytecode.size - done);
    if (size <= 0)
      return DIT_ERROR_IO;
    done += (size_t)size;
  }
  return DIT_OK;
}

int main(int argc, char **argv) {
  struct rlimit noCore = {0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  alarm(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
  struct stat info;
  if (fstat(STDIN_FILENO, &info) != 0)
    return 1;
  void *data = NULL;
  if (info.st_size > 0) {
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE,
                STDIN_FILENO, 0);
    if (data == MAP_FAILED)
      return 1;
  }
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  options.handler = printFirstError;
  DitContext *context;
  DitModule *module = NULL;
  if (ditContextCreate(&options, &context) != DIT_OK)
    return 1;
  DitStatus status = ditModuleParseTrusted(context, data, (size_t)info.st_size,
                                           argc > 1 ? argv[1] : "-", &module);
  if (status == DIT_OK && info.st_size > 4 && memcmp(data, "ML\xefR", 4) == 0)
    status = writeModule(module);
  if (status == DIT_OK)
    printf("ok");
  else if (!hasError)
    printf("0:0:%s", ditGetLastError());
  fflush(stdout);
  /* What is read is not worth tearing down. */
  _Exit(status == DIT_OK ? 0 : 1);
}
