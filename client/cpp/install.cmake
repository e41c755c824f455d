# Installs the package `viewcount` with the target viewcount::client: `cmake --install BUILD --component client`.
include(CMakePackageConfigHelpers)

target_include_directories(viewcount_client PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(viewcount_client INTERFACE $<INSTALL_INTERFACE:cxx_std_17>)
set_target_properties(viewcount_client PROPERTIES EXPORT_NAME client)
set_target_properties(viewcount_services PROPERTIES EXPORT_NAME services)
set_target_properties(viewcount_messages PROPERTIES EXPORT_NAME messages)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/viewcount)
install(TARGETS viewcount_client viewcount_services viewcount_messages EXPORT viewcount
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(EXPORT viewcount NAMESPACE viewcount:: FILE viewcount-targets.cmake DESTINATION ${package_dir} COMPONENT client)
# Consumers include only this header. It includes no other header of this project.
install(FILES writer.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/viewcount/client COMPONENT client)

configure_package_config_file(viewcount-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/viewcount-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/viewcount-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/viewcount-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/viewcount-config-version.cmake
        DESTINATION ${package_dir} COMPONENT client)
