package units

import (
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
)

// TestWrongSettings has the daemon not start, for a mistake in its file, more often than systemd lets services fail when
// nobody says otherwise (5 times). Who connects waits, and is served when the mistake is mended, with nothing else to be done.
func TestWrongSettings(t *testing.T) {
	m := boot(t, func(dir string) {
		write(t, filepath.Join(dir, "etc/kbus"), "kbusd.toml", "[socket]\nmode = 660\n")
	})
	m.Run(root, "systemctl", "start", "kbusd.socket")
	early := rawclient.Dial(t, m.Path("/run/kbus/bus0.sock")) // which starts the daemon
	m.Run(root, "timeout", "60", "bash", "-c",
		`grep -m 12 'socket.mode: "660" is no file mode' <(exec tail -n +1 -F /run/log) >/run/seen`)
	late := rawclient.Dial(t, m.Path("/run/kbus/bus0.sock"))
	write(t, m.Path("/etc/kbus"), "kbusd.toml", "buses = 2\n")
	early.Hello(3)
	late.Hello(3)
	m.Run(nobody, "kbus", "list", "--bus", "1")
	if got := m.Run(root, "systemctl", "is-active", "kbusd.socket", "kbusd.service"); got != "active\nactive\n" {
		t.Errorf("socket and service are %q", got)
	}
}

// TestOrderOfTheEnd shuts the machine down. What uses the bus ends first, then what joins it to others, and then the
// bus, so that nobody loses an answer because the bus has gone before; the socket is the last.
func TestOrderOfTheEnd(t *testing.T) {
	link := free(t)
	m := boot(t, func(dir string) {
		write(t, filepath.Join(dir, "etc/kbus"), "limpets/one.conf", "LIMPET=pair --listen "+link+" --id 1\n")
		units := filepath.Join(dir, "etc/systemd/system")
		write(t, units, "service.d/order.conf", "[Service]\n"+
			"ExecStop=+sh -c 'echo %n, bus $$(systemctl is-active kbusd.service) >>/run/order'\n"+
			"ExecStopPost=+sh -c 'echo %n has ended >>/run/order'\n")
		write(t, units, "kbus-greeter.service.d/limpet.conf", "[Unit]\nAfter=kbus-limpet@one.service\n") // as it says
		write(t, units, "kbusd.socket.d/order.conf", "[Socket]\nExecStopPre=sh -c 'echo %n >>/run/order'\n")
	})
	certs := "/etc/kbus/limpets/"
	m.Run(root, "kbus-limpet", "certs", certs, "--id", "1")
	m.Run(root, "sh", "-ec", "cd "+certs+"; for f in pem key; do mv limpet.1.$f one.$f; done")
	m.Run(root, "cp", "/opt/kbus/share/kbus/example/kbus-greeter.service", "/etc/systemd/system/")
	m.Run(root, "systemctl", "daemon-reload")
	m.Run(root, "systemd-analyze", "verify", "kbus-greeter.service")
	units := []string{"kbus-greeter.service", "kbus-limpet@one.service", "kbusd.service", "kbusd.socket"}
	m.Run(root, append([]string{"systemctl", "start"}, units...)...)
	m.bound(0, "$.Greeter")
	if got := m.Run(nobody, "kbus", "ask", "$.Greeter", "--dir", "/run/kbus"); got != "hello\n" {
		t.Errorf("the sample service answers %q", got)
	}
	m.Run(root, "systemctl", "start", "shutdown.target")
	want := `kbus-greeter.service, bus active
kbus-greeter.service has ended
kbus-limpet@one.service, bus active
kbus-limpet@one.service has ended
kbusd.service, bus deactivating
kbusd.service has ended
kbusd.socket
`
	if got := m.Run(root, "cat", "/run/order"); got != want {
		t.Errorf("the order is\n%s", got)
	}
	if got := m.Run(root, "systemctl", "list-units", "--failed", "--plain", "--no-legend"); got != "" {
		t.Errorf("failed: %s", got)
	}
}
