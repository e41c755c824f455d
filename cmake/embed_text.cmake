# Writes a file as a C++ string literal of the given name:
#
#   cmake -DINPUT=file -DOUTPUT=file.h -DVARIABLE=kName [-DSTRIP=ON] -P embed_text.cmake
#
# With STRIP it removes what JavaScript does not need: comments, line ends, and blanks that separate no words. Strings
# stay as they are. This requires of the file:
#
# - Comments have their own lines, and statements end with a semicolon.
# - Strings are in single quotes and contain none. There are no template literals.
# - Regular expressions contain neither blanks nor quotes. No two signs are next to each other, as in `a - -b`.
file(READ ${INPUT} text)

# Strips `code`, which has neither strings nor comments.
function(strip_code code output)
  string(REGEX REPLACE "[ \t\n]+" " " code "${code}")
  string(REGEX REPLACE " ?([^A-Za-z0-9_$ ]) ?" "\\1" code "${code}")
  string(REGEX REPLACE "\\(([A-Za-z0-9_$]+)\\)=>" "\\1=>" code "${code}")
  string(REGEX REPLACE ";}" "}" code "${code}")
  string(REGEX REPLACE ",([])}])" "\\1" code "${code}")
  set(${output} "${code}" PARENT_SCOPE)
endfunction()

if(STRIP)
  string(REGEX REPLACE "(^|\n)[ \t]+" "\\1" text "${text}")
  string(REGEX REPLACE "(^|\n)(//[^\n]*\n)+" "\\1" text "${text}")
  set(rest "${text}")
  set(text "")
  string(FIND "${rest}" "'" quote)
  while(NOT quote EQUAL -1)
    string(SUBSTRING "${rest}" 0 ${quote} code)
    string(SUBSTRING "${rest}" ${quote} -1 rest)
    strip_code("${code}" code)
    string(REGEX MATCH "^'[^'\n]*'" literal "${rest}")
    if(literal STREQUAL "")
      message(FATAL_ERROR "${INPUT}: a string has no end on its line")
    endif()
    string(APPEND text "${code}${literal}")
    string(LENGTH "${literal}" length)
    string(SUBSTRING "${rest}" ${length} -1 rest)
    string(FIND "${rest}" "'" quote)
  endwhile()
  strip_code("${rest}" code)
  string(APPEND text "${code}\n")
endif()
file(WRITE ${OUTPUT} "#pragma once\n\nnamespace viewcount {\ninline constexpr char ${VARIABLE}[] = R\"text(${text})text\";\n}\n")
