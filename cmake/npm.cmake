# viewcount_npm(FILE …) installs the packages of this folder's package-lock.json from npm. They go into node_modules in
# the build folder that belongs to this folder. Each FILE is one of the installed files, such as
# node_modules/NAME/list.json. The packages are installed again only when the lock file changes. No script of a package
# is run.
function(viewcount_npm)
  set(inputs package.json package-lock.json)
  list(TRANSFORM inputs PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_BINARY_DIR}/ OUTPUT_VARIABLE outputs)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E copy ${inputs} ${CMAKE_CURRENT_BINARY_DIR}
    COMMAND ${VIEWCOUNT_NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
    # The files may have any modification time from the package's author or npm, so it is set to now.
    COMMAND ${CMAKE_COMMAND} -E touch ${outputs}
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
    DEPENDS ${inputs}
    COMMENT "Fetching what ${CMAKE_CURRENT_SOURCE_DIR}/package-lock.json names"
    VERBATIM)
endfunction()
