################################################################################
#
# kbus
#
################################################################################

KBUS_VERSION = 0.2.0
KBUS_SOURCE = kbus-$(KBUS_VERSION).tar.gz
KBUS_SITE = $(BR2_PRIMARY_SITE)
KBUS_LICENSE = Apache-2.0
KBUS_LICENSE_FILES = LICENSE
KBUS_GOMOD = kbus.example/kbus
KBUS_LDFLAGS = -s -w -X $(KBUS_GOMOD)/internal/version.Built=$(KBUS_VERSION)
KBUS_BUILD_TARGETS = cmd/kbusd
KBUS_INSTALL_BINS = kbusd

ifeq ($(BR2_PACKAGE_KBUS_TOOLS),y)
KBUS_BUILD_TARGETS += cmd/kbus
KBUS_INSTALL_BINS += kbus
endif

ifeq ($(BR2_PACKAGE_KBUS_LIBRARY),y)
KBUS_INSTALL_STAGING = YES
KBUS_C = $(TARGET_MAKE_ENV) $(MAKE) -C $(@D)/bindings/c OUT=$(@D)/c CC="$(TARGET_CC)" AR="$(TARGET_AR)" \
	CFLAGS="$(TARGET_CFLAGS)" LDFLAGS="$(TARGET_LDFLAGS)"
define KBUS_BUILD_LIBRARY
	$(KBUS_C) $(@D)/c/libkbus.so $(@D)/c/libkbus.a $(@D)/c/kbus.pc PREFIX=/usr
endef
KBUS_POST_BUILD_HOOKS += KBUS_BUILD_LIBRARY
define KBUS_INSTALL_STAGING_CMDS
	cp -r $(@D)/bindings/c/include/. $(STAGING_DIR)/usr/include/
	$(INSTALL) -m 0755 $(@D)/c/libkbus.so.1 $(STAGING_DIR)/usr/lib/
	$(INSTALL) -m 0644 $(@D)/c/libkbus.a $(STAGING_DIR)/usr/lib/
	$(INSTALL) -D -m 0644 $(@D)/c/kbus.pc $(STAGING_DIR)/usr/lib/pkgconfig/kbus.pc
	ln -sf libkbus.so.1 $(STAGING_DIR)/usr/lib/libkbus.so
endef
define KBUS_INSTALL_LIBRARY
	$(INSTALL) -m 0755 $(@D)/c/libkbus.so.1 $(TARGET_DIR)/usr/lib/
endef
KBUS_POST_INSTALL_TARGET_HOOKS += KBUS_INSTALL_LIBRARY
endif

define KBUS_INSTALL_SETTINGS
	mkdir -p $(TARGET_DIR)/etc/kbus/rules.d
	$(INSTALL) -m 0644 $(@D)/dist/kbusd.toml $(TARGET_DIR)/etc/kbus/kbusd.toml
endef
KBUS_POST_INSTALL_TARGET_HOOKS += KBUS_INSTALL_SETTINGS

define KBUS_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/dist/kbusd.socket $(TARGET_DIR)/usr/lib/systemd/system/kbusd.socket
	$(INSTALL) -D -m 0644 $(@D)/dist/kbusd.service $(TARGET_DIR)/usr/lib/systemd/system/kbusd.service
endef

define KBUS_USERS
	kbusd -1 kbusd -1 * - - - KBUS message bus
endef

$(eval $(golang-package))
