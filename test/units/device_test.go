package units

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// old is a program that knows of devices only. A new one asks it something.
const old = `
import subprocess
from kbus import Ksock, reply_to
with Ksock(0) as ksock:
    ksock.bind('$.Old', True)
    new = subprocess.Popen(['kbus', 'ask', '$.Old', 'how are you?'], stdout=subprocess.PIPE)
    asked = ksock.wait_for_msg()
    ksock.send_msg(reply_to(asked, b'well'))
    print(new.communicate()[0].decode(), end='')
`

// TestDevices has the daemon serve devices, by the drop-in for its unit, and again when it was stopped or killed.
func TestDevices(t *testing.T) {
	for _, needed := range []string{"/dev/fuse", "/usr/bin/python3"} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip("no devices here, or no program for them: ", err)
		}
	}
	m := boot(t, func(dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "opt/kbus/share/kbus/kbusd-device.conf"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "etc/systemd/system/kbusd.service.d/device.conf", string(text))
		if err := os.CopyFS(filepath.Join(dir, "opt/kbus/python/kbus"), os.DirFS("../../bindings/python/kbus")); err != nil {
			t.Fatal(err)
		}
	})
	m.Run(root, "systemd-analyze", "verify", "kbusd.service")
	m.Run(root, "systemctl", "start", "kbusd.service")
	for _, end := range []string{"", "systemctl restart kbusd.service", "systemctl kill -s KILL kbusd.service; systemctl restart kbusd.service"} {
		m.Run(root, "sh", "-ec", end)
		python := []string{"env", "PYTHONPATH=/opt/kbus/python", "KBUS_PYTHON=device", "python3", "-c", old}
		if got := m.Run(nobody, python...); got != "well\n" {
			t.Errorf("a program with a device answers %q", got)
		}
		if got := m.Run(nobody, "cat", "/run/kbus/bus0/stats"); !strings.Contains(got, "dev  0: next ksock 3 ") {
			t.Errorf("the device reports %q", got)
		}
	}
	m.Run(root, "systemctl", "stop", "kbusd.service")
	if out, err := m.As(root, "ls", "/dev/kbus0").CombinedOutput(); err == nil {
		t.Errorf("the device stays behind: %s", out)
	} else if _, ended := err.(*exec.ExitError); !ended {
		t.Error(err)
	}
}
