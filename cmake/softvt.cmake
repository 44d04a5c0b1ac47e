# What every target of softvt is compiled with, and one helper that makes a library of a folder.

add_library(softvt_options INTERFACE)
target_include_directories(softvt_options INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
target_compile_options(softvt_options INTERFACE -Wall -Wextra -Werror)
if(SOFTVT_SANITIZE)
  target_compile_options(softvt_options INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(softvt_options INTERFACE -fsanitize=address,undefined)
endif()

# Sanitizers and -O0 break sibling calls, so these builds use the returning shell
# (cpu/core/shell.h). It changes the type of handlers: all targets must agree.
if(SOFTVT_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(SOFTVT_RETURNING_SHELL ON)
  target_compile_definitions(softvt_options INTERFACE SOFTVT_RETURNING_SHELL)
else()
  set(SOFTVT_RETURNING_SHELL OFF)
endif()

# softvt_library(NAME deps...): a static library of every .cpp below the calling folder. A folder
# without any becomes a library of headers.
function(softvt_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(softvt_${name} STATIC ${sources})
    target_link_libraries(softvt_${name} PUBLIC softvt_options ${ARGN})
  else()
    add_library(softvt_${name} INTERFACE)
    target_link_libraries(softvt_${name} INTERFACE softvt_options ${ARGN})
  endif()
  add_library(softvt::${name} ALIAS softvt_${name})
endfunction()
