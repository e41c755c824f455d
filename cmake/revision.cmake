# cmake -DSOURCE=dir -DOUTPUT=file [-DREVISION=given] -P revision.cmake: writes a header that names the source's revision.
# Run at every build and not at configuration, because a commit does not configure again; the file changes only with
# the revision, so that nothing is compiled for it otherwise.
if(REVISION STREQUAL "")
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(REVISION unknown)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define VIEWCOUNT_REVISION \"${REVISION}\"\n")
