# Yocto: a recipe for a layer, beside the tarball of `make source`. It takes the Go of the layer to be 1.26 or newer.
SUMMARY = "Message bus for the processes of one machine"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

PV = "0.2.0"
SRC_URI = "file://kbus-${PV}.tar.gz"
S = "${WORKDIR}/kbus-${PV}"

inherit go-mod systemd useradd pkgconfig

GO_IMPORT = "kbus.example/kbus"
GO_LINKSHARED = ""
# Modules come from the proxy while it compiles, unless the layer has vendored them.
do_compile[network] = "1"

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir / --shell /sbin/nologin kbusd"

PACKAGES =+ "${PN}-lib ${PN}-tools"
SYSTEMD_SERVICE:${PN} = "kbusd.socket kbusd.service"

do_compile() {
    cd ${S}
    export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -modcacherw"
    for program in kbusd kbus; do
        ${GO} build -ldflags "-s -w" -o ${B}/$program ./cmd/$program
    done
    oe_runmake -C bindings/c OUT=${B}/c ${B}/c/libkbus.so ${B}/c/libkbus.a ${B}/c/kbus.pc
}

do_install() {
    install -d ${D}${bindir} ${D}${systemd_system_unitdir} ${D}${sysconfdir}/kbus/rules.d ${D}${libdir} ${D}${includedir}
    install -m 0755 ${B}/kbusd ${B}/kbus ${D}${bindir}
    install -m 0644 ${S}/dist/kbusd.socket ${S}/dist/kbusd.service ${D}${systemd_system_unitdir}
    install -m 0644 ${S}/dist/kbusd.toml ${D}${sysconfdir}/kbus
    install -m 0755 ${B}/c/libkbus.so.1 ${D}${libdir}
    ln -sf libkbus.so.1 ${D}${libdir}/libkbus.so
    cp -r ${S}/bindings/c/include/. ${D}${includedir}
    install -D -m 0644 ${B}/c/kbus.pc ${D}${libdir}/pkgconfig/kbus.pc
}

FILES:${PN}-lib = "${libdir}/libkbus.so.1"
FILES:${PN}-tools = "${bindir}/kbus"
CONFFILES:${PN} = "${sysconfdir}/kbus/kbusd.toml"
# The daemon is a static program of Go.
INSANE_SKIP:${PN} += "ldflags"
INSANE_SKIP:${PN}-tools += "ldflags"
