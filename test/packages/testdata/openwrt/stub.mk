# What a recipe of OpenWrt is given, as far as it needs to be expanded: its functions print what they would do.
TOPDIR := openwrt
INCLUDE_DIR := openwrt/include
PKG_BUILD_DIR := SOURCE
GO_PKG_BUILD_BIN_DIR := BIN
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_CONF := install -m0600
.DEFAULT_GOAL := all
define GoBinPackage
endef
define BuildPackage
all: install-$(1)
.PHONY: install-$(1)
install-$(1):
	build $(1)
	$(call Package/$(1)/install,ROOT)
endef
include ../../../dist/openwrt/Makefile
