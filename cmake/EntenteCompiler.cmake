# Compiler flags for our own code: warnings are errors, hardening is on, ccache and mold when present.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
# What a program does not use is not in it: the relay's own proof that it can open nothing.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--as-needed)
add_compile_options(-fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT ENTENTE_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fcf-protection)
endif()
add_link_options(-Wl,-z,relro,-z,now -pie)

if(ENTENTE_SANITIZE)
  add_compile_options(-fsanitize=${ENTENTE_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ENTENTE_SANITIZE})
endif()

# The fuzzer is told which branches an input reached, in every library, and llvm-cov which lines.
if(ENTENTE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate)
endif()

# The generated messages are most of what a small file has to read: clang reads them once, for the
# libraries and for the tests, which makes the whole build three times as fast. (g++ works, but
# forgets which headers are the system's when it has read them so, and warns about those.) Every file
# still includes what it uses: clang-tidy and the nightly build read each file by itself.
option(ENTENTE_PCH "Read the generated messages once for all files (clang only)" ON)
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(ENTENTE_PCH OFF)
endif()
if(ENTENTE_PCH)
  add_compile_options(-pthread)
  if(CCACHE_PROGRAM AND CMAKE_CXX_COMPILER_LAUNCHER STREQUAL CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${CCACHE_PROGRAM})
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()
set(ENTENTE_MESSAGES <algorithm> <cstdint> <functional> <map> <memory> <optional> <set> <string>
    <string_view> <utility> <vector> <absl/status/statusor.h> <absl/time/time.h>
    <entente/v1/card.pb.h> <entente/v1/client.pb.h> <entente/v1/entry.pb.h>
    <entente/v1/peer.pb.h> <entente/v1/records.pb.h> <entente/v1/storage.pb.h>)

# Called once the messages are known: what the others reuse.
function(entente_messages)
  if(NOT ENTENTE_PCH)
    return()
  endif()
  set(empty ${CMAKE_BINARY_DIR}/messages.cc)
  file(CONFIGURE OUTPUT ${empty} CONTENT "int main() {}\n")
  add_library(entente_messages STATIC ${empty})
  target_link_libraries(entente_messages PRIVATE entente_proto absl::statusor absl::time)
  target_precompile_headers(entente_messages PRIVATE ${ENTENTE_MESSAGES})
  entente_warnings(entente_messages)
  if(ENTENTE_TESTS)
    add_executable(entente_test_messages ${empty})
    target_link_libraries(entente_test_messages PRIVATE entente_proto absl::statusor absl::time
                                                        GTest::gmock GTest::gtest)
    target_precompile_headers(entente_test_messages PRIVATE ${ENTENTE_MESSAGES} <gmock/gmock.h>
                              <gtest/gtest.h>)
    entente_warnings(entente_test_messages)
    entente_build_fast(entente_test_messages)
  endif()
endfunction()

# The relay reads no message of a case, not even to compile.
function(entente_read_messages_once target from)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${CMAKE_SOURCE_DIR}
             OUTPUT_VARIABLE folder)
  if(TARGET ${from} AND folder MATCHES "^(sync|node|tests)" AND
     NOT folder MATCHES "^(node/relay|node/store|tests/crypto|tests/node/store|tests/node/relay)")
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()

# What is tested is built as it ships; the tests themselves need not be fast, but many are built.
function(entente_build_fast target)
  if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
  endif()
endfunction()

# entente_library(NAME SOURCES … DEPS …): a static library of our own code with the house warnings.
function(entente_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                                           -Werror)
endfunction()

function(entente_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  entente_warnings(${name})
  entente_read_messages_once(${name} entente_messages)
endfunction()

function(entente_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  entente_warnings(${name})
endfunction()

# entente_program(NAME …): a binary for people, in build/…/bin beside the others.
function(entente_program name)
  entente_binary(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# entente_test(NAME SOURCES … DEPS …): a GoogleTest binary whose cases ctest lists one by one.
function(entente_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  entente_binary(${name} SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  entente_read_messages_once(${name} entente_test_messages)
  entente_build_fast(${name})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit)
endfunction()
