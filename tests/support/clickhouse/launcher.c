// Runs ClickHouse from the shared library of the npm package @chdb/lib-*: `launcher LIBRARY ARGUMENTS`, with the
// arguments of clickhouse-local. A native program is needed, because ClickHouse checks the stack of its main thread.
#include <dlfcn.h>
#include <stdio.h>

typedef void *(*run_function)(int, char **);
typedef const char *(*error_function)(void *);

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
  run_function run = library ? (run_function)dlsym(library, "chdb_query_cmdline") : NULL;
  error_function read_error = library ? (error_function)dlsym(library, "chdb_result_error") : NULL;
  if (!run || !read_error) {
    fprintf(stderr, "launcher: %s\n", argc > 1 ? dlerror() : "the path of the library is missing");
    return 2;
  }
  argv[1] = "clickhouse";
  const char *error = read_error(run(argc - 1, argv + 1));
  if (error) fprintf(stderr, "%s\n", error);
  return error ? 1 : 0;
}
