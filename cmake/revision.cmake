# Writes a header that names the source's revision:
#
#   cmake -DSOURCE=dir -DOUTPUT=file [-DREVISION=given] -P revision.cmake
#
# It runs at every build instead of at configuration, because a commit does not cause a new configuration. The file
# changes only when the revision changes, so nothing else is compiled again.
if(REVISION STREQUAL "")
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(REVISION unknown)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define VIEWCOUNT_REVISION \"${REVISION}\"\n")
