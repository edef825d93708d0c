package packages

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/smallmachine"
	"kbus.example/kbus/internal/wire"
)

const (
	root   = smallmachine.Root
	nobody = smallmachine.Nobody
)

var names = []string{"kbus", "libkbus1", "libkbus-dev", "python3-kbus"}

// ask has a program of a user with no rights ask another through the installed bus, both with the installed Python package.
const ask = `
import kbus, sys
with kbus.Ksock(0) as replier, kbus.Ksock(0) as asker:
    replier.bind('$.Packages', True)
    asker.send_msg(kbus.Request('$.Packages', b'?'))
    replier.send_msg(kbus.reply_to(replier.wait_for_msg(), b'yes'))
    print(asker.wait_for_msg().data.decode())
`

// TestDebian installs an older version, upgrades to this one while the daemon runs, removes and purges.
func TestDebian(t *testing.T) {
	dir := cleanRoot(t)
	now, older := build(t)
	for _, v := range []string{"older", "now"} {
		if err := os.CopyFS(filepath.Join(dir, "packages", v), os.DirFS(map[string]string{"older": older, "now": now}[v])); err != nil {
			t.Fatal(err)
		}
	}
	m := boot(t, dir)
	before := files(t, m.Path("/"))
	dpkg := func(command string) {
		t.Helper()
		m.Run(root, "sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg "+command+" </dev/null")
	}
	same := func(want string, user string, command ...string) {
		t.Helper()
		if got := strings.TrimSpace(m.Run(user, command...)); got != want {
			t.Errorf("%s: %q, not %q", strings.Join(command, " "), got, want)
		}
	}

	dpkg("-i /packages/older/*.deb")
	same("enabled\nenabled", root, "systemctl", "is-enabled", "kbusd.socket", "kbusd.service")
	same("active\nactive", root, "systemctl", "is-active", "kbusd.socket", "kbusd.service")
	same("yes", nobody, "python3", "-c", ask)
	same("kbusd 0.1.9~7.golder", nobody, "kbusd", "--version")
	socket := m.Run(root, "stat", "-c", "%i", "/run/kbus/bus0.sock")

	// An administrator's settings stay. While the daemon is exchanged nobody is refused.
	m.Run(root, "sh", "-c", "echo 'buses = 2' >/etc/kbus/kbusd.toml")
	stop := comeAndGo(t, m.Path("/run/kbus/bus0.sock"))
	dpkg("-i /packages/now/*.deb")
	stop()
	same(strings.TrimSpace(sh(t, "dist/version | sed 's/^/kbusd /'")), nobody, "kbusd", "--version")
	same("active\nactive", root, "systemctl", "is-active", "kbusd.socket", "kbusd.service")
	same("/usr/bin/kbusd", root, "sh", "-c", "readlink /proc/$(systemctl show -P MainPID kbusd.service)/exe") // and not a deleted one
	same(strings.TrimSpace(socket), root, "stat", "-c", "%i", "/run/kbus/bus0.sock")
	same("yes", nobody, "python3", "-c", ask)
	m.Run(nobody, "kbus", "list", "--bus", "1")

	// What an administrator has stopped and disabled stays so.
	m.Run(root, "systemctl", "disable", "--now", "kbusd.socket", "kbusd.service")
	dpkg("-i /packages/now/*.deb")
	same("inactive\ninactive", root, "sh", "-c", "systemctl is-active kbusd.socket kbusd.service || true")
	same("disabled\ndisabled", root, "sh", "-c", "systemctl is-enabled kbusd.socket kbusd.service || true")
	m.Run(root, "systemctl", "enable", "--now", "kbusd.socket", "kbusd.service")

	dpkg("-r " + strings.Join(names, " "))
	same("inactive\ninactive", root, "sh", "-c", "systemctl is-active kbusd.socket kbusd.service || true")
	same("buses = 2", root, "cat", "/etc/kbus/kbusd.toml")
	dpkg("-P " + strings.Join(names, " "))
	if more := left(before, files(t, m.Path("/"))); len(more) > 0 {
		t.Errorf("a purge leaves\n%s", strings.Join(more, "\n"))
	}
	same("", root, "sh", "-c", "dpkg -l | grep kbus || true; ls -d /run/kbus 2>/dev/null || true; systemctl list-units --all --plain --no-legend 'kbus*'")
}

// comeAndGo connects to the bus and says hello, over and over, until stop. A connection may end with the daemon that has it, but none
// may be refused.
func comeAndGo(t *testing.T, path string) (stop func()) {
	t.Helper()
	end, ended := make(chan struct{}), make(chan struct{})
	hello := wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1})
	served := 0
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
			}
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Errorf("a client is refused after %d that were not: %v", served, err)
				return
			}
			frame := wire.AppendFrame(nil, wire.Header{Op: wire.OpHello, Arg: wire.ModeRead, Seq: 1}, hello)
			_, _ = conn.Write(frame)
			if _, err := io.ReadFull(conn, frame); err == nil {
				served++
			}
			conn.Close()
		}
	}()
	return func() {
		close(end)
		<-ended
		if served < 2 {
			t.Errorf("only %d clients were served meanwhile", served)
		}
	}
}
