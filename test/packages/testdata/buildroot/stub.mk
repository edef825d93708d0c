# What a package of Buildroot is given, as far as it needs to be expanded: golang-package prints what it would do.
BR2_PACKAGE_KBUS_TOOLS = y
BR2_PACKAGE_KBUS_LIBRARY = y
TARGET_DIR = TARGET
STAGING_DIR = STAGING
INSTALL = install
define golang-package
all:
	build $$(KBUS_BUILD_TARGETS)
	$$(foreach h,$$(KBUS_POST_BUILD_HOOKS) KBUS_INSTALL_STAGING_CMDS $$(KBUS_POST_INSTALL_TARGET_HOOKS) KBUS_INSTALL_INIT_SYSTEMD,$$($$(h))$$(newline))
endef
define newline


endef
include ../../../dist/buildroot/kbus.mk
